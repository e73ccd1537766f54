package inference

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference/artifact"
	"foresight/internal/id"
)

// fleet is an in-memory Deployments and Artifacts.
type fleet struct {
	mu          sync.Mutex
	assignments Assignments
	blobs       map[string][]byte
	reads       atomic.Int32
	hold        chan struct{} // when not nil, reads wait for it
	err         error
}

func (f *fleet) Assignments(context.Context) (Assignments, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.assignments), f.err
}

// serve makes the version the tenant's production version.
func (f *fleet) serve(tenant id.UUID, v Version) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.assignments == nil {
		f.assignments = Assignments{}
	}
	f.assignments[Subject{Kind: artifact.FaultClassifier, Tenant: tenant}] = Serving{Production: v}
}

func (f *fleet) Artifact(ctx context.Context, hash string) ([]byte, error) {
	f.reads.Add(1)
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b, ok := f.blobs[hash]; ok {
		return b, nil
	}
	return nil, errors.New("no such blob")
}

// add stores the small model under another version string and returns its version.
func (f *fleet) add(t testing.TB, number string) Version {
	t.Helper()
	return f.version(t, number, func(p *parts) { p.Manifest.Version = number })
}

// version stores the small model with a change.
func (f *fleet) version(t testing.TB, number string, change func(p *parts)) Version {
	t.Helper()
	packed := variant(t, change)
	hash := artifact.HashOf(packed)
	if f.blobs == nil {
		f.blobs = map[string][]byte{}
	}
	f.blobs[hash] = packed
	return Version{ID: id.New(id.MLModelVersion), Label: "fault_classifier:" + number, Artifact: hash}
}

