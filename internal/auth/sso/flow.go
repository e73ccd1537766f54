package sso

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"foresight/internal/secret"
)

// flowTTL is how long a person may take to sign in at the provider.
const flowTTL = 10 * time.Minute

// maxFlow bounds the cookie in bytes.
const maxFlow = 2048

// flow is a sign-in on its way. It is kept in a cookie of the browser that began it,
// which no page can read and no other site can set: the state that comes back must be
// the browser's own.
type flow struct {
	Provider string `json:"p"`
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // of PKCE
	Return   string `json:"r"` // where to go after
	Until    int64  `json:"u"` // Unix seconds
}

func newFlow(provider, after string, now time.Time) *flow {
	return &flow{Provider: provider, State: secret.Text(24), Nonce: secret.Text(24), Verifier: oauth2.GenerateVerifier(),
		Return: inside(after), Until: now.Add(flowTTL).Unix()}
}

// inside returns the path when it leads into the application, "/" otherwise.
func inside(path string) string {
	u, err := url.Parse(path)
	if err != nil || len(path) > 500 || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

func (h *Handler) cookieName() string {
	if h.c.Secure {
		return "__Host-foresight_sso" // set by this host over TLS, for all of it, or refused by the browser
	}
	return "foresight_sso"
}

func (h *Handler) keep(w http.ResponseWriter, f *flow) {
	c := &http.Cookie{Name: h.cookieName(), Path: "/", HttpOnly: true, Secure: h.c.Secure, SameSite: http.SameSiteLaxMode, MaxAge: -1}
	if f != nil {
		b, _ := json.Marshal(f) // strings only
		c.Value, c.MaxAge = base64.RawURLEncoding.EncodeToString(b), int(flowTTL.Seconds())
	}
	http.SetCookie(w, c)
}

// kept returns the flow of the browser, nil when there is none that is not over.
func (h *Handler) kept(r *http.Request) *flow {
	c, err := r.Cookie(h.cookieName())
	if err != nil || len(c.Value) > maxFlow {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	var f flow
	if json.Unmarshal(b, &f) != nil || f.State == "" || f.Nonce == "" || f.Verifier == "" || h.c.Now().Unix() >= f.Until {
		return nil
	}
	f.Return = inside(f.Return)
	return &f
}
