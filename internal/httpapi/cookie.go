package httpapi

import (
	"context"
	"net/http"
	"time"
)

// refreshCookie holds the refresh token of a browser. Scripts cannot read it, other
// sites cannot send it, and it is sent to the graph only.
const refreshCookie = "foresight_refresh"

type cookiesKey struct{}

type cookies struct {
	w      http.ResponseWriter
	token  string
	secure bool
}

// withCookies lets resolvers read and set the refresh cookie.
func (a *API) withCookies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &cookies{w: w, secure: a.c.Secure}
		if k, err := r.Cookie(refreshCookie); err == nil {
			c.token = k.Value
		}
		if r.Header.Get("Upgrade") != "" {
			c.w = nil // the answer's header has been sent when an operation runs
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), cookiesKey{}, c)))
	})
}

// RefreshCookie returns the refresh token that the browser sent, "" when there is none.
func RefreshCookie(ctx context.Context) string {
	if c, ok := ctx.Value(cookiesKey{}).(*cookies); ok {
		return c.token
	}
	return ""
}

// SetRefreshCookie keeps the token in the browser for so long; "" removes it. It
// returns false where no cookie can be set (WebSocket): then the token must be
// returned in the body. Mutations run one after another, so it needs no lock.
func SetRefreshCookie(ctx context.Context, token string, ttl time.Duration) bool {
	c, ok := ctx.Value(cookiesKey{}).(*cookies)
	if !ok || c.w == nil {
		return false
	}
	k := &http.Cookie{Name: refreshCookie, Value: token, Path: "/graphql", HttpOnly: true, Secure: c.secure,
		SameSite: http.SameSiteStrictMode, MaxAge: int(ttl.Seconds())}
	if token == "" {
		k.MaxAge = -1
	}
	http.SetCookie(c.w, k)
	c.token = token
	return true
}
