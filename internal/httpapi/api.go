package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/limit"
	"foresight/internal/obs/tracing"
	"foresight/internal/plant/picture"
)

// Authenticator verifies a credential: an Authorization header, or auth.KeyScheme
// with an API key. *auth.Service is one.
type Authenticator interface {
	Authenticate(ctx context.Context, credential string) (*auth.Grant, error)
}

// Config are the parts of the API. Handlers that are nil have no route.
type Config struct {
	Graph   http.Handler // /graphql
	Token   http.Handler // POST /oauth/token
	SignIn  http.Handler // /auth/: sign-in by other providers; it may use SetRefreshCookie
	Metrics http.Handler // /metrics
	Auth    Authenticator
	JWKS    func() []byte // /.well-known/jwks.json
	Schema  string        // SDL for /schema.graphql
	Images  Images        // pictures of machines, /assets/{id}/image
	Web     fs.FS         // files of the web application; nil: not built
	Vitals  Vitals        // of /readyz; nil: always ready
	Status  Status        // /status

	Files     Files // /uploads and /exports
	MaxUpload int64 // bytes of an upload, required with Files
	MaxModel  int64 // bytes of a model, required with Files

	// GraphError writes a GraphQL result that is one error, for requests to
	// /graphql that do not get so far. Required with Graph.
	GraphError func(w http.ResponseWriter, r *http.Request, status int, f *fault.Error)
	// Message is what people read of a fault; the name of the status when nil.
	Message func(ctx context.Context, f *fault.Error) string
	// Localize puts what fits the Accept-Language header (and the person's own
	// language, "" when unknown) into the context. May be nil.
	Localize func(ctx context.Context, acceptLanguage, personal string) context.Context

	Secure         bool           // browsers come over TLS: HSTS and Secure cookies
	Origins        []string       // other origins that browsers may call from, "https://host"
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	MaxBody        int64          // bytes of a request [1 MiB]
	Rate           limit.Rate     // requests of a credential, or an address without one [200, 100 per second]

	Tracer     *tracing.Tracer       // nil: nothing is followed
	Log        *slog.Logger          // [slog.Default()]
	Registerer prometheus.Registerer // no metrics when nil
}

// API is the handler of everything. It is safe for concurrent use.
type API struct {
	c        Config
	handler  http.Handler
	limiter  *limit.Limiter
	metrics  *metrics
	draining atomic.Bool
}

// New returns the API.
func New(c Config) *API {
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Rate.PerSecond == 0 {
		c.Rate.PerSecond = 100
	}
	if c.Rate.Capacity == 0 {
		c.Rate.Capacity = 200
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Graph != nil && (c.GraphError == nil || c.Auth == nil) {
		panic("httpapi: Graph needs GraphError and Auth")
	}
	a := &API{c: c, limiter: limit.NewLimiter(c.Rate, nil), metrics: newMetrics(c.Registerer)}
	mux := http.NewServeMux()
	// Probes and metrics are answered whatever the rate, and without credentials.
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	if c.Metrics != nil {
		mux.Handle("GET /metrics", c.Metrics)
	}
	api := func(h http.Handler) http.Handler { return a.limitBody(a.identify(a.limitRate(h))) }
	if c.Images != nil {
		mux.Handle("GET /assets/{id}/image", api(http.HandlerFunc(a.image)))
		mux.Handle("POST /assets/{id}/image", a.limitBodyTo(picture.MaxBytes, a.identify(a.limitRate(http.HandlerFunc(a.setImage)))))
	}
	if c.Status != nil {
		mux.Handle("GET /status", api(http.HandlerFunc(a.status)))
	}
	if c.Files != nil {
		// One byte more: the service says what is too large.
		mux.Handle("POST /uploads", a.limitBodyTo(c.MaxUpload+1, a.identify(a.limitRate(http.HandlerFunc(a.upload)))))
		mux.Handle("POST /uploads/models", a.limitBodyTo(c.MaxModel+1, a.identify(a.limitRate(http.HandlerFunc(a.uploadModel)))))
		mux.Handle("GET /uploads/template.csv", a.limitRate(http.HandlerFunc(template)))
		mux.Handle("GET /exports/{id}", api(http.HandlerFunc(a.download)))
	}
	if c.Graph != nil {
		mux.Handle("/graphql", api(a.withCookies(c.Graph)))
	}
	if c.Token != nil {
		mux.Handle("/oauth/token", a.limitBody(a.limitRate(c.Token))) // has credentials of its own
	}
	if c.SignIn != nil {
		mux.Handle("GET /auth/", api(a.withCookies(c.SignIn)))
	}
	if c.JWKS != nil {
		mux.Handle("GET /.well-known/jwks.json", a.limitRate(document("application/json", c.JWKS)))
	}
	if c.Schema != "" {
		mux.Handle("GET /schema.graphql", a.limitRate(document("text/plain; charset=utf-8", func() []byte { return []byte(c.Schema) })))
	}
	mux.Handle("/", a.limitRate(newSPA(c.Web)))
	a.handler = a.withRequestID(a.observe(a.recover(a.headers(a.cors(a.localize(mux))))))
	return a
}

// ServeHTTP serves one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

func document(contentType string, body func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := body()
		sum := sha256.Sum256(b)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	})
}
