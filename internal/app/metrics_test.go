package app_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/mqtt"
	"foresight/internal/app"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// metricsDoc documents every metric; UPDATE_METRICS=1 writes it.
const metricsDoc = "../../docs/metrics.md"

// family is a metric as the process describes it.
type family struct{ name, kind, labels, help string }

var described = regexp.MustCompile(`fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)".*variableLabels: \{([^}]*)\}`)

// families lists what is registered under the product's name. The kind of one that has
// no value yet follows from its name.
func families(t testing.TB, r prometheus.Collector, scraped map[string]string) map[string]family {
	t.Helper()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		r.Describe(descriptions)
		close(descriptions)
	}()
	out := map[string]family{}
	for d := range descriptions {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("not understood: %s", d)
		}
		f := family{name: m[1], help: m[2], labels: strings.ReplaceAll(m[3], ",", ", ")}
		if !strings.HasPrefix(f.name, "foresight_") {
			continue
		}
		switch {
		case scraped[f.name] != "":
			f.kind = scraped[f.name]
		case strings.HasSuffix(f.name, "_total"):
			f.kind = "counter"
		case strings.HasSuffix(f.name, "_seconds"):
			f.kind = "histogram"
		default:
			f.kind = "gauge"
		}
		out[f.name] = f
	}
	return out
}

// scrape returns kinds by name, and the series of the product: names with labels.
func scrape(t testing.TB, a *app.App) (kinds map[string]string, series map[string]bool) {
	t.Helper()
	res, err := http.Get(a.MetricsURL())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	kinds, series = map[string]string{}, map[string]bool{}
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		line := s.Text()
		if f := strings.Fields(line); strings.HasPrefix(line, "# TYPE foresight_") {
			kinds[f[2]] = f[3]
		} else if strings.HasPrefix(line, "foresight_") {
			series[line[:strings.LastIndexByte(line, ' ')]] = true
		}
	}
	return kinds, series
}

// readMetricsDoc reads the rows of the document.
func readMetricsDoc(t testing.TB) map[string]family {
	t.Helper()
	b, err := os.ReadFile(metricsDoc)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	out := map[string]family{}
	for line := range strings.Lines(string(b)) {
		c := strings.Split(strings.TrimSpace(line), " | ")
		if len(c) != 4 || !strings.HasPrefix(c[0], "| `") {
			continue
		}
		f := family{strings.Trim(c[0], "| `"), c[1], strings.ReplaceAll(c[2], "`", ""), strings.TrimSuffix(c[3], " |")}
		out[f.name] = f
	}
	return out
}

func writeMetricsDoc(w io.Writer, all map[string]family) {
	fmt.Fprint(w, `# Metrics

What a process tells at `+"`/metrics`"+`, beside the usual metrics of Go (`+"`go_…`"+`) and of the process
(`+"`process_…`"+`). Names end with their unit; counters end with `+"`_total`"+`. Histograms have classic buckets,
and native ones where the server asks for them. A process tells what its roles do.

Labels are of small sets, but for `+"`tenant`"+`, whose values are bounded: those beyond the bound are counted
together, as `+"`other`"+` or `+"`(other)`"+`.

This page is written by `+"`UPDATE_METRICS=1 go test -run TestMetricsAreDocumented ./internal/app/`"+`; the same test
compares it with a running process.

| metric | kind | labels | meaning |
|---|---|---|---|
`)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		labels := ""
		if f.labels != "" {
			labels = "`" + strings.ReplaceAll(f.labels, ", ", "`, `") + "`"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", f.name, f.kind, labels, f.help)
	}
}

