package sso

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// Config are the parts of a Handler. Zero values take the defaults in brackets.
type Config struct {
	Providers []Provider
	PublicURL *url.URL // under which browsers reach the product
	Secure    bool     // they come over TLS

	// Login begins the session: auth.Service.LoginWith.
	Login func(ctx context.Context, in auth.Identity) (*auth.Session, error)
	// Tenant returns the id of a tenant by its code; needed for providers that make accounts.
	Tenant func(ctx context.Context, code string) (id.UUID, error)
	// Keep keeps the refresh token in the browser of the request.
	Keep func(ctx context.Context, token string) bool

	HTTP *http.Client     // for the providers [with a time-out of 10 s]
	Now  func() time.Time // [time.Now]
	Log  *slog.Logger     // [slog.Default()]
}

// Handler answers below /auth/:
//
//	GET /auth/providers               the providers: [{"id", "name", "tenant"}]
//	GET /auth/{provider}/login?return=/path
//	GET /auth/{provider}/callback     for the provider, which must know this address
//
// After a sign-in the browser has the refresh cookie and is sent to the path; after a
// failure to / with ?signInError= and a word: denied, expired, unknown, disabled or
// failed. It is safe for concurrent use.
type Handler struct {
	c       Config
	clients map[string]*client
	mux     *http.ServeMux
}

// New returns the handler. Providers are discovered when they are first used.
func New(c Config) *Handler {
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	h := &Handler{c: c, clients: map[string]*client{}, mux: http.NewServeMux()}
	for _, p := range c.Providers {
		h.clients[p.ID] = &client{Provider: p, http: c.HTTP, now: c.Now, redirect: c.PublicURL.JoinPath("auth", p.ID, "callback").String()}
	}
	h.mux.HandleFunc("GET /auth/providers", h.list)
	h.mux.HandleFunc("GET /auth/{provider}/login", h.login)
	h.mux.HandleFunc("GET /auth/{provider}/callback", h.callback)
	return h
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	h.mux.ServeHTTP(w, r)
}

func (h *Handler) list(w http.ResponseWriter, _ *http.Request) {
	type item struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Tenant string `json:"tenant"`
	}
	out := make([]item, len(h.c.Providers))
	for i, p := range h.c.Providers {
		out[i] = item{p.ID, p.Name, p.Tenant}
	}
	b, _ := json.Marshal(out) // strings only
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client has gone
}

// login sends the browser to the provider.
func (h *Handler) login(w http.ResponseWriter, r *http.Request) {
	c := h.clients[r.PathValue("provider")]
	if c == nil {
		http.NotFound(w, r)
		return
	}
	conf, _, err := c.discovered(r.Context())
	if err != nil {
		h.fail(w, r, c, "failed", err)
		return
	}
	f := newFlow(c.ID, r.URL.Query().Get("return"), h.c.Now())
	h.keep(w, f)
	http.Redirect(w, r, conf.AuthCodeURL(f.State, oauth2.S256ChallengeOption(f.Verifier), nonce(f.Nonce)), http.StatusFound)
}

// callback takes the browser back.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request) {
	c := h.clients[r.PathValue("provider")]
	if c == nil {
		http.NotFound(w, r)
		return
	}
	f := h.kept(r)
	h.keep(w, nil) // used once, however it ends
	q := r.URL.Query()
	if f == nil || f.Provider != c.ID || subtle.ConstantTimeCompare([]byte(f.State), []byte(q.Get("state"))) != 1 {
		h.fail(w, r, c, "expired", errors.New("no such sign-in is on its way in this browser"))
		return
	}
	if e := q.Get("error"); e != "" {
		word := "failed"
		if e == "access_denied" {
			word = "denied"
		}
		h.fail(w, r, c, word, errors.New("the provider says "+cut(e)))
		return
	}
	in, err := c.identity(r.Context(), q.Get("code"), f)
	if err != nil {
		h.fail(w, r, c, "failed", err)
		return
	}
	if !c.admits(in.Email) {
		h.fail(w, r, c, "unknown", errors.New("the domain of the address is not let in"))
		return
	}
	if in.CreateAs = c.CreateAs; in.CreateAs != "" {
		if in.TenantID, err = h.c.Tenant(r.Context(), c.Tenant); err != nil {
			h.fail(w, r, c, "failed", err)
			return
		}
	}
	in.TenantCode = c.Tenant
	s, err := h.c.Login(r.Context(), *in)
	if err == nil && !h.c.Keep(r.Context(), s.RefreshToken) {
		err = errors.New("no cookie can be set")
	}
	if err != nil {
		h.fail(w, r, c, wordFor(err), err)
		return
	}
	http.Redirect(w, r, f.Return, http.StatusFound)
}

func wordFor(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Forbidden {
		if f.Key == "error.auth.disabled" {
			return "disabled"
		}
		return "unknown"
	}
	return "failed"
}

// fail sends the browser to the application with a word for what went wrong; the rest
// is for the log.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, c *client, word string, err error) {
	h.c.Log.WarnContext(r.Context(), "sign-in by a provider failed", "provider", c.ID, "outcome", word, "error", err)
	http.Redirect(w, r, "/?signInError="+word, http.StatusFound)
}

func cut(s string) string { return s[:min(len(s), 60)] }
