package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"foresight/internal/vitals"
)

// Vitals asks what the process depends on. *vitals.Monitor does.
type Vitals interface {
	Check(ctx context.Context) []vitals.State
}

// The states of a check and of the whole.
const (
	statusUp       = "up"
	statusDegraded = "degraded"
	statusDown     = "down"
	statusDraining = "draining"
)

type checkResult struct {
	Status    string            `json:"status"`
	Needed    bool              `json:"needed"` // without it the process is not ready
	Reason    vitals.Reason     `json:"reason,omitempty"`
	Since     time.Time         `json:"since"`
	Affects   []vitals.Function `json:"affects,omitempty"` // while it is down
	LatencyMS float64           `json:"latencyMs"`
}

type readiness struct {
	Status string                 `json:"status"`
	Checks map[string]checkResult `json:"checks"`
}

// healthz says that the process answers; it looks at nothing else: a process that is
// started again does not mend what it depends on.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, map[string]string{"status": statusUp})
}

// readyz says whether requests can be served: 503 while a needed dependency fails or
// the process drains; one that is not needed degrades it. Errors themselves are in the
// log, not in the answer.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	out := readiness{statusUp, map[string]checkResult{}}
	code := http.StatusOK
	var states []vitals.State
	if a.c.Vitals != nil {
		states = a.c.Vitals.Check(r.Context())
	}
	for _, s := range states {
		c := checkResult{Status: statusUp, Needed: s.Needed, Since: s.Since.UTC(), LatencyMS: float64(s.Latency.Microseconds()) / 1000}
		if !s.Up {
			c.Status, c.Reason, c.Affects = statusDown, s.Reason, s.Affects
		}
		out.Checks[s.Name] = c
		switch {
		case s.Up:
		case s.Needed:
			out.Status, code = statusDown, http.StatusServiceUnavailable
		case code == http.StatusOK:
			out.Status = statusDegraded
		}
	}
	if a.draining.Load() {
		out.Status, code = statusDraining, http.StatusServiceUnavailable
	}
	writeHealth(w, code, out)
}

func writeHealth(w http.ResponseWriter, code int, v any) {
	b, _ := json.Marshal(v) // plain values
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(b) // the client has gone
}