func newRegistry(t testing.TB, c RegistryConfig, f *fleet) *Registry {
	t.Helper()
	r, err := NewRegistry(c, f, f, prometheus.NewRegistry(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestResolution(t *testing.T) {
	tenant, other, bound, asset := id.New(id.Tenant), id.New(id.Tenant), id.New(id.Asset), id.New(id.Asset)
	version := func(label string) Version { return Version{ID: id.New(id.MLModelVersion), Label: label} }
	trial := func(label string, percent int) Trial {
		return Trial{ID: id.New(id.MLModelDeployment), Version: version(label), Percent: percent}
	}
	const kind = artifact.FaultClassifier
	forAsset, forTenant := version("asset"), version("tenant")
	all, own := Subject{kind, tenant, id.Nil}, Subject{kind, tenant, bound}
	f := &fleet{assignments: Assignments{all: {Production: forTenant}, own: {Production: forAsset}}}
	r := newRegistry(t, RegistryConfig{}, f)
	champion, _ := r.BuiltIn(kind)
	resolve := func(tenant, asset id.UUID) Version { v, _ := r.Resolve(kind, tenant, asset); return v }
	if got := resolve(tenant, bound); got != champion {
		t.Errorf("before the first refresh: %v", got)
	}
	refresh := func() {
		t.Helper()
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	for _, c := range []struct {
		name          string
		tenant, asset id.UUID
		want          Version
	}{
		{"the asset's binding", tenant, bound, forAsset},
		{"the tenant's deployment", tenant, asset, forTenant},
		{"the champion", other, asset, champion},
		{"another tenant's binding of the same asset", other, bound, champion},
		{"no asset in particular", tenant, id.Nil, forTenant},
	} {
		if got := resolve(c.tenant, c.asset); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	predictor, ships := r.BuiltIn(artifact.FailurePredictor)
	if v, ok := r.Resolve(artifact.FailurePredictor, tenant, bound); v != predictor || ok != ships {
		t.Errorf("a fault classifier serves as failure predictor: %v", v)
	}

	// Canaries come before production, the asset's own before the tenant's; shadows serve nobody.
	f.assignments[all] = Serving{Production: forTenant, Canaries: []Trial{trial("none", 0), trial("canary", 100)}, Shadows: []Trial{trial("shadow", 100)}}
	refresh()
	for who, got := range map[string]Version{"an asset": resolve(tenant, asset), "a bound asset": resolve(tenant, bound)} {
		if got.Label != "canary" {
			t.Errorf("%s is served by %s in spite of the canary", who, got.Label)
		}
	}
	f.assignments[own] = Serving{Production: forAsset, Canaries: []Trial{trial("own canary", 100)}, Shadows: []Trial{trial("own shadow", 100)}}
	refresh()
	if got := resolve(tenant, bound); got.Label != "own canary" {
		t.Errorf("the bound asset is served by %s", got.Label)
	}
	for _, c := range []struct {
		tenant, asset id.UUID
		want          string
	}{{tenant, asset, "shadow"}, {tenant, bound, "own shadow"}, {other, bound, ""}} {
		if v, ok := r.Shadow(kind, c.tenant, c.asset); v.Label != c.want || ok != (c.want != "") {
			t.Errorf("shadow %q, want %q", v.Label, c.want)
		}
	}

	f.err = errors.New("database away")
	if err := r.Refresh(t.Context()); !errors.Is(err, f.err) {
		t.Errorf("refresh: %v", err)
	}
	if resolve(tenant, bound).Label != "own canary" {
		t.Error("a failed refresh lost the assignments")
	}
}

// An asset is in a trial or not, always; the share of those in it is what was asked for.
func TestTrialsAreSticky(t *testing.T) {
	const assets = 20_000
	in := func(t *Trial) (out map[id.UUID]bool) {
		out = map[id.UUID]bool{}
		r := rand.New(rand.NewPCG(1, 2))
		for range assets {
			var a id.UUID // near each other, as ids of one import are
			binary.BigEndian.PutUint64(a[:], 0x0190_0000_0000_7000)
			binary.BigEndian.PutUint64(a[8:], 0x8000<<48|uint64(r.Uint32()))
			if t.Takes(a) {
				out[a] = true
			}
		}
		return out
	}
	trial := Trial{ID: id.New(id.MLModelDeployment), Percent: 10}
	few := in(&trial)
	if share := float64(len(few)) / assets; share < 0.09 || share > 0.11 {
		t.Errorf("%v of the assets, want 0.1", share)
	}
	trial.Percent = 30
	more := in(&trial)
	if share := float64(len(more)) / assets; share < 0.285 || share > 0.315 {
		t.Errorf("%v of the assets, want 0.3", share)
	}
	for a := range few {
		if !more[a] {
			t.Fatal("an asset fell out when more were taken in")
		}
	}
	other := Trial{ID: id.New(id.MLModelDeployment), Percent: 30}
	both := 0
	for a := range in(&other) {
		if more[a] {
			both++
		}
	}
	if share := float64(both) / assets; share < 0.07 || share > 0.11 {
		t.Errorf("two trials share %v of the assets, want 0.09", share)
	}
}

func TestChampionIsShared(t *testing.T) {
	f := &fleet{}
	r := newRegistry(t, RegistryConfig{}, f)
	champion := r.champions[artifact.FaultClassifier]
	own := Version{ID: id.New(id.MLModelVersion), Label: "fault_classifier:1.0.0", Artifact: champion.version.Artifact}
	m, err := r.Model(t.Context(), artifact.FaultClassifier, own)
	if err != nil || m != champion.loaded.model || f.reads.Load() != 0 {
		t.Errorf("a tenant's version of the champion is loaded again: %v, %d reads", err, f.reads.Load())
	}
}

func TestManyCallersOneLoad(t *testing.T) {
	f := &fleet{hold: make(chan struct{})}
	v := f.add(t, "1.0.1")
	r := newRegistry(t, RegistryConfig{}, f)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := r.Model(impatient, artifact.FaultClassifier, v); left <- err }()
	var wg sync.WaitGroup
	models := make([]*Model, 20)
	for i := range models {
		wg.Go(func() {
			m, err := r.Model(t.Context(), artifact.FaultClassifier, v)
			if err != nil {
				t.Error(err)
			}
			models[i] = m
		})
	}
	leave() // must not end the load for the others
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient caller got %v", err)
	}
	close(f.hold)
	wg.Wait()
	for _, m := range models {
		if m == nil || m != models[0] {
			t.Fatal("callers got different models")
		}
	}
	if n := f.reads.Load(); n != 1 {
		t.Errorf("%d reads of the artifact", n)
	}
}

// Loads of many artifacts at once wait for each other, and a caller does not wait longer
// than it wants to.
func TestFewLoadsAtOnce(t *testing.T) {
	f := &fleet{hold: make(chan struct{})}
	r := newRegistry(t, RegistryConfig{}, f)
	var wg sync.WaitGroup
	for i := range loadsAtOnce + 1 {
		v := f.add(t, fmt.Sprintf("1.5.%d", i))
		wg.Go(func() {
			if _, err := r.Model(t.Context(), artifact.FaultClassifier, v); err != nil {
				t.Error(err)
			}
		})
	}
	for len(r.loading) < loadsAtOnce || f.reads.Load() < loadsAtOnce {
		runtime.Gosched()
	}
	soon, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Model(soon, artifact.FaultClassifier, f.add(t, "1.5.9")); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that does not wait: %v", err)
	}
	if n := f.reads.Load(); n != loadsAtOnce {
		t.Errorf("%d reads at once, want %d", n, loadsAtOnce)
	}
	close(f.hold)
	wg.Wait()
}

func TestBoundDropsTheLeastRecentlyUsed(t *testing.T) {
	f := &fleet{}
	var vs []Version
	for i := range 3 {
		vs = append(vs, f.add(t, fmt.Sprintf("2.0.%d", i)))
	}
	r := newRegistry(t, RegistryConfig{MaxModels: 2}, f)
	use := func(i, wantReads int) {
		t.Helper()
		if _, err := r.Model(t.Context(), artifact.FaultClassifier, vs[i]); err != nil {
			t.Fatal(err)
		}
		if n := int(f.reads.Load()); n != wantReads {
			t.Fatalf("after model %d: %d reads, want %d", i, n, wantReads)
		}
	}
	use(0, 1)
	use(1, 2)
	use(0, 2)
	use(2, 3) // drops 1
	use(0, 3)
	use(1, 4)
	if r.recent.Len() != 2 || len(r.bySlot) != 2 || r.bytes != 2*small(t).Bytes() {
		t.Errorf("%d models in %d bytes are kept", r.recent.Len(), r.bytes)
	}
}

func TestMemoryBound(t *testing.T) {
	f := &fleet{}
	a, b := f.add(t, "3.0.0"), f.add(t, "3.0.1")
	r := newRegistry(t, RegistryConfig{MaxBytes: 1}, f)
	for _, v := range []Version{a, b} {
		if _, err := r.Model(t.Context(), artifact.FaultClassifier, v); err != nil {
			t.Fatal(err)
		}
	}
	if r.recent.Len() != 1 {
		t.Errorf("%d models are kept", r.recent.Len())
	}
}

func TestFailuresAreRememberedForAWhile(t *testing.T) {
	f := &fleet{}
	good := f.add(t, "4.0.0")
	f.blobs[good.Artifact] = append([]byte{}, f.blobs[good.Artifact]...)
	f.blobs[good.Artifact][1000] ^= 1
	r := newRegistry(t, RegistryConfig{RetryAfter: time.Hour}, f)
	for range 3 {
		if _, err := r.Model(t.Context(), artifact.FaultClassifier, good); !errors.Is(err, artifact.ErrInvalid) {
			t.Fatalf("a changed artifact: %v", err)
		}
	}
	if _, err := r.Model(t.Context(), artifact.FaultClassifier, Version{Artifact: "absent"}); err == nil {
		t.Error("an absent artifact is no error")
	}
	if n := f.reads.Load(); n != 2 {
		t.Errorf("%d reads", n)
	}
	if err := r.Check(); err != nil {
		t.Errorf("a version that serves nobody: %v", err)
	}
	trial := func(percent int) []Trial {
		return []Trial{{ID: id.New(id.MLModelDeployment), Version: good, Percent: percent}}
	}
	for name, c := range map[string]struct {
		as    Serving
		fails bool
	}{
		"serves a tenant":                   {Serving{Production: good}, true},
		"is the canary of some assets":      {Serving{Canaries: trial(10)}, true},
		"is the canary of no asset":         {Serving{Canaries: trial(0)}, false},
		"predicts beside the one that does": {Serving{Shadows: trial(100)}, false},
	} {
		r.assignments.Store(&Assignments{{Kind: artifact.FaultClassifier, Tenant: id.New(id.Tenant)}: c.as})
		if err := r.Check(); c.fails != errors.Is(err, artifact.ErrInvalid) || !c.fails && err != nil {
			t.Errorf("a version that does not load and %s: %v", name, err)
		}
	}
	r.assignments.Store(&Assignments{{Kind: artifact.FaultClassifier, Tenant: id.New(id.Tenant)}: {Production: good}})
	f.blobs[good.Artifact][1000] ^= 1
	r.mu.Lock()
	r.failed[good.slot()] = failure{until: time.Now()}
	r.mu.Unlock()
	if _, err := r.Model(t.Context(), artifact.FaultClassifier, good); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := r.Check(); err != nil {
		t.Errorf("it loads again: %v", err)
	}
}

// A version of another kind than the deployment's is refused, loaded or not.
func TestModelsOfAnotherKindAreRefused(t *testing.T) {
	f := &fleet{}
	v := f.add(t, "6.0.0")
	r := newRegistry(t, RegistryConfig{}, f)
	for range 2 {
		if _, err := r.Model(t.Context(), artifact.FailurePredictor, v); !errors.Is(err, ErrKind) {
			t.Errorf("error %v", err)
		}
	}
	if _, err := r.Model(t.Context(), artifact.FaultClassifier, v); err != nil {
		t.Error(err)
	}
}