// Every metric of a running process is documented, and every documented one is there;
// none grows with assets, sensors or people.
func TestMetricsAreDocumented(t *testing.T) {
	testkit.NoLeaks(t)
	cfg := settings(t, dataDir(t))
	a, _ := started(t, cfg)
	defer stop(t, a)
	if err := a.StartDemo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	device := gateway(t, a)
	defer device.Disconnect(100)
	w := watch(t, a, login(t, a, "viewer"), `subscription { telemetry { reading { values(parameters: ["flow"]) { value } } snapshot } }`)
	defer w.close()
	machine := simulate.NewMachine(7, simulate.Profile{RatedKW: 75, NominalRPM: 2960, Mount: simulate.Rigid, Complete: true})
	now := time.Now().Add(-time.Minute)
	round := func(sensors []string, flow int) {
		for i, s := range sensors {
			for range telemetry.WindowSize {
				now = now.Add(time.Millisecond)
				sample := machine.Next(now)
				b, err := sample.Payload(simulate.Flat)
				if err != nil {
					t.Fatal(err)
				}
				publish(t, device, s, string(b))
			}
			publish(t, device, s, fmt.Sprintf(`{"flow": %d}`, flow+i))
			w.await(t, "the reading of "+s, func(f wsFrame) bool {
				return f.Type == "next" && strings.Contains(string(f.Payload), fmt.Sprint(flow+i))
			})
		}
		publish(t, device, "nobody-s1", `{}`)
	}
	round([]string{"pump-a01-s1"}, 1001)
	documented := readMetricsDoc(t)
	kinds, before := scrape(t, a)
	found := families(t, a.Registry(), kinds)
	// What only processes with an external broker have.
	beside := prometheus.NewRegistry()
	mqtt.NewBridge(mqtt.BridgeOptions{Metrics: beside})
	admit.NewDeferral(admit.DeferralOptions{Metrics: beside})
	maps.Copy(found, families(t, beside, nil))
	if os.Getenv("UPDATE_METRICS") != "" {
		f, err := os.Create(metricsDoc)
		if err != nil {
			t.Fatal(err)
		}
		writeMetricsDoc(f, found)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		documented = readMetricsDoc(t)
	}
	for name, f := range found {
		if d, ok := documented[name]; !ok {
			t.Errorf("%s is not documented", name)
		} else if d != f {
			t.Errorf("documented is %v, it is %v", d, f)
		}
		if !unit.MatchString(name) {
			t.Errorf("%s does not end with its unit", name)
		}
		for _, l := range strings.Split(f.labels, ", ") {
			if l != "" && !slices.Contains(labels, l) {
				t.Errorf("%s has the label %s: is it bounded?", name, l)
			}
		}
	}
	for name := range documented {
		if _, ok := found[name]; !ok {
			t.Errorf("%s is documented and not there", name)
		}
	}

	// Other sensors of other machines, and other readers, make no other series.
	round([]string{"pump-a01-s1", "pump-a02-s1", "pump-a03-s1"}, 2001)
	for _, role := range []string{"engineer", "admin"} {
		post(t, a, login(t, a, role), `{ assets(first: 3) { totalCount } }`)
	}
	round([]string{"pump-a01-s1", "pump-a02-s1", "pump-a03-s1"}, 3001)
	_, after := scrape(t, a)
	perFamily := map[string]int{}
	for s := range after {
		name, _, _ := strings.Cut(s, "{")
		perFamily[name]++
		if oneThing.MatchString(tenantLabel.ReplaceAllString(s, "")) {
			t.Errorf("a series of one thing: %s", s)
		}
	}
	grown := 0
	for s := range after {
		if !before[s] {
			grown++
		}
	}
	t.Logf("%d series of the product, %d more after three times as many sensors and readers", len(after), grown)
	if grown > 200 { // buckets of operations that were not made before
		t.Errorf("%d series came with two more sensors", grown)
	}
	names := slices.Collect(maps.Keys(perFamily))
	sort.Slice(names, func(i, j int) bool { return perFamily[names[i]] > perFamily[names[j]] })
	if most := names[0]; perFamily[most] > 500 {
		t.Errorf("%s has %d series", most, perFamily[most])
	}
}

// What series may be told apart by. Each is of a small set, but tenant, which is bounded.
var labels = []string{"tenant", "asset_type", "kind", "outcome", "reason", "stage", "partition", "code", "to", "extent", "job", "queue", "state", "log",
	"operation", "result", "route", "method", "status", "how", "change", "verdict", "class", "resolution", "letter",
	"dependency", "task"}

var (
	unit        = regexp.MustCompile(`_(total|seconds|bytes|entries|readings|messages|sequence|[a-z]+s|held|flight|loaded|running|queued|up|online|connected|waiting|open|rows)$`)
	oneThing    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}|pump-a0`)
	tenantLabel = regexp.MustCompile(`tenant="[^"]*"`)
)
