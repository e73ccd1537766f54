package mail_test

import (
	"errors"
	"mime"
	"strings"
	"testing"
	"time"

	"foresight/internal/mail"
	"foresight/internal/testkit"
	"foresight/locales"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var words = locales.New()

func sender(t *testing.T, m *testkit.MailServer, change func(*mail.Options)) *mail.SMTP {
	t.Helper()
	o := mail.Options{Host: m.Host, Port: m.Port, From: "Foresight <robot@foresight.example>", TLSConfig: m.Trust, Username: m.User, Password: m.Password}
	if change != nil {
		change(&o)
	}
	s, err := mail.NewSMTP(o, words)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns subject and body as the reader sees them.
func read(t *testing.T, m testkit.Mail) (subject, body string) {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return subject, m.Body
}

const link = "https://foresight.example/reset-password#token=0123456789012345678901234567890123456789012"

func TestLettersAreInTheReadersLanguage(t *testing.T) {
	server := testkit.SMTP(t)
	server.User, server.Password = "robot", "hush"
	s := sender(t, server, nil)
	for i, c := range []struct {
		kind                  mail.Kind
		locale, subject, body string
		life                  time.Duration
	}{
		{mail.Reset, "en", "Set another password for Acme", "good for 1 h", time.Hour},
		{mail.Reset, "ar", "تعيين كلمة مرور أخرى لدى Acme", "مرحبًا Olga", time.Hour},
		{mail.Welcome, "de", "Ihr Konto bei Acme", "gilt 7 Tage", 7 * 24 * time.Hour},
		{mail.Invite, "zh", "Acme 邀请您使用 Foresight", "7 天", 7 * 24 * time.Hour},
		{mail.Invite, "xx", "Acme invites you to Foresight", "good for 7 days", 7 * 24 * time.Hour},
		{mail.Welcome, "fr", "Votre compte chez Acme", "7 jours", 7 * 24 * time.Hour},
		{mail.Reset, "es", "Establezca otra contraseña para Acme", "1 h", time.Hour},
	} {
		if err := s.Send(t.Context(), mail.Letter{Kind: c.kind, To: "olga@acme.example", Locale: c.locale, Tenant: "Acme", Name: "Olga", Link: link, Life: c.life}); err != nil {
			t.Fatal(err)
		}
		m := server.Taken()[i]
		if subject, body := read(t, m); subject != c.subject || !strings.Contains(body, c.body) || !strings.Contains(body, "\n"+link+"\n") {
			t.Errorf("%s %s: %q\n%s", c.kind, c.locale, subject, body)
		}
		if m.To != "olga@acme.example" || m.From != "robot@foresight.example" || !m.TLS || m.User != "robot" || m.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("envelope %+v", m)
		}
	}
}

// A letter that is sent again says so to programs that sort them.
func TestLettersSentAgainAreRecognised(t *testing.T) {
	server := testkit.SMTP(t)
	s := sender(t, server, nil)
	l := mail.Letter{Kind: mail.Reset, To: "olga@acme.example", Link: link, Life: time.Hour}
	ids := map[string]int{}
	for _, l.ID = range []string{"one", "one", "", ""} {
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		sent := server.Taken()
		ids[sent[len(sent)-1].Header.Get("Message-ID")]++
	}
	if len(ids) != 3 || ids["<one@foresight.example>"] != 2 {
		t.Errorf("%v", ids)
	}
}

// What somebody has called a tenant must not become a header, a line or a link of a
// letter to somebody else.
func TestNamesAreTamed(t *testing.T) {
	server := testkit.SMTP(t)
	s := sender(t, server, nil)
	name := "Evil\r\nBcc: all@acme.example\r\n\r\nwin at https://evil.example" + strings.Repeat("!", 200)
	if err := s.Send(t.Context(), mail.Letter{Kind: mail.Invite, To: "olga@acme.example", Tenant: name, Link: link, Life: time.Hour}); err != nil {
		t.Fatal(err)
	}
	m := server.Taken()[0]
	subject, body := read(t, m)
	if m.Header.Get("Bcc") != "" || strings.Contains(body, "https://evil") || strings.Contains(subject, "\n") || len(subject) > 200 {
		t.Errorf("%q\n%s", subject, body)
	}
	if !strings.HasPrefix(subject, "Evil Bcc: all acme.example win at https evil.example!") {
		t.Errorf("subject %q", subject)
	}
}

func TestWhatGoesWrongIsToldWithoutTheLink(t *testing.T) {
	server := testkit.SMTP(t)
	server.User, server.Password = "robot", "hush"
	l := mail.Letter{Kind: mail.Reset, To: "olga@acme.example", Link: link, Life: time.Hour}
	for name, c := range map[string]struct {
		change func(*mail.Options)
		to     string
		never  bool // another try is of no use
	}{
		"wrong password":         {func(o *mail.Options) { o.Password = "loud" }, "", false},
		"no authentication":      {func(o *mail.Options) { o.Username = "" }, "", false},
		"untrusted certificate":  {func(o *mail.Options) { o.TLSConfig = nil }, "", false},
		"plain where TLS begins": {func(o *mail.Options) { o.Security = mail.TLS }, "", false},
		"nobody listens":         {func(o *mail.Options) { o.Port = 1 }, "", false},
		"recipient refused":      {nil, "nobody@refuse.example", true},
		"recipient put off":      {nil, "nobody@later.example", false},
		"no address":             {nil, "olga", true},
	} {
		letter := l
		if c.to != "" {
			letter.To = c.to
		}
		err := sender(t, server, c.change).Send(t.Context(), letter)
		if err == nil || strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(err, mail.ErrRefused) != c.never {
			t.Errorf("%s: refused for good? %v", name, err)
		}
	}
	if n := len(server.Taken()); n != 0 {
		t.Errorf("%d letters were taken", n)
	}
	if _, err := mail.NewSMTP(mail.Options{Host: "x", Port: 25, From: "nonsense"}, words); err == nil {
		t.Error("a sender that is no address")
	}
}
