package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

type metrics struct {
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		duration: prometheus.NewHistogramVec(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_http_request_duration_seconds", Help: "Time to answer, by route, method and status.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}), []string{"route", "method", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "foresight_http_requests_in_flight", Help: "Requests being answered."}),
	}
	if r != nil {
		r.MustRegister(m.duration, m.inFlight)
	}
	return m
}

// notes is what inner middleware tells the access log.
type notes struct{ actor *tenancy.Actor }

type notesKey struct{}

func told(ctx context.Context, a *tenancy.Actor) {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		n.actor = a
	}
}

// observe logs and measures each request when it has been answered, and tells the
// time in X-Process-Time (seconds until the first byte).
func (a *API) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		a.metrics.inFlight.Inc()
		n := &notes{}
		sw := &statusWriter{ResponseWriter: w, begin: begin}
		ctx, followed := a.follow(context.WithValue(r.Context(), notesKey{}, n), r)
		r = r.WithContext(ctx)
		defer func() {
			a.metrics.inFlight.Dec()
			took := time.Since(begin)
			followed(sw.code())
			if r.Header.Get("Upgrade") == "" { // a connection's life is no latency
				a.metrics.duration.WithLabelValues(route(r), method(r), strconv.Itoa(sw.code())).Observe(took.Seconds())
			}
			attrs := []any{"method", r.Method, "path", r.URL.Path, "status", sw.code(), "bytes", sw.bytes,
				"took", took, "remote", a.Remote(r), "request_id", obs.RequestID(r.Context())}
			if n.actor != nil {
				attrs = append(attrs, "tenant_id", n.actor.TenantID, "actor_kind", n.actor.Kind, "actor_id", n.actor.ID)
			}
			level := slog.LevelInfo
			if p := route(r); p != "/graphql" && p != "/oauth/token" && sw.code() < 400 {
				level = slog.LevelDebug // probes and files
			}
			a.c.Log.Log(r.Context(), level, "request", attrs...)
		}()
		next.ServeHTTP(sw, r)
	})
}

// route returns the bounded name of the request's route for metrics.
func route(r *http.Request) string {
	switch p := r.URL.Path; p {
	case "/graphql", "/oauth/token", "/healthz", "/readyz", "/status", "/metrics", "/schema.graphql", "/.well-known/jwks.json":
		return p
	}
	return "/"
}

func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead:
		return r.Method
	}
	return "other"
}

// statusWriter remembers the status and the size. http.ResponseController reaches
// the connection through Unwrap.
type statusWriter struct {
	http.ResponseWriter
	begin  time.Time
	status int
	bytes  int64
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func (w *statusWriter) WriteHeader(code int) {
	if w.status == 0 && code >= 200 || code == http.StatusSwitchingProtocols {
		w.status = code
		w.Header().Set("X-Process-Time", strconv.FormatFloat(time.Since(w.begin).Seconds(), 'f', 6, 64))
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}
