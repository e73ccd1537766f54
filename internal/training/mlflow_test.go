package training_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/testkit"
	"foresight/internal/training"
)

// tracking is an HTTP server that takes what an MLflow server takes, and refuses what
// that refuses.
type tracking struct {
	testing.TB
	mu          sync.Mutex
	experiments map[string]string
	runs        []*tracked
	calls       []string
	failures    int // further calls that fail
}

type tracked struct {
	id, experiment, name, status string
	start, end                   int64
	tags, params                 map[string]string
	metrics                      map[string]map[int64]float64 // by step
}

type pair struct{ Key, Value string }

// read decodes a request whose fields must all be known.
func (s *tracking) read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || r.Header.Get("Content-Type") != "application/json" {
		s.refuse(w, 400, "INVALID_PARAMETER_VALUE", fmt.Sprint(err))
		return false
	}
	return true
}

func (s *tracking) refuse(w http.ResponseWriter, status int, code, text string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error_code": code, "message": text})
}

func (s *tracking) run(w http.ResponseWriter, id string) *tracked {
	i := slices.IndexFunc(s.runs, func(t *tracked) bool { return t.id == id })
	if i < 0 {
		s.refuse(w, 404, "RESOURCE_DOES_NOT_EXIST", "no run "+id)
		return nil
	}
	return s.runs[i]
}

// ServeHTTP implements http.Handler.
func (s *tracking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	if r.Header.Get("Authorization") != "Bearer let-me-in" {
		s.refuse(w, 401, "UNAUTHENTICATED", "who are you")
		return
	}
	if s.failures > 0 && strings.HasSuffix(r.URL.Path, "/log-batch") {
		s.failures--
		s.refuse(w, 503, "TEMPORARILY_UNAVAILABLE", "later")
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/2.0/mlflow/experiments/get-by-name":
		name := r.URL.Query().Get("experiment_name")
		if s.experiments[name] == "" {
			s.refuse(w, 404, "RESOURCE_DOES_NOT_EXIST", "no experiment "+name)
			return
		}
		answer(map[string]any{"experiment": map[string]string{"experiment_id": s.experiments[name], "name": name}})
	case "POST /api/2.0/mlflow/experiments/create":
		var q struct{ Name string }
		if s.read(w, r, &q) {
			s.experiments[q.Name] = fmt.Sprint(len(s.experiments) + 1)
			answer(map[string]string{"experiment_id": s.experiments[q.Name]})
		}
	case "POST /api/2.0/mlflow/runs/search":
		var q struct {
			Experiments []string `json:"experiment_ids"`
			Filter      string   `json:"filter"`
			Most        int      `json:"max_results"`
		}
		if !s.read(w, r, &q) {
			return
		}
		var found []any
		for _, t := range s.runs {
			if slices.Contains(q.Experiments, t.experiment) && q.Filter == "tags.foresight_run = '"+t.tags["foresight_run"]+"'" {
				found = append(found, map[string]any{"info": map[string]string{"run_id": t.id}})
			}
		}
		answer(map[string]any{"runs": found})
	case "POST /api/2.0/mlflow/runs/create":
		var q struct {
			Experiment string `json:"experiment_id"`
			Name       string `json:"run_name"`
			Start      int64  `json:"start_time"`
			Tags       []pair
		}
		if !s.read(w, r, &q) {
			return
		}
		t := &tracked{id: fmt.Sprintf("r%d", len(s.runs)+1), experiment: q.Experiment, name: q.Name, start: q.Start, status: "RUNNING",
			tags: map[string]string{}, params: map[string]string{}, metrics: map[string]map[int64]float64{}}
		for _, p := range q.Tags {
			t.tags[p.Key] = p.Value
		}
		s.runs = append(s.runs, t)
		answer(map[string]any{"run": map[string]any{"info": map[string]string{"run_id": t.id}}})
	case "POST /api/2.0/mlflow/runs/log-batch":
		s.logBatch(w, r)
	case "POST /api/2.0/mlflow/runs/update":
		var q struct {
			Run    string `json:"run_id"`
			Status string
			End    int64 `json:"end_time"`
		}
		if !s.read(w, r, &q) {
			return
		}
		if t := s.run(w, q.Run); t != nil {
			t.status, t.end = q.Status, q.End
			answer(map[string]any{"run_info": map[string]string{"run_id": t.id}})
		}
	default:
		s.refuse(w, 404, "ENDPOINT_NOT_FOUND", r.URL.Path)
	}
}

