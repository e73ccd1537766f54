package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// fingerprint is a model whose probability is a hash of the window's bits, so that
// equal predictions mean equal windows.
type fingerprint struct {
	fail  atomic.Pointer[error]
	panic atomic.Bool
	calls atomic.Int64
	// tried makes a shadow, which fails when it is an error.
	tried atomic.Pointer[error]
}

func (f *fingerprint) Shadow(ctx context.Context, k telemetry.Key, w *telemetry.Window, r *telemetry.Raw) (telemetry.FaultPrediction, bool, error) {
	err := f.tried.Load()
	if err == nil {
		return telemetry.FaultPrediction{}, false, nil
	}
	p, _ := f.Predict(ctx, k, w, r)
	p.ID, p.Role = id.Derive(id.Prediction, r.Timestamp, k.Tenant[:], k.Sensor[:], r.IngestID[:], []byte(telemetry.Shadow)), telemetry.Shadow
	return p, true, *err
}

func (f *fingerprint) Predict(_ context.Context, k telemetry.Key, w *telemetry.Window, r *telemetry.Raw) (telemetry.FaultPrediction, error) {
	f.calls.Add(1)
	if f.panic.Load() {
		panic("model")
	}
	if err := f.fail.Load(); err != nil {
		return telemetry.FaultPrediction{}, *err
	}
	h := fnv.New64a()
	for at, ch := range w.All() {
		_ = binary.Write(h, binary.BigEndian, at.UnixNano())
		for _, v := range ch {
			_ = binary.Write(h, binary.BigEndian, math.Float32bits(v))
		}
	}
	return telemetry.FaultPrediction{
		Key: k, Timestamp: r.Timestamp, IngestID: r.IngestID,
		ID:    id.Derive(id.Prediction, r.Timestamp, k.Tenant[:], k.Sensor[:], r.IngestID[:]),
		Label: "cavitation", Probability: float64(h.Sum64()>>11) / (1 << 53),
		VersionID: id.New(id.MLModelVersion), VersionLabel: "m:1.0.0", Role: telemetry.Production,
	}, nil
}

// champion is the real thing.
func champion(t testing.TB) *inference.Service {
	t.Helper()
	registry, err := inference.NewRegistry(inference.RegistryConfig{}, nil, nil, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	service, err := inference.NewService(inference.ServiceConfig{}, registry, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// recorder keeps what was published.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
}

func (r *recorder) Publish(_ context.Context, events ...event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, events...)
	return nil
}

func (r *recorder) of(kind event.Kind, sensor id.UUID) (out []event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind && e.Key.Sensor == sensor {
			out = append(out, e)
		}
	}
	return out
}

// deadLetters remembers what the real ones were given.
type deadLetters struct {
	DeadLetters
	mu   sync.Mutex
	fail int // so many first calls
	all  []Rejected
}

func (d *deadLetters) Reject(ctx context.Context, r Rejected) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail--; d.fail >= 0 {
		return errors.New("dead letters down")
	}
	d.all = append(d.all, r)
	return d.DeadLetters.Reject(ctx, r)
}

func (d *deadLetters) reasons() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, r := range d.all {
		out = append(out, r.Reason)
	}
	return strings.Join(out, " ")
}
