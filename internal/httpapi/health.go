package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Check is a dependency of readiness.
type Check struct {
	Name string
	// Optional: its failure is shown and the process serves on, degraded.
	Optional bool
	Probe    func(ctx context.Context) error
}

// checkTimeout bounds all probes of one request.
const checkTimeout = 2 * time.Second

// The states of a check and of the whole.
const (
	statusUp       = "up"
	statusDegraded = "degraded"
	statusDown     = "down"
	statusDraining = "draining"
)

type checkResult struct {
	Status    string  `json:"status"`
	LatencyMS float64 `json:"latencyMs"`
}

type readiness struct {
	Status string                 `json:"status"`
	Checks map[string]checkResult `json:"checks"`
}

// healthz says that the process answers; it looks at nothing else.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, map[string]string{"status": statusUp})
}

// readyz says whether requests can be served: 503 while a needed dependency fails
// or the process drains. What is wrong is in the log, not in the answer.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	results := make([]checkResult, len(a.c.Checks))
	var wg sync.WaitGroup
	for i, c := range a.c.Checks {
		wg.Go(func() {
			begin := time.Now()
			err := c.Probe(ctx)
			results[i] = checkResult{statusUp, float64(time.Since(begin).Microseconds()) / 1000}
			if err != nil {
				results[i].Status = statusDown
				a.c.Log.WarnContext(ctx, "not ready", "check", c.Name, "error", err)
			}
		})
	}
	wg.Wait()
	out := readiness{statusUp, map[string]checkResult{}}
	code := http.StatusOK
	for i, c := range a.c.Checks {
		out.Checks[c.Name] = results[i]
		switch {
		case results[i].Status == statusUp:
		case c.Optional && code == http.StatusOK:
			out.Status = statusDegraded
		case !c.Optional:
			out.Status, code = statusDown, http.StatusServiceUnavailable
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
