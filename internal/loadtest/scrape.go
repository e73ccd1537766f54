package loadtest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape is the product's metrics at one time.
type scrape struct {
	families map[string]*dto.MetricFamily
	at       time.Time
}

// The metrics that are read.
const (
	metricReadings    = "foresight_pipeline_readings_total"
	metricOverQuota   = "foresight_ingest_over_quota_total"
	metricPredictions = "foresight_pipeline_predictions_total"
	metricStages      = "foresight_pipeline_stage_seconds"
	metricDelay       = "foresight_pipeline_delay_seconds"
	metricBatch       = "foresight_pipeline_batch_entries"
	metricCPU         = "process_cpu_seconds_total"
	metricMemory      = "process_resident_memory_bytes"
)

func scrapeFrom(ctx context.Context, c *http.Client, url string) (*scrape, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(q)
	if err != nil {
		return nil, fmt.Errorf("loadtest: metrics: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("loadtest: metrics: %s", res.Status)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(res.Body)
	if err != nil {
		return nil, fmt.Errorf("loadtest: metrics: %w", err)
	}
	return &scrape{families, time.Now()}, nil
}

// each calls f with the metrics of a family, with the value of its first label.
func (s *scrape) each(name string, f func(label string, m *dto.Metric)) {
	for _, m := range s.families[name].GetMetric() {
		label := ""
		if l := m.GetLabel(); len(l) > 0 {
			label = l[0].GetValue()
		}
		f(label, m)
	}
}

// sum adds a family's counters and gauges up, of the labels when some are named.
func (s *scrape) sum(name string, labels ...string) (v float64) {
	s.each(name, func(label string, m *dto.Metric) {
		for _, want := range labels {
			if label == want {
				v += value(m)
			}
		}
		if len(labels) == 0 {
			v += value(m)
		}
	})
	return v
}

func value(m *dto.Metric) float64 { return m.GetCounter().GetValue() + m.GetGauge().GetValue() }

// processed is how many entries of the log the pipeline is done with.
func (s *scrape) processed() float64 { return s.sum(metricReadings) }

// sums returns a histogram's sums by its first label.
func (s *scrape) sums(name string) map[string]float64 {
	out := map[string]float64{}
	s.each(name, func(label string, m *dto.Metric) { out[label] = m.GetHistogram().GetSampleSum() })
	return out
}

// mean is the average of what a histogram saw between two scrapes.
func mean(name string, from, to *scrape) float64 {
	count := func(s *scrape) (n, sum float64) {
		s.each(name, func(_ string, m *dto.Metric) {
			n += float64(m.GetHistogram().GetSampleCount())
			sum += m.GetHistogram().GetSampleSum()
		})
		return n, sum
	}
	n0, s0 := count(from)
	n1, s1 := count(to)
	if n1 == n0 {
		return 0
	}
	return (s1 - s0) / (n1 - n0)
}

// quantile interpolates within the buckets of what a histogram saw between two scrapes.
func quantile(q float64, name string, from, to *scrape) float64 {
	var bounds, counts []float64
	to.each(name, func(_ string, m *dto.Metric) {
		for _, b := range m.GetHistogram().GetBucket() {
			bounds, counts = append(bounds, b.GetUpperBound()), append(counts, float64(b.GetCumulativeCount()))
		}
	})
	from.each(name, func(_ string, m *dto.Metric) {
		for i, b := range m.GetHistogram().GetBucket() {
			counts[i] -= float64(b.GetCumulativeCount())
		}
	})
	if len(counts) == 0 || counts[len(counts)-1] == 0 {
		return 0
	}
	want := q * counts[len(counts)-1]
	below, low := 0.0, 0.0
	for i, c := range counts {
		if c >= want && c > below {
			if bounds[i] > longest.Seconds() { // the last bucket has no end
				return low
			}
			return low + (bounds[i]-low)*(want-below)/(c-below)
		}
		below, low = c, bounds[i]
	}
	return low
}
