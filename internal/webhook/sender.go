package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"foresight/internal/id"
)

// The headers of a delivery.
const (
	HeaderEvent     = "Foresight-Event"
	HeaderDelivery  = "Foresight-Delivery"
	HeaderSignature = "Foresight-Signature"
)

const (
	timeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that the connection can
	// be used again; nothing of it is kept.
	maxAnswer = 64 << 10
)

// Failure says why a delivery failed.
type Failure string

// The failures.
const (
	Refused     Failure = "refused"     // the address lies in a network that must not be reached
	Unreachable Failure = "unreachable" // the name is unknown, or nobody listens there
	TLS         Failure = "tls"         // the certificate is not valid for the name
	Timeout     Failure = "timeout"
	Status      Failure = "status" // the answer is not 200-299
)

// Message is what is delivered.
type Message struct {
	ID    id.UUID // the same in every attempt
	Event Event
	Body  []byte // JSON
}

// Delivery is the outcome of an attempt.
type Delivery struct {
	ID      id.UUID
	Status  int // of HTTP, 0 without an answer
	Took    time.Duration
	Failure Failure // "" when it was delivered
	Cause   error   // of the failure, for the log: it may name addresses
}

// Options of a Sender.
type Options struct {
	// Allowed are networks that may be reached although they are not public, and to
	// which http is spoken, too.
	Allowed []netip.Prefix
	// Roots are the authorities of certificates, nil for the system's.
	Roots *x509.CertPool
	now   func() time.Time
}

// Sender posts messages to the addresses of tenants. It follows no redirects, uses no
// proxy and connects only where its guard lets it. It is safe for concurrent use;
// Close it when it is not used any more.
type Sender struct {
	clients map[string]*http.Client // by scheme
	allowed []netip.Prefix
	now     func() time.Time
}

// NewSender returns a sender.
func NewSender(o Options) *Sender {
	s := &Sender{clients: map[string]*http.Client{}, allowed: o.Allowed, now: o.now}
	if s.now == nil {
		s.now = time.Now
	}
	for scheme, plain := range map[string]bool{"https": false, "http": true} {
		dialer := &net.Dialer{Timeout: timeout, Control: guard{o.Allowed, plain}.control}
		s.clients[scheme] = &http.Client{
			Timeout: timeout,
			Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
				ForceAttemptHTTP2: true, MaxIdleConns: 100, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 32 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return s
}

// Close ends idle connections.
func (s *Sender) Close() {
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// Post makes one attempt to deliver the message to the address, signed with the key.
// What fails at the other end is told in the delivery.
func (s *Sender) Post(ctx context.Context, address string, key []byte, m Message) Delivery {
	begin := time.Now()
	status, err := s.post(ctx, address, key, m)
	d := Delivery{ID: m.ID, Status: status, Took: time.Since(begin), Cause: err}
	switch {
	case err != nil:
		d.Failure = failureOf(err)
	case status < 200 || status > 299:
		d.Failure = Status
	}
	return d
}

func (s *Sender) post(ctx context.Context, address string, key []byte, m Message) (status int, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	client := s.clients[u.Scheme]
	if client == nil {
		return 0, fmt.Errorf("%w: scheme %q", errRefused, u.Scheme)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(m.Body))
	if err != nil {
		return 0, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", "Foresight-Webhooks/1")
	q.Header.Set(HeaderEvent, string(m.Event))
	q.Header.Set(HeaderDelivery, m.ID.String())
	q.Header.Set(HeaderSignature, sign(key, s.now(), m.Body))
	p, err := client.Do(q)
	if err != nil {
		return 0, err
	}
	defer p.Body.Close()
	_, _ = io.CopyN(io.Discard, p.Body, maxAnswer) // what it says does not matter
	return p.StatusCode, nil
}

// sign returns `t=<Unix seconds>,v1=<hex>`: the HMAC-SHA256 of the time, a full stop
// and the body, so that neither can be changed or sent again later.
func sign(key []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

func failureOf(err error) Failure {
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	var network net.Error
	switch {
	case errors.Is(err, errRefused):
		return Refused
	case errors.As(err, &verification), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return TLS
	case errors.As(err, &network) && network.Timeout():
		return Timeout
	}
	return Unreachable
}
