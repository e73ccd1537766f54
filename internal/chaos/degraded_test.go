package chaos

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// readiness is what a process says at /readyz.
type readiness struct {
	code   int
	Status string
	Checks map[string]struct {
		Status, Reason string
		Needed         bool
		Affects        []string
	}
}

func (m *member) ready(t testing.TB) (r readiness) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url()+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := web.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	r.code = res.StatusCode
	return r
}

// says waits until the process tells so of the dependency, by its readiness and by its
// metrics.
func (in *installation) says(t testing.TB, m *member, dependency, status string, code int) {
	t.Helper()
	var last readiness
	defer func() {
		if t.Failed() {
			t.Logf("%s says %+v", m.name, last)
		}
	}()
	within(t, patience, m.name+" says of "+dependency+" that it is "+status, func() bool {
		last = m.ready(t)
		if last.Checks[dependency].Status != status || last.code != code {
			return false
		}
		// Asked a moment later, one that waited too long for an answer says otherwise.
		return (in.metric(t, m, "foresight_dependency_up", "dependency", dependency) == 1) == (status == "up")
	})
	if c := last.Checks[dependency]; status == "down" && (c.Reason == "" || len(c.Affects) == 0) {
		t.Errorf("%s: %s is down without reason or effect: %+v", m.name, dependency, c)
	}
}

// Without PostgreSQL readings are still taken: the door of devices needs the log alone,
// once it has started. What is acknowledged meanwhile is stored when PostgreSQL is back.
func TestNoPostgreSQL(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, either(200, 3000))
	data := filepath.Join(in.dir(), "postgres", "data")
	if err := os.Rename(data, data+".away"); err != nil { // it cannot come back by itself
		t.Fatal(err)
	}
	if err := syscall.Kill(in.postgres.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Rename(data+".away", data) }) // when the test fails meanwhile
	begin := time.Now()
	in.says(t, in.api, "postgresql", "down", http.StatusServiceUnavailable)
	in.says(t, in.ingest, "postgresql", "down", http.StatusOK)
	in.says(t, in.workers[0], "postgresql", "down", http.StatusServiceUnavailable)
	l.flows(t, either(500, 15000)) // acknowledged without it
	_, acknowledged := l.ledger.count()
	if err := os.Rename(data+".away", data); err != nil {
		t.Fatal(err)
	}
	in.says(t, in.api, "postgresql", "up", http.StatusOK)
	back := time.Now()
	in.db.Reset() // of connections that broke
	within(t, patience, "what was acknowledged is stored", func() bool { return len(in.stored(t, alpha)) >= acknowledged })
	figure("no PostgreSQL for %.1f s: %d readings acknowledged by its end, caught up %.1f s after it is back, longest silence of acknowledgements %.2f s",
		back.Sub(begin).Seconds(), acknowledged, time.Since(back).Seconds(), l.ledger.silence(begin, back).Seconds())
	l.finish(t)
	l.judge(t, alpha, "no PostgreSQL")
	settled(t)
	for _, m := range append([]*member{in.api, in.ingest}, in.workers...) {
		in.says(t, m, "postgresql", "up", http.StatusOK)
	}
}

// A tenant's model cannot be loaded: its readings are stored without predictions, the
// workers say so and stay ready, and predictions go on when it can be loaded.
func TestNoModel(t *testing.T) {
	in := settled(t)
	assign := func(artifact string) (before string) {
		t.Helper()
		if err := in.db.QueryRow(t.Context(), `
			UPDATE ml_model_versions v SET artifact_path = $2 FROM ml_model_versions before, ml_models m, tenants t, ml_model_deployments d
			WHERE before.id = v.id AND m.id = v.model_id AND m.type = 'fault_classification' AND t.id = v.tenant_id AND t.code = $1
				AND d.model_version_id = v.id AND d.is_production AND d.deployment_end IS NULL
			RETURNING before.artifact_path`, alpha, artifact).Scan(&before); err != nil {
			t.Fatal(err)
		}
		if _, err := in.db.Exec(t.Context(), `UPDATE ml_model_deployments SET is_production = is_production`); err != nil { // processes follow this table
			t.Fatal(err)
		}
		return before
	}
	called := func(outcome string) (sum float64) {
		for _, w := range in.workers {
			sum += in.metric(t, w, "foresight_pipeline_model_calls_total", "outcome", outcome)
		}
		return sum
	}
	l := in.start(t, alpha, moderate, 64)
	predicted := called("ok")
	within(t, patience, "windows are full and predictions are made", func() bool { return called("ok") > predicted })

	shipped := assign("sha256:0000000000000000000000000000000000000000000000000000000000000000")
	back := sync.OnceFunc(func() { assign(shipped) })
	defer back() // when the test fails meanwhile
	begin := time.Now()
	for _, w := range in.workers {
		in.says(t, w, "model", "down", http.StatusOK)
		if c := w.ready(t).Checks["model"]; c.Reason != "not_loaded" {
			t.Errorf("%s: %+v", w.name, c)
		}
	}
	said := time.Since(begin)
	within(t, patience, "nothing is predicted without a model", func() bool { // but what was begun with one
		predicted = called("ok")
		l.flows(t, either(200, 5000))
		return called("ok") == predicted
	})
	begin = time.Now()
	back()
	within(t, patience, "predictions are made again", func() bool { return called("ok") > predicted })
	figure("no model: said after %.1f s, predictions go on %.1f s after it is back", said.Seconds(), time.Since(begin).Seconds())
	for _, w := range in.workers {
		in.says(t, w, "model", "up", http.StatusOK)
	}
	l.finish(t)
	l.judge(t, alpha, "no model")
}
