package pipeline

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"foresight/internal/bus"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// plain is a model that says the same of every window: what is measured is the way
// to it and from it.
type plain struct{}

var version = id.New(id.MLModelVersion)

func (plain) Predict(_ context.Context, k telemetry.Key, _ *telemetry.Window, r *telemetry.Raw) (telemetry.FaultPrediction, error) {
	return telemetry.FaultPrediction{Key: k, Timestamp: r.Timestamp, IngestID: r.IngestID,
		ID:    id.Derive(id.Prediction, r.Timestamp, k.Tenant[:], k.Sensor[:], r.IngestID[:]),
		Label: telemetry.Normal, Probability: 0.9,
		Top:       []telemetry.LabelProbability{{Label: telemetry.Normal, Probability: 0.9}, {Label: "cavitation", Probability: 0.05}},
		VersionID: version, VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Production}, nil
}

func (plain) Shadow(context.Context, telemetry.Key, *telemetry.Window, *telemetry.Raw) (telemetry.FaultPrediction, bool, error) {
	return telemetry.FaultPrediction{}, false, nil
}

type nobody struct{}

func (nobody) Publish(context.Context, ...event.Event) error { return nil }

// fleet gives entries of a partition's sensors, half of each tenant.
type fleet struct {
	r    *rig
	keys []telemetry.Key
	n    int
	seq  uint64
}

func (r *rig) fleet(sensors int) *fleet {
	f := &fleet{r: r}
	for i := range sensors {
		p := r.a
		if i%2 == 1 {
			p = r.b
		}
		f.keys = append(f.keys, telemetry.Key{Tenant: p.TenantID, Site: p.SiteID, Asset: p.AssetID, Sensor: id.New(id.Sensor)})
	}
	return f
}

var payload = make([]byte, 900)

func (f *fleet) next() telemetry.Raw {
	raw := f.r.reading(f.keys[f.n%len(f.keys)], f.n/len(f.keys), 1)
	raw.Payload = payload
	raw.ReceivedAt = time.Now().UTC()
	f.n++
	return raw
}

func (f *fleet) entries(n int) []bus.Entry {
	out := make([]bus.Entry, n)
	for i := range out {
		raw := f.next()
		f.seq++
		out[i] = bus.Entry{Seq: f.seq, Data: telemetry.AppendEnvelope(nil, &raw)}
	}
	return out
}

// bench returns a partition whose batches the caller makes, with a rule per tenant.
func bench(b *testing.B, sensors int, o Options) (*partition, *fleet) {
	r := newRig(b, 1)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	parts := r.parts(r.store)
	parts.Model, parts.Events = plain{}, nobody{}
	w := New(parts, o)
	if err := w.leases.prepare(b.Context(), 1); err != nil {
		b.Fatal(err)
	}
	held, err := w.leases.acquire(b.Context(), 1, 1)
	if err != nil || len(held) != 1 {
		b.Fatal(held, err)
	}
	p := w.newPartition(held[0], "stream")
	if p.seen, err = loadSeen(b.Context(), w.parts.Pool, 0); err != nil {
		b.Fatal(err)
	}
	return p, r.fleet(sensors)
}

// BenchmarkBatch takes batches through all stages on real PostgreSQL, with full
// windows and a rule per tenant; ns/op and allocations are those of one message, and
// the stages are reported beside.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{20, 100, 500} {
		b.Run(fmt.Sprintf("%d entries", size), func(b *testing.B) {
			p, f := bench(b, 200, Options{})
			for range telemetry.WindowSize * len(f.keys) / size {
				if err := p.attempt(b.Context(), f.entries(size)); err != nil {
					b.Fatal(err)
				}
			}
			before := sums(b, p.w.metrics.stages)
			b.ReportAllocs()
			b.ResetTimer()
			done := 0
			for done < b.N {
				b.StopTimer()
				entries := f.entries(size)
				b.StartTimer()
				if err := p.attempt(b.Context(), entries); err != nil {
					b.Fatal(err)
				}
				done += size
			}
			b.StopTimer()
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "messages/s")
			for stage, after := range sums(b, p.w.metrics.stages) {
				b.ReportMetric((after-before[stage])*1e6/float64(done), stage+"-µs/message")
			}
		})
	}
}

// sums returns the seconds spent in each stage.
func sums(b *testing.B, h *prometheus.HistogramVec) map[string]float64 {
	out := map[string]float64{}
	ch := make(chan prometheus.Metric, 100)
	h.Collect(ch)
	close(ch)
	for m := range ch {
		var d dto.Metric
		if err := m.Write(&d); err != nil {
			b.Fatal(err)
		}
		out[d.GetLabel()[0].GetValue()] = d.GetHistogram().GetSampleSum()
	}
	return out
}

// BenchmarkWorker lets a worker with 16 partitions drain a log, with the champion and,
// to tell what it costs, with a model that says the same of everything; ns/op is one
// message.
func BenchmarkWorker(b *testing.B) {
	for name, model := range map[string]Model{"champion": champion(b), "plain model": plain{}} {
		b.Run(name, func(b *testing.B) { drain(b, model) })
	}
}

func drain(b *testing.B, model Model) {
	r := newRig(b, 16)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	f := r.fleet(400)
	n := max(b.N, 10_000)
	var pending []bus.Pending
	for range n {
		raw := f.next()
		p, err := r.log.AppendAsync(b.Context(), bus.Partition(raw.Tenant, raw.Sensor, 16), raw.Tenant, raw.Sensor, telemetry.AppendEnvelope(nil, &raw))
		if err != nil {
			b.Fatal(err)
		}
		pending = append(pending, p)
	}
	for _, p := range pending {
		if _, err := p.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	parts := r.parts(r.store)
	parts.Model, parts.Events = model, nobody{}
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime(b)
	w := r.work(parts, Options{})
	r.eventually("the log is drained", func() bool { return outcome(w, "stored") >= n })
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(n), "own-cpu-µs/message")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(r.ask(`SELECT count(*) FROM predictions`))/b.Elapsed().Seconds(), "predictions/s")
}

// cpuTime is what this process, without the database, has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
