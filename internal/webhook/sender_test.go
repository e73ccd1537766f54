package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/testkit"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newSender(t testing.TB, o Options) *Sender {
	s := NewSender(o)
	for _, c := range s.clients { // none of these receivers is slow by itself
		c.Timeout = testkit.Patience
	}
	t.Cleanup(s.Close)
	return s
}

func TestPostSignsAndSaysWhatItIs(t *testing.T) {
	got := make(chan *http.Request, 1)
	var body []byte
	target := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		got <- r
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(make([]byte, 10<<20)) // more than anybody wants to read
	}))
	t.Cleanup(target.Close)
	roots := x509.NewCertPool()
	roots.AddCert(target.Certificate())
	s := newSender(t, Options{Allowed: loopback, Roots: roots, now: func() time.Time { return time.Unix(1700000000, 0) }})
	m := Message{id.New(id.NotificationLog), AlarmRaised, []byte(`{"a":1}`)}
	d := s.Post(t.Context(), target.URL, []byte("key"), m)
	if d.Failure != "" || d.Status != 202 || d.ID != m.ID || d.Took <= 0 {
		t.Fatalf("%+v", d)
	}
	r := <-got
	// printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
	want := "t=1700000000,v1=" + knownSum
	if string(body) != `{"a":1}` || r.Header.Get(HeaderSignature) != want || r.Header.Get(HeaderEvent) != "alarm.raised" ||
		r.Header.Get(HeaderDelivery) != m.ID.String() || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", body, r.Header)
	}
}

func TestDeliveriesThatFail(t *testing.T) {
	reached := atomic.Int32{}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(target.Close)
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.TLS = &tls.Config{}
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)
	const nobody = "http://127.0.0.1:1"
	port := target.URL[strings.LastIndex(target.URL, ":"):]
	open, guarded := newSender(t, Options{Allowed: loopback}), newSender(t, Options{})
	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for name, c := range map[string]struct {
		sender  *Sender
		ctx     context.Context
		url     string
		want    Failure
		status  int
		reaches int32
	}{
		"taken":                      {open, t.Context(), target.URL, "", 200, 1},
		"refused by the receiver":    {open, t.Context(), target.URL + "/500", Status, 500, 1},
		"a redirect is not followed": {open, t.Context(), target.URL + "/elsewhere", Status, 307, 1},
		"loopback":                   {guarded, t.Context(), target.URL, Refused, 0, 0},
		"loopback over TLS":          {guarded, t.Context(), encrypted.URL, Refused, 0, 0},
		"a name of loopback":         {guarded, t.Context(), "https://localhost" + port, Refused, 0, 0},
		"IPv4 within IPv6":           {guarded, t.Context(), "https://[::ffff:127.0.0.1]" + port, Refused, 0, 0},
		"the cloud's metadata":       {guarded, t.Context(), "http://169.254.169.254/latest/meta-data", Refused, 0, 0},
		"a foreign certificate":      {open, t.Context(), encrypted.URL, TLS, 0, 0},
		"TLS where there is none":    {open, t.Context(), "https://127.0.0.1" + port, TLS, 0, 0},
		"nobody listens":             {open, t.Context(), nobody, Unreachable, 0, 0},
		"too late":                   {open, over, target.URL, Timeout, 0, 0},
		"a file":                     {open, t.Context(), "file:///etc/passwd", Refused, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			reached.Store(0)
			d := c.sender.Post(c.ctx, c.url, []byte("k"), Message{ID: id.New(id.NotificationLog), Event: Test})
			if d.Failure != c.want || d.Status != c.status || reached.Load() != c.reaches {
				t.Errorf("%q (%v), status %d, reached %d times", d.Failure, d.Cause, d.Status, reached.Load())
			}
		})
	}
}

func TestGuard(t *testing.T) {
	tls, plain := guard{allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}, guard{allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, plain: true}
	for address, want := range map[string]string{
		"8.8.8.8": "tls", "2606:4700::1111": "tls", "10.1.2.3": "both", "::ffff:10.1.2.3": "both",
		"10.2.0.1": "", "172.16.0.1": "", "192.168.1.1": "", "127.0.0.1": "", "0.0.0.0": "", "100.64.0.1": "", "169.254.1.1": "", "224.0.0.1": "",
		"255.255.255.255": "", "198.18.0.1": "", "::": "", "::1": "", "fe80::1": "", "fe80::1%eth0": "", "fc00::1": "", "ff02::1": "", "::ffff:192.168.0.1": "",
		"64:ff9b::7f00:1": "", "2002:7f00:1::": "", "fec0::1": "",
	} {
		got := ""
		a := netip.MustParseAddr(address)
		switch {
		case tls.allows(a) && plain.allows(a):
			got = "both"
		case tls.allows(a):
			got = "tls"
		case plain.allows(a):
			got = "plain"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	if err := tls.control("tcp", "no address", nil); err == nil {
		t.Error("what is no address passes")
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"https://example.com/x", "https://127.0.0.1", "http://example.com", "https://u@h", "//h", "https://[::1%25eth0]/", "https://1.2.3.4:99999"} {
		f.Add(s)
	}
	s := &Service{sender: NewSender(Options{})}
	f.Fuzz(func(t *testing.T, text string) {
		if s.checkURL(text) == nil && (!strings.HasPrefix(strings.ToLower(text), "https://") || len(text) > maxURL) {
			t.Errorf("%q is taken", fmt.Sprintf("%.80s", text))
		}
	})
}

// knownSum was computed by openssl.
const knownSum = "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
