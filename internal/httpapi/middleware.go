package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"foresight/internal/fault"
	"foresight/internal/obs"
	"foresight/internal/secret"
)

// withRequestID gives every request an id; one that a proxy gave is kept when it is harmless.
func (a *API) withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !harmless(id) {
			id = secret.Text(12)
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(obs.WithRequestID(r.Context(), id)))
	})
}

func harmless(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	return strings.IndexFunc(id, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}) < 0
}

// recover turns a panic into 500 and logs its stack.
func (a *API) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
				panic(v)
			}
			a.c.Log.ErrorContext(r.Context(), "panic in a handler", "panic", fmt.Sprint(v), "stack", string(debug.Stack()),
				"request_id", obs.RequestID(r.Context()))
			a.refuse(w, r, http.StatusInternalServerError, fault.New(fault.Internal, "error.internal"))
		}()
		next.ServeHTTP(w, r)
	})
}

// headers sets what every answer carries. The policy of pages is stricter still, see spa.go.
func (a *API) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if a.c.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// cors lets pages of the allowed origins call, and refuses requests that change
// something and come from pages of any other.
func (a *API) cors(next http.Handler) http.Handler {
	forged := http.NewCrossOriginProtection()
	for _, o := range a.c.Origins {
		if err := forged.AddTrustedOrigin(o); err != nil {
			panic("httpapi: allowed origin: " + err.Error())
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin != "" {
			w.Header().Add("Vary", "Origin")
		}
		if origin != "" && slices.Contains(a.c.Origins, origin) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", "X-Request-Id, X-Process-Time, Retry-After")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
				h.Set("Access-Control-Allow-Headers", "Accept, Accept-Language, Authorization, Content-Type, X-API-Key, X-Request-Id, Traceparent")
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		if err := forged.Check(r); err != nil {
			a.refuse(w, r, http.StatusForbidden, fault.New(fault.Forbidden, "error.http.origin").Because(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localize puts the language of Accept-Language into the context.
func (a *API) localize(next http.Handler) http.Handler {
	if a.c.Localize == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(a.c.Localize(r.Context(), r.Header.Get("Accept-Language"), "")))
	})
}

// bodyTimeout is how long a client may take to send a body.
const bodyTimeout = 30 * time.Second

// limitBody bounds the size of a body and the time to send it.
func (a *API) limitBody(next http.Handler) http.Handler { return a.limitBodyTo(a.c.MaxBody, next) }

func (a *API) limitBodyTo(most int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody && r.Header.Get("Upgrade") == "" {
			rc := http.NewResponseController(w)
			_ = rc.SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer has one
			r.Body = &timedBody{http.MaxBytesReader(w, r.Body, most), rc}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody takes the deadline back when the body has been read, as the
// connection goes on to be watched for the client's leaving.
type timedBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}
