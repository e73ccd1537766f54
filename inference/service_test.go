package inference

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference/artifact"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// readingsOf returns plausible readings of a healthy machine.
func readingsOf(seed uint64, n int) [][telemetry.Channels]float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([][telemetry.Channels]float64, n)
	for i := range out {
		for c := range out[i] {
			typical := [telemetry.Quantities]float64{0.9, 0.45, 0.17, 0.08, 31, 42}[telemetry.Channel(c).Quantity()]
			out[i][c] = typical * (1 + 0.03*r.NormFloat64())
		}
	}
	return out
}

func fullWindow(seed uint64) *telemetry.Window {
	w := new(telemetry.Window)
	for i, ch := range readingsOf(seed, telemetry.WindowSize) {
		w.Add(time.Unix(int64(i), 0), &ch)
	}
	return w
}

func newService(t testing.TB, f *fleet) *Service {
	t.Helper()
	r := newRegistry(t, RegistryConfig{}, f)
	// A machine that stands for a moment is neither a slow model nor one that does not load.
	s, err := NewService(ServiceConfig{LoadWait: testkit.Patience, Slow: testkit.Patience}, r, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newest() *telemetry.Raw {
	return &telemetry.Raw{Reading: telemetry.Reading{Timestamp: time.UnixMilli(1_770_000_000_000)}}
}

// probability is what the model says of the window's most probable class.
func probability(t testing.TB, m *Model, w *telemetry.Window) float64 {
	t.Helper()
	var x features.Vector
	features.Extract(w, &x)
	var top [1]telemetry.LabelProbability
	if _, _, err := m.Classify(&x, top[:]); err != nil {
		t.Fatal(err)
	}
	return top[0].Probability
}

func someKey() telemetry.Key {
	return telemetry.Key{Tenant: id.New(id.Tenant), Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
}

func TestPredictSaysAllThatIsStored(t *testing.T) {
	s := newService(t, &fleet{})
	key := someKey()
	newest := &telemetry.Raw{Reading: telemetry.Reading{Key: key, Timestamp: time.UnixMilli(1_770_000_000_123).UTC()}, IngestID: telemetry.IngestID{1, 2, 3}}
	p, err := s.Predict(t.Context(), key, fullWindow(1), newest)
	if err != nil {
		t.Fatal(err)
	}
	if p.Key != key || p.Timestamp != newest.Timestamp || p.IngestID != newest.IngestID || p.Role != telemetry.Production {
		t.Errorf("prediction %+v is not of the reading", p)
	}
	if v, _ := s.registry.BuiltIn(artifact.FaultClassifier); p.VersionID != v.ID || p.VersionLabel != v.Label || v.Label != "fault_classifier:"+shipped().Manifest.Version {
		t.Errorf("version %s %s", p.VersionID, p.VersionLabel)
	}
	if len(p.Top) != 3 || p.Top[0].Label != p.Label || p.Top[0].Probability != p.Probability || p.Label != telemetry.Normal {
		t.Errorf("label %s %v, top %v", p.Label, p.Probability, p.Top)
	}
	if p.OutOfDistribution {
		t.Error("a healthy machine is out of distribution")
	}
	again, err := s.Predict(t.Context(), key, fullWindow(1), newest)
	if err != nil || again.ID != p.ID {
		t.Errorf("the same reading got ids %s and %s (%v)", p.ID, again.ID, err)
	}
	if kind, _ := id.KindOf(p.ID); kind != id.Prediction {
		t.Errorf("the id is of kind %v", kind)
	}
	newest.IngestID[0]++
	if other, _ := s.Predict(t.Context(), key, fullWindow(1), newest); other.ID == p.ID {
		t.Error("another reading got the same id")
	}
}

func TestPredictAllocatesNothing(t *testing.T) {
	if testkit.Race {
		t.Log("the race detector makes sync.Pool drop at random: not counted")
		return
	}
	s := newService(t, &fleet{})
	key, w, raw := someKey(), fullWindow(1), newest()
	if n := testing.AllocsPerRun(1000, func() { s.Predict(t.Context(), key, w, raw) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

// A shadow answers as Predict does, in its role and with an id of its own; what serves is
// not changed by it.
func TestShadow(t *testing.T) {
	f := &fleet{}
	key, w, raw := someKey(), fullWindow(1), newest()
	s := newService(t, f)
	if _, tried, err := s.Shadow(t.Context(), key, w, raw); tried || err != nil {
		t.Errorf("a shadow where there is none: %v", err)
	}
	v := f.version(t, "9.0.0", func(p *parts) { p.Manifest.Version, p.Manifest.Temperature = "9.0.0", 3 })
	f.assignments = Assignments{{Kind: artifact.FaultClassifier, Tenant: key.Tenant}: {Shadows: []Trial{{ID: id.New(id.MLModelDeployment), Version: v, Percent: 100}}}}
	if err := s.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	serving, err := s.Predict(t.Context(), key, w, raw)
	if err != nil {
		t.Fatal(err)
	}
	p, tried, err := s.Shadow(t.Context(), key, w, raw)
	if err != nil || !tried || p.Role != telemetry.Shadow || p.VersionID != v.ID || p.VersionLabel != v.Label || p.ID == serving.ID || p.Probability >= serving.Probability {
		t.Errorf("shadow %+v (%v, %v) beside %+v", p, tried, err, serving)
	}
	if champion, _ := s.registry.BuiltIn(artifact.FaultClassifier); serving.Role != telemetry.Production || serving.VersionID != champion.ID {
		t.Errorf("serving %+v", serving)
	}
}

func TestPredictNeedsAFullWindow(t *testing.T) {
	s := newService(t, &fleet{})
	w := new(telemetry.Window)
	ch := readingsOf(1, 1)[0]
	w.Add(time.Now(), &ch)
	if _, err := s.Predict(t.Context(), someKey(), w, &telemetry.Raw{}); !errors.Is(err, ErrNotFull) {
		t.Errorf("error %v", err)
	}
}

func TestPredictFeaturesIsTheSamePath(t *testing.T) {
	s := newService(t, &fleet{})
	key := someKey()
	readings := readingsOf(7, telemetry.WindowSize)
	readings[3][5] = math.NaN()
	w := new(telemetry.Window)
	for i := range readings {
		w.Add(time.Unix(int64(10*i), 0), &readings[i])
	}
	streamed, err := s.Predict(t.Context(), key, w, &telemetry.Raw{})
	if err != nil {
		t.Fatal(err)
	}
	older := append([][telemetry.Channels]float64{{}, {}}, readings...)
	p, err := s.PredictFeatures(t.Context(), key, featuresOf(older), 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Top) != 5 || [3]telemetry.LabelProbability(p.Top[:3]) != [3]telemetry.LabelProbability(streamed.Top) {
		t.Errorf("top %v, streamed %v", p.Top, streamed.Top)
	}
	all, err := s.PredictFeatures(t.Context(), key, featuresOf(readings), 100)
	if err != nil || len(all.Top) != 34 {
		t.Errorf("%d classes of 34 (%v)", len(all.Top), err)
	}
}

func featuresOf(readings [][telemetry.Channels]float64) *features.Vector {
	x := new(features.Vector)
	features.Extract(telemetry.WindowOf(readings), x)
	return x
}

func TestPredictFeaturesRefusesBadInput(t *testing.T) {
	s := newService(t, &fleet{})
	for _, k := range []int{-1, 0, 101} {
		_, err := s.PredictFeatures(t.Context(), someKey(), featuresOf(readingsOf(1, 14)), k)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.BadInput || f.Field != "input.topK" {
			t.Errorf("%d classes: %v", k, err)
		}
	}
}

func TestNoModelIsAnErrorOfItsOwn(t *testing.T) {
	f := &fleet{}
	key := someKey()
	f.serve(key.Tenant, Version{ID: id.New(id.MLModelVersion), Label: "fault_classifier:9.9.9", Artifact: "gone"})
	s := newService(t, f)
	if err := s.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := s.Predict(t.Context(), key, fullWindow(1), &telemetry.Raw{})
	if !errors.Is(err, ErrNoModel) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v", err)
	}
	if _, err := s.Predict(t.Context(), someKey(), fullWindow(1), &telemetry.Raw{}); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}

func TestSlowLoadDoesNotHoldTheStream(t *testing.T) {
	f := &fleet{hold: make(chan struct{})}
	key := someKey()
	v := f.add(t, "5.0.0")
	f.serve(key.Tenant, v)
	r := newRegistry(t, RegistryConfig{}, f)
	s, err := NewService(ServiceConfig{LoadWait: time.Millisecond}, r, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Assignments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.assignments.Store(&a) // Refresh would wait for the load
	if _, err := s.Predict(t.Context(), key, fullWindow(1), &telemetry.Raw{}); !errors.Is(err, ErrNoModel) {
		t.Errorf("while it loads: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Predict(gone, key, fullWindow(1), &telemetry.Raw{}); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNoModel) {
		t.Errorf("when the caller left: %v", err)
	}
	close(f.hold)
	if _, err := r.Model(t.Context(), artifact.FaultClassifier, v); err != nil {
		t.Fatal(err)
	}
	p, err := s.Predict(t.Context(), key, fullWindow(1), &telemetry.Raw{})
	if err != nil || p.VersionLabel != "fault_classifier:5.0.0" {
		t.Errorf("when it is loaded: %s, %v", p.VersionLabel, err)
	}
}

// A model that panics is an error for its callers, then its breaker opens.
func TestBrokenModelOpensItsBreaker(t *testing.T) {
	s := newService(t, &fleet{})
	p := activated(t).parts[0]
	p.manifest.Classes = p.manifest.Classes[:1] // Classify will index past it
	champion, _ := s.registry.BuiltIn(artifact.FaultClassifier)
	broken := &loaded{model: newModel(champion.Artifact, []part{p})}
	s.registry.resident[champion.Artifact] = broken
	for range breakAfter {
		if _, err := s.Predict(t.Context(), someKey(), fullWindow(1), &telemetry.Raw{}); !errors.Is(err, ErrNoModel) {
			t.Fatalf("error %v", err)
		}
	}
	if broken.guard.allow(broken.guard.open.Add(-1)) { // by the clock its rest may be over
		t.Error("the breaker is closed")
	}
}

func TestGuard(t *testing.T) {
	var g guard
	now := time.Unix(1000, 0)
	for range breakAfter - 1 {
		g.done(now, false)
	}
	if !g.allow(now) {
		t.Fatal("open too early")
	}
	g.done(now, false)
	if g.allow(now.Add(breakRest - 1)) {
		t.Fatal("closed before the rest is over")
	}
	now = now.Add(breakRest)
	if !g.allow(now) || g.allow(now) {
		t.Fatal("not exactly one call after the rest")
	}
	g.done(now, false)
	if g.allow(now.Add(breakRest - 1)) {
		t.Fatal("a failed trial closed it")
	}
	now = now.Add(breakRest)
	if !g.allow(now) {
		t.Fatal("no second trial")
	}
	g.done(now, true)
	for range 2 {
		if !g.allow(now) {
			t.Fatal("a good trial did not close it")
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	s := newService(b, &fleet{})
	key, w := someKey(), fullWindow(1)
	newest := &telemetry.Raw{Reading: telemetry.Reading{Timestamp: time.Now()}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Predict(b.Context(), key, w, newest); err != nil {
			b.Fatal(err)
		}
	}
}