func (s *tracking) logBatch(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Run     string `json:"run_id"`
		Metrics []struct {
			Key       string
			Value     *float64
			Timestamp *int64
			Step      int64
		}
		Params []pair
	}
	if !s.read(w, r, &q) {
		return
	}
	if len(q.Metrics) > 1000 || len(q.Params) > 100 || len(q.Metrics)+len(q.Params) > 1000 {
		s.refuse(w, 400, "INVALID_PARAMETER_VALUE", "too much at once")
		return
	}
	t := s.run(w, q.Run)
	if t == nil {
		return
	}
	for _, p := range q.Params {
		if was, there := t.params[p.Key]; there && was != p.Value || len(p.Value) > 500 || p.Key == "" {
			s.refuse(w, 400, "INVALID_PARAMETER_VALUE", "parameter "+p.Key)
			return
		}
		t.params[p.Key] = p.Value
	}
	for _, m := range q.Metrics {
		if m.Value == nil || m.Timestamp == nil || *m.Timestamp < 1e12 || strings.ContainsAny(m.Key, "\\:;") {
			s.refuse(w, 400, "INVALID_PARAMETER_VALUE", "metric "+m.Key)
			return
		}
		if t.metrics[m.Key] == nil {
			t.metrics[m.Key] = map[int64]float64{}
		}
		t.metrics[m.Key][m.Step] = *m.Value
	}
	_, _ = io.WriteString(w, "{}")
}

// A run that ended is mirrored, whatever became of it: once, also when the server was
// away for a while.
func TestRunsAreMirrored(t *testing.T) {
	w := plain(t, nil)
	server := &tracking{TB: t, experiments: map[string]string{}, failures: 1}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	register := &flaky{Versions: w.options.Versions}
	s := w.with(func(o *training.Options) {
		o.Mirror, o.Versions = &training.MLflow{URL: listening.URL + "/", Token: "let-me-in"}, register
	})
	w.workOf(s)
	r, err := s.Start(w.engineer(), w.uploads(w.engineer(), 40))
	w.ok(err)
	r = w.ended(w.engineer(), r.ID)
	if r.Status != enum.JobSucceeded {
		t.Fatalf("%+v", r)
	}
	ended := func(n int) *tracked {
		server.mu.Lock()
		defer server.mu.Unlock()
		if len(server.runs) < n || server.runs[n-1].status == "RUNNING" {
			return nil
		}
		return server.runs[n-1]
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return ended(1) != nil })
	got := ended(1)
	if got.status != "FINISHED" || got.name != r.ID.String() || got.start != r.Begun.UnixMilli() || got.end != r.FinishedAt.UnixMilli() || got.tags["foresight_source"] != "upload" {
		t.Errorf("%+v", got)
	}
	if got.params["max_depth"] != "4" || got.params["dataset_hash"] != *r.Dataset || got.params["rows"] != fmt.Sprint(r.Rows) {
		t.Errorf("parameters %v", got.params)
	}
	if v := got.metrics["test/f1"]; v[0] != r.Metrics["test"]["f1"] || len(got.metrics["validation/curve"]) == 0 {
		t.Errorf("metrics %v, of the run %v", v, r.Metrics["test"])
	}
	if n := len(server.experiments); n != 1 {
		t.Errorf("%d experiments", n)
	}
	// A failed one, in the same experiment.
	register.with = fault.New(fault.BadInput, "error.training.kind")
	r, err = s.Start(w.engineer(), w.uploads(w.engineer(), 40))
	w.ok(err)
	if r = w.ended(w.engineer(), r.ID); r.Status != enum.JobFailed {
		t.Fatalf("%+v", r)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return ended(2) != nil })
	if got := ended(2); got.status != "FAILED" || got.experiment != "1" || got.params["error"] != "error.training.kind" {
		t.Errorf("%+v", got)
	}
}

// What is too much for one call goes in several, each within the limits.
func TestLogBatchKeepsToTheLimits(t *testing.T) {
	server := &tracking{TB: t, experiments: map[string]string{}, runs: []*tracked{{id: "r1", params: map[string]string{}, metrics: map[string]map[int64]float64{}}}}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	m := &training.MLflow{URL: listening.URL, Token: "let-me-in"}
	if err := training.LogBatch(t.Context(), m, "r1", 250, 2500); err != nil {
		t.Fatal(err)
	}
	got := server.runs[0]
	if len(got.params) != 250 || len(got.metrics["m"]) != 2500 || len(server.calls) != 3 {
		t.Errorf("%d parameters and %d metrics in %d calls", len(got.params), len(got.metrics["m"]), len(server.calls))
	}
	if err := training.LogBatch(t.Context(), m, "r2", 1, 1); err == nil || !strings.Contains(err.Error(), "RESOURCE_DOES_NOT_EXIST") {
		t.Errorf("an unknown run: %v", err)
	}
	m.Token = "wrong"
	if err := training.LogBatch(t.Context(), m, "r1", 1, 1); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong token: %v", err)
	}
}
