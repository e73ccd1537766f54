package loadtest

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"
)

// meter watches the product from the outside while messages are published.
type meter struct {
	run     *run
	before  *scrape
	profile *profiled
	cpu     time.Duration // of the database
	begun   time.Time
}

func (r *run) begin(ctx context.Context) (*meter, error) {
	m := &meter{run: r, begun: time.Now()}
	var err error
	if r.opt.Metrics != "" {
		if m.before, err = scrapeFrom(ctx, http.DefaultClient, r.opt.Metrics); err != nil {
			return nil, err
		}
	}
	if r.opt.Database > 0 {
		m.cpu, _ = cpuOf(r.opt.Database)
	}
	if r.opt.Shares != nil {
		m.profile, err = startProfile()
	}
	return m, err
}

// abandon ends what goes on.
func (m *meter) abandon() error {
	if m.profile == nil {
		return nil
	}
	_, err := m.profile.stop(nil, "")
	return err
}

// drainPoll is how often the product is asked whether it is done.
const drainPoll = 20 * time.Millisecond

// end waits until what was acknowledged is processed, and sums up.
func (m *meter) end(ctx context.Context) (*Report, error) {
	r := m.run
	published := time.Now()
	rep := r.report(m.begun)
	after, err := m.drain(ctx, rep)
	if err != nil {
		return nil, errors.Join(err, m.abandon())
	}
	n := float64(r.ackedN.Load())
	if m.profile != nil {
		shares, err := m.profile.stop(r.opt.Shares, r.opt.Profile)
		if err != nil {
			return nil, err
		}
		rep.CPU = map[string]float64{}
		for name, t := range shares {
			rep.CPU[name] = micros(t) / n
		}
	}
	if r.opt.Database > 0 {
		if now, ok := cpuOf(r.opt.Database); ok {
			rep.DatabaseCPU = micros(now-m.cpu) / n
		}
	}
	if after != nil {
		m.addServer(rep, after, published, n)
	}
	return rep, nil
}

// drain waits until the product has processed all. It gives up when nothing moves.
func (m *meter) drain(ctx context.Context, rep *Report) (*scrape, error) {
	r := m.run
	if m.before == nil {
		return nil, nil
	}
	want := float64(r.ackedN.Load())
	last, moved := -1.0, time.Now()
	for first := true; ; first = false {
		now, err := scrapeFrom(ctx, http.DefaultClient, r.opt.Metrics)
		if err != nil {
			return nil, err
		}
		done := now.processed() - m.before.processed()
		if first {
			rep.Backlog = int64(want - done)
		}
		if done >= want {
			return now, nil
		}
		if done > last {
			last, moved = done, time.Now()
		} else if time.Since(moved) > r.opt.Patience {
			rep.Stalled = true
			return now, nil
		}
		if err := pause(ctx, drainPoll); err != nil {
			return nil, err
		}
	}
}

// addServer adds what the product says of itself.
func (m *meter) addServer(rep *Report, after *scrape, published time.Time, n float64) {
	s := &Server{
		Stored:      int64(after.sum(metricReadings, "stored") - m.before.sum(metricReadings, "stored")),
		Late:        int64(after.sum(metricReadings, "late") - m.before.sum(metricReadings, "late")),
		Repeated:    int64(after.sum(metricReadings, "repeated") - m.before.sum(metricReadings, "repeated")),
		OverQuota:   int64(after.sum(metricOverQuota) - m.before.sum(metricOverQuota)),
		Rejected:    int64(after.sum(metricReadings, "rejected") - m.before.sum(metricReadings, "rejected")),
		Predictions: int64(after.sum(metricPredictions) - m.before.sum(metricPredictions)),
		Batch:       mean(metricBatch, m.before, after),
		CPU:         (after.sum(metricCPU) - m.before.sum(metricCPU)) * 1e6 / n,
		Memory:      int64(after.sum(metricMemory)),
		Stages:      map[string]float64{},
	}
	before := m.before.sums(metricStages)
	for stage, sum := range after.sums(metricStages) {
		s.Stages[stage] = (sum - before[stage]) * 1e6 / n
	}
	at := func(q float64) float64 { return quantile(q, metricDelay, m.before, after) * 1000 }
	s.Commit = Latency{P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Count: s.Stored + s.Late}
	rep.Server = s
	rep.Drain = max(0, after.at.Sub(published).Seconds())
	begun := time.UnixMilli(rep.Begun)
	rep.StoredRate = math.Round(float64(s.Stored+s.Late) / after.at.Sub(begun).Seconds())
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
