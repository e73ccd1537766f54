package app_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	alertsFile    = "../../deploy/prometheus/alerts.yml"
	dashboardFile = "../../deploy/grafana/foresight.json"
)

// expressions are those of the alert rules and of the dashboard, by what they are for.
func expressions(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	b, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      struct{ Severity string }
				Annotations struct{ Summary string }
			}
		}
	}
	if err := yaml.Unmarshal(b, &alerts); err != nil {
		t.Fatal(err)
	}
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Expr == "" || r.Annotations.Summary == "" || r.Labels.Severity != "warning" && r.Labels.Severity != "critical" {
				t.Errorf("alert %q is not whole", r.Alert)
			}
			out["alert "+r.Alert] = r.Expr
		}
	}
	if b, err = os.ReadFile(dashboardFile); err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, p := range dashboard.Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
		}
		for _, target := range p.Targets {
			out["panel "+p.Title+" "+target.Expr] = target.Expr
		}
	}
	if want := []string{"Way of a message", "Alarms", "API", "Subscriptions", "Stores", "Jobs"}; !slices.Equal(rows, want) {
		t.Errorf("the dashboard has the rows %v, want %v", rows, want)
	}
	return out
}

var (
	metricName = regexp.MustCompile(`\b(?:foresight|go|process|probe)_[a-z0-9_]+|\bup\b`)
	selectors  = regexp.MustCompile(`(foresight_[a-z0-9_]+)\{([^}]*)\}`)
	matchers   = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	// Not of the product: the runtime's, the scraper's, and the blackbox exporter's.
	foreign = []string{"up", "go_goroutines", "process_resident_memory_bytes", "probe_ssl_earliest_cert_expiry"}
)

// Alert rules and dashboard speak of metrics and labels that there are: docs/metrics.md,
// which TestMetricsAreDocumented compares with a running process.
func TestAlertsAndDashboardNameWhatThereIs(t *testing.T) {
	documented := readMetricsDoc(t)
	of := func(name string) (family, bool) {
		f, ok := documented[name]
		for _, part := range []string{"_bucket", "_count", "_sum"} {
			if base, cut := strings.CutSuffix(name, part); cut && !ok {
				f, ok = documented[base]
				ok = ok && f.kind == "histogram"
			}
		}
		return f, ok
	}
	for what, expr := range expressions(t) {
		names := metricName.FindAllString(expr, -1)
		if len(names) == 0 {
			t.Errorf("%s names no metric", what)
		}
		for _, name := range names {
			if _, ok := of(name); !ok && !slices.Contains(foreign, name) {
				t.Errorf("%s names %s, which is not documented", what, name)
			}
		}
		for _, s := range selectors.FindAllStringSubmatch(expr, -1) {
			f, _ := of(s[1])
			for _, m := range matchers.FindAllStringSubmatch(s[2], -1) {
				if m[1] != "le" && !slices.Contains(strings.Split(f.labels, ", "), m[1]) {
					t.Errorf("%s selects by %s, which %s does not have", what, m[1], s[1])
				}
			}
		}
	}
	// The language itself is judged by the tool of Prometheus, where it is installed.
	if tool, err := exec.LookPath("promtool"); err == nil {
		for _, args := range [][]string{{"check", "rules", alertsFile}, {"test", "rules", strings.Replace(alertsFile, ".yml", "_test.yml", 1)}} {
			if out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil {
				t.Errorf("%s", out)
			}
		}
	}
}
