package graph_test

import (
	"bytes"
	"net/http"
	"testing"

	"foresight/graph/limits"
	"foresight/internal/limit"
)

func TestRateLimit(t *testing.T) {
	r := newRig(t)
	r.quota = limits.Quota{Tenant: limit.Rate{Capacity: 4_000_000, PerSecond: 0.5}}
	got := r.data("acme/viewer", `{ rateLimit { maxCost tenant { capacity remaining perSecond resetsAt } credential { capacity remaining perSecond resetsAt } } }`)["rateLimit"]
	if at(got, "maxCost") != 1e6 || at(got, "tenant", "capacity") != 4e6 || at(got, "credential", "capacity") != 2e6 || at(got, "credential", "perSecond") != 0.25 ||
		at(got, "credential", "remaining").(float64) >= 2e6 || at(got, "tenant", "resetsAt") == nil {
		t.Errorf("%v", got)
	}
	if a := r.ask("", `{ rateLimit { maxCost } }`); a.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
		t.Errorf("nobody: %s", a.raw)
	}
	// A few fit into the credential's bucket.
	const dear = `{"query":"{ assets(first: 100) { nodes { sensors { asset { sensors { asset { sensors { asset { code name id } } } } } } } } }"}`
	var last *http.Response
	for i := range 40 {
		q, err := http.NewRequestWithContext(t.Context(), "POST", r.URL, bytes.NewReader([]byte(dear)))
		r.ok(err)
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "acme/viewer")
		last, err = http.DefaultClient.Do(q)
		r.ok(err)
		_ = last.Body.Close()
		if last.StatusCode != http.StatusOK {
			t.Logf("refused after %d", i)
			break
		}
	}
	if last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", last.StatusCode, last.Header.Get("Retry-After"))
	}
	if a := r.ask("acme/operator", `{ rateLimit { maxCost } }`); len(a.Errors) > 0 {
		t.Errorf("another credential: %s", a.raw)
	}
}
