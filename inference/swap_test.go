package inference

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"foresight/inference/artifact"
	"foresight/internal/id"
)

// Ten versions take over from each other while predictions run as fast as they can. None
// fails, none is without its version, and each is to the last bit what the version says
// that it names.
func TestSwapsUnderLoad(t *testing.T) {
	const swaps, callers = 10, 4
	f := &fleet{}
	tenant := id.New(id.Tenant)
	s := newService(t, f)
	s.registry.config.MaxModels = 3 // so that models are dropped, too
	w := fullWindow(3)
	type said struct {
		id          id.UUID
		probability float64
	}
	champion, _ := s.registry.BuiltIn(artifact.FaultClassifier)
	want, versions := map[string]said{}, []Version{champion}
	for i := range swaps {
		number := fmt.Sprintf("8.0.%d", i)
		v := f.version(t, number, func(p *parts) { p.Manifest.Version, p.Manifest.Temperature = number, 2+float64(i)/10 })
		versions = append(versions, v)
	}
	key := someKey()
	key.Tenant = tenant
	for i, v := range versions {
		var m *Model
		if i == 0 {
			m = activated(t)
		} else {
			m = small(t)
			m.parts[0].manifest.Temperature = 2 + float64(i-1)/10
		}
		p := probability(t, m, w)
		for label, other := range want {
			if other.probability == p {
				t.Fatalf("%s and %s say the same: the test could not tell them apart", v.Label, label)
			}
		}
		want[v.Label] = said{v.ID, p}
	}
	var current, predictions atomic.Int64 // current: place of the version that serves at least
	stop := make(chan struct{})
	done := make(chan error, callers)
	for range callers {
		go func() {
			done <- func() error {
				for {
					select {
					case <-stop:
						return nil
					default:
					}
					least := current.Load()
					p, err := s.Predict(t.Context(), key, w, newest())
					if err != nil {
						return fmt.Errorf("prediction %d: %w", predictions.Load(), err)
					}
					by, ok := want[p.VersionLabel]
					if !ok || p.VersionID != by.id || p.Probability != by.probability {
						return fmt.Errorf("%s %s said %v, want %+v", p.VersionLabel, p.VersionID, p.Probability, by)
					}
					for at := range least { // a version that had been replaced before this call
						if versions[at].Label == p.VersionLabel {
							return fmt.Errorf("%s answers after %s has taken over", p.VersionLabel, versions[least].Label)
						}
					}
					predictions.Add(1)
				}
			}()
		}()
	}
	for i, v := range versions[1:] {
		before := predictions.Load()
		f.serve(tenant, v)
		if err := s.registry.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		current.Store(int64(i + 1))
		for predictions.Load() < before+50 && len(done) == 0 { // they go on
			runtime.Gosched()
		}
	}
	close(stop)
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d predictions over %d swaps", predictions.Load(), swaps)
}
