package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// sampleEvery is how often a soak looks at every process; the first warmUp of its time,
// in which caches fill, is not judged.
const (
	sampleEvery = 10 * time.Second
	warmUp      = 0.25
)

// fewestSamples show a trend; a short soak on a slow machine lasts until there are as many.
const fewestSamples = 5

// soakFor is how long the soak lasts, FORESIGHT_SOAK, such as 1h, and how often it looks;
// without the setting as long as it takes to see that it works.
func soakFor(t testing.TB) (d, every time.Duration, judged bool) {
	text := os.Getenv("FORESIGHT_SOAK")
	if text == "" {
		return 3 * time.Second, 400 * time.Millisecond, false
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("FORESIGHT_SOAK: %v", err)
	}
	return d, min(sampleEvery, d/15), true
}

// What is sampled of each process, with what it may differ by without being a leak.
var soaked = []struct {
	name  string
	floor float64
	of    func(*testing.T, *member, map[string]*dto.MetricFamily) float64
}{
	{"goroutines", 20, gauge("go_goroutines")},
	{"heap MiB", 8, gauge("go_memstats_heap_alloc_bytes", 1<<20)},
	{"resident MiB", 16, gauge("process_resident_memory_bytes", 1<<20)},
	{"open files", 8, func(t *testing.T, m *member, _ map[string]*dto.MetricFamily) float64 { return float64(len(m.files(t))) }},
	{"sockets", 8, func(t *testing.T, m *member, _ map[string]*dto.MetricFamily) float64 {
		n := 0
		for _, f := range m.files(t) {
			if strings.HasPrefix(f, "socket:") {
				n++
			}
		}
		return float64(n)
	}},
}

func gauge(family string, unit ...float64) func(*testing.T, *member, map[string]*dto.MetricFamily) float64 {
	return func(t *testing.T, m *member, families map[string]*dto.MetricFamily) (sum float64) {
		if len(families[family].GetMetric()) == 0 {
			t.Fatalf("%s does not tell %s", m.name, family)
		}
		for _, x := range families[family].GetMetric() {
			sum += x.GetGauge().GetValue()
		}
		for _, u := range unit {
			sum /= u
		}
		return sum
	}
}

// files are what the process has open.
func (m *member) files(t testing.TB) (out []string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", m.cmd.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil { // it may be closed by now
			out = append(out, to)
		}
	}
	return out
}

// A long steady load, with gateways and subscribers that come and go: goroutines, heap,
// open files and connections of every process stay flat, and nothing is lost.
func TestSoak(t *testing.T) {
	lasts, every, judged := soakFor(t)
	in := settled(t)
	token, err := in.login(t.Context(), alpha, "viewer")
	if err != nil {
		t.Fatal(err)
	}
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, 100)
	members := append([]*member{in.api, in.ingest}, in.workers...)
	var names []string // of the series, in their order
	series := map[string][]float64{}
	floors := map[string]float64{}
	sample := func(name string, floor, value float64) {
		if _, known := floors[name]; !known {
			names, floors[name] = append(names, name), floor
		}
		series[name] = append(series[name], value)
	}
	samples := 0
	for end := time.Now().Add(lasts); time.Now().Before(end) || samples < fewestSamples; samples++ {
		for range 5 {
			in.visit(t, token)
		}
		lasting(t, every)
		for _, m := range members {
			families := in.scrape(t, m)
			for _, s := range soaked {
				sample(m.name+": "+s.name, s.floor, s.of(t, m, families))
			}
		}
		var n float64
		if err := in.db.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE usename IN ('foresight_app', 'foresight_worker')`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		sample("PostgreSQL: connections", 4, n)
	}
	l.finish(t)
	v := l.judge(t, alpha, fmt.Sprintf("soak of %s", lasts))
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "soak of %s, %d samples, judged after %.0f %% of them\twarm\tend\tlowest\thighest\ttrend\t±\tallowed\t\n", lasts, samples, 100*warmUp)
	growing := 0
	for _, name := range names {
		ys := series[name][int(warmUp*float64(samples)):]
		g, verdict := growth(ys), "flat"
		if !g.flat(floors[name]) {
			verdict = "GROWS"
			growing++
			if judged {
				t.Errorf("%s grows by %.1f ± %.1f", name, g.total, g.uncertain)
			}
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%+.1f\t%.1f\t%.1f\t%s\n", name, ys[0], ys[len(ys)-1], slices.Min(ys), slices.Max(ys),
			g.total, g.uncertain, g.allowed(floors[name]), verdict)
	}
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
	verdict := "flat"
	switch {
	case !judged:
		verdict = "too short to judge"
	case growing > 0:
		verdict = fmt.Sprintf("%d series grow", growing)
	}
	figure("soak of %s at %d readings/s: %s; %d acknowledged, %d lost, %d duplicated, %d out of order", lasts, moderate, verdict, v.acknowledged, v.lost, v.duplicated, v.disordered)
}

// visit opens a stream of readings as a browser does, reads something of it and leaves.
func (in *installation) visit(t testing.TB, token string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	body, err := json.Marshal(map[string]string{"query": `subscription { telemetry { snapshot reading { timestamp } } }`})
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, in.api.url()+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := web.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := res.Body.Read(make([]byte, 4096)); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("a subscriber gets %s, %v", res.Status, err)
	}
}
