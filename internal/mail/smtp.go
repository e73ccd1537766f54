package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"foresight/locales"
)

// Security is how the way to the server is protected.
type Security string

// The ways.
const (
	STARTTLS Security = "starttls" // mandatory: nothing is sent where the server does not offer it
	TLS      Security = "tls"      // from the first byte, usually on port 465
	Plain    Security = "none"     // for a server on the same machine
)

// Options of an SMTP server.
type Options struct {
	Host     string
	Port     int
	Security Security
	Username string // "": no authentication
	Password string
	From     string // address, or `Name <address>`
	// TLSConfig is for servers with a certificate of their own authority; nil: the system's.
	TLSConfig *tls.Config
}

// timeout bounds each step of the talk with the server.
const timeout = 20 * time.Second

// SMTP sends letters by a server, with a connection for each. It is safe for
// concurrent use.
type SMTP struct {
	client *gomail.Client
	from   string
	domain string // of the sender
	words  *locales.Bundle
}

// NewSMTP returns a sender. It does not connect yet; a malformed address of the
// sender is an error.
func NewSMTP(o Options, words *locales.Bundle) (*SMTP, error) {
	opts := []gomail.Option{gomail.WithPort(o.Port), gomail.WithTimeout(timeout)}
	switch o.Security {
	case TLS:
		opts = append(opts, gomail.WithSSL())
	case Plain:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if o.TLSConfig != nil {
		opts = append(opts, gomail.WithTLSConfig(o.TLSConfig))
	}
	if o.Username != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(o.Username), gomail.WithPassword(o.Password))
	}
	c, err := gomail.NewClient(o.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if err := gomail.NewMsg().From(o.From); err != nil {
		return nil, fmt.Errorf("mail: sender %q: %w", o.From, err)
	}
	sender, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail: sender %q: %w", o.From, err)
	}
	_, domain, _ := strings.Cut(sender.Address, "@")
	return &SMTP{c, o.From, domain, words}, nil
}

// ErrRefused is of a letter that the server will never take: its reader is not known
// there, or it does not like what it says.
var ErrRefused = errors.New("mail: refused")

// Send hands a letter to the server. It returns when the server has taken it. After
// errors that are not ErrRefused another try may be of use.
func (s *SMTP) Send(ctx context.Context, l Letter) error {
	m := gomail.NewMsg()
	if err := m.From(s.from); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := m.To(l.To); err != nil {
		return fmt.Errorf("%w: recipient: %w", ErrRefused, err)
	}
	m.Subject(l.text(s.words, "subject"))
	m.SetBodyString(gomail.TypeTextPlain, l.text(s.words, "body"))
	m.SetDate()
	if l.ID != "" {
		m.SetMessageIDWithValue(l.ID + "@" + s.domain)
	} else {
		m.SetMessageID()
	}
	m.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office replies
	m.SetUserAgent("Foresight")
	switch err := s.client.DialAndSendWithContext(ctx, m); {
	case err == nil:
		return nil
	case refused(err):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	default:
		return fmt.Errorf("mail: %w", err)
	}
}

// refused reports whether the server has said for good that it does not take the
// letter. That it does not let us in, or does not like the sender, a person can mend.
func refused(err error) bool {
	var e *gomail.SendError
	if !errors.As(err, &e) || e.ErrorCode() < 500 {
		return false
	}
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return true
	}
	return false
}
