package inference

import (
	"context"
	"errors"
	"fmt"
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

func (f *fleet) Assignments(context.Context) (*Assignments, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.assignments
	return &a, f.err
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

// add stores the champion under another version string and returns its version.
func (f *fleet) add(t testing.TB, number string) Version {
	t.Helper()
	packed := variant(t, func(p *parts) { p.Manifest.Version = number })
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
	forAsset, forTenant := Version{ID: id.New(id.MLModelVersion), Label: "a"}, Version{ID: id.New(id.MLModelVersion), Label: "t"}
	f := &fleet{assignments: Assignments{
		Assets: map[AssetRef]Version{{tenant, bound}: forAsset}, Tenants: map[id.UUID]Version{tenant: forTenant},
	}}
	r := newRegistry(t, RegistryConfig{}, f)
	if got := r.Resolve(tenant, bound); got != r.BuiltIn() {
		t.Errorf("before the first refresh: %v", got)
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		tenant, asset id.UUID
		want          Version
	}{
		{"the asset's binding", tenant, bound, forAsset},
		{"the tenant's deployment", tenant, asset, forTenant},
		{"the champion", other, asset, r.BuiltIn()},
		{"another tenant's binding of the same asset", other, bound, r.BuiltIn()},
	} {
		if got := r.Resolve(c.tenant, c.asset); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	f.err = errors.New("database away")
	if err := r.Refresh(t.Context()); !errors.Is(err, f.err) {
		t.Errorf("refresh: %v", err)
	}
	if r.Resolve(tenant, bound) != forAsset {
		t.Error("a failed refresh lost the assignments")
	}
}

func TestChampionIsShared(t *testing.T) {
	f := &fleet{}
	r := newRegistry(t, RegistryConfig{}, f)
	own := Version{ID: id.New(id.MLModelVersion), Label: "fault_classifier:1.0.0", Artifact: r.BuiltIn().Artifact}
	m, err := r.Model(t.Context(), own)
	if err != nil || m != r.champion.model || f.reads.Load() != 0 {
		t.Errorf("a tenant's version of the champion is loaded again: %v, %d reads", err, f.reads.Load())
	}
}

func TestManyCallersOneLoad(t *testing.T) {
	f := &fleet{hold: make(chan struct{})}
	v := f.add(t, "1.0.1")
	r := newRegistry(t, RegistryConfig{}, f)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := r.Model(impatient, v); left <- err }()
	var wg sync.WaitGroup
	models := make([]*Model, 20)
	for i := range models {
		wg.Go(func() {
			m, err := r.Model(t.Context(), v)
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

func TestBoundDropsTheLeastRecentlyUsed(t *testing.T) {
	f := &fleet{}
	var vs []Version
	for i := range 3 {
		vs = append(vs, f.add(t, fmt.Sprintf("2.0.%d", i)))
	}
	r := newRegistry(t, RegistryConfig{MaxModels: 2}, f)
	use := func(i, wantReads int) {
		t.Helper()
		if _, err := r.Model(t.Context(), vs[i]); err != nil {
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
	if r.recent.Len() != 2 || len(r.byHash) != 2 || r.bytes != 2*r.champion.model.Bytes() {
		t.Errorf("%d models in %d bytes are kept", r.recent.Len(), r.bytes)
	}
}

func TestMemoryBound(t *testing.T) {
	f := &fleet{}
	a, b := f.add(t, "3.0.0"), f.add(t, "3.0.1")
	r := newRegistry(t, RegistryConfig{MaxBytes: 1}, f)
	for _, v := range []Version{a, b} {
		if _, err := r.Model(t.Context(), v); err != nil {
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
		if _, err := r.Model(t.Context(), good); !errors.Is(err, artifact.ErrInvalid) {
			t.Fatalf("a changed artifact: %v", err)
		}
	}
	if _, err := r.Model(t.Context(), Version{Artifact: "absent"}); err == nil {
		t.Error("an absent artifact is no error")
	}
	if n := f.reads.Load(); n != 2 {
		t.Errorf("%d reads", n)
	}
	f.blobs[good.Artifact][1000] ^= 1
	r.mu.Lock()
	r.failed[good.Artifact] = failure{until: time.Now()}
	r.mu.Unlock()
	if _, err := r.Model(t.Context(), good); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}
