package chaos

import (
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape reads the metrics of a process.
func (in *installation) scrape(t testing.TB, m *member) map[string]*dto.MetricFamily {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := web.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// metric adds up a family's counters and gauges that have the label.
func (in *installation) metric(t testing.TB, m *member, family, label, value string) (sum float64) {
	t.Helper()
	for _, x := range in.scrape(t, m)[family].GetMetric() {
		for _, l := range x.GetLabel() {
			if l.GetName() == label && l.GetValue() == value {
				sum += x.GetCounter().GetValue() + x.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// residentMiB is the memory of all workers together.
func (in *installation) residentMiB(t testing.TB) (sum float64) {
	t.Helper()
	for _, w := range in.workers {
		for _, m := range in.scrape(t, w)["process_resident_memory_bytes"].GetMetric() {
			sum += m.GetGauge().GetValue() / (1 << 20)
		}
	}
	return sum
}
