package explain

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/booster"
)

// files are those of a small model; each seed gives another one.
func files(t testing.TB, seed uint64) map[string][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	g := &grown{objective: artifact.Softprob, features: 4, outputs: 2, base: "5E-1"}
	for len(g.trees) < 2 {
		if n := random(r, 4, 3, 50); n.left != nil {
			g.trees = append(g.trees, n.tree())
		}
	}
	text := g.json(t)
	m, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	golden := artifact.Golden{Rows: 1, X: row(r, 4)}
	for k := range m.outputs {
		golden.Margins = append(golden.Margins, float32(m.margin(golden.X, &m.outputs[k])))
	}
	out := map[string][]byte{artifact.JSONFile: text}
	if out[artifact.BinaryFile], _, err = booster.Convert(text); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{artifact.GoldenFile: golden, artifact.ManifestFile: artifact.Manifest{Format: artifact.FormatVersion,
		Kind: artifact.FaultClassifier, Version: "1.0.0", Objective: artifact.Softprob, Classes: []string{"normal", "rust"}, Features: 4, Temperature: 1}} {
		if out[name], err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func packed(t testing.TB, seed uint64) (hash string, bundle []byte) {
	t.Helper()
	bundle, err := artifact.PackFiles(files(t, seed))
	if err != nil {
		t.Fatal(err)
	}
	return artifact.HashOf(bundle), bundle
}

func TestModelsAreFoundByHorizon(t *testing.T) {
	raw, err := artifact.PackParts(artifact.FaultClassifier, "1.0.0",
		artifact.Part{Entry: artifact.Entry{Name: "7d", Horizon: 7}, Files: files(t, 1)},
		artifact.Part{Entry: artifact.Entry{Name: "30d", Horizon: 30}, Files: files(t, 2)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewExplainer(b)
	if err != nil {
		t.Fatal(err)
	}
	week, ok := e.Horizon(7)
	month, also := e.Horizon(30)
	if !ok || !also || week == month || week != e.Model() || week.Bias(0) == month.Bias(0) {
		t.Errorf("7 days %v, 30 days %v", ok, also)
	}
	if _, ok := e.Horizon(90); ok {
		t.Error("looks 90 days ahead")
	}
	if e.Bytes() != week.Bytes()+month.Bytes() {
		t.Errorf("%d bytes", e.Bytes())
	}
}

// artifacts counts how often each is read.
type artifacts struct {
	mu     sync.Mutex
	reads  map[string]int
	stored map[string][]byte
	wait   chan struct{} // reading waits for it; nil: not
}

func (a *artifacts) Artifact(_ context.Context, hash string) ([]byte, error) {
	a.mu.Lock()
	a.reads[hash]++
	raw := a.stored[hash]
	a.mu.Unlock()
	if a.wait != nil {
		<-a.wait
	}
	if raw == nil {
		return nil, errors.New("no such artifact")
	}
	return raw, nil
}

func (a *artifacts) count(hash string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reads[hash]
}

func newArtifacts(t testing.TB, n int) (a *artifacts, hashes []string) {
	t.Helper()
	a = &artifacts{reads: map[string]int{}, stored: map[string][]byte{}}
	for i := range n {
		hash, raw := packed(t, uint64(i))
		a.stored[hash] = raw
		hashes = append(hashes, hash)
	}
	return a, hashes
}

func TestAShelfReadsOnce(t *testing.T) {
	a, hashes := newArtifacts(t, 1)
	s := NewShelf(ShelfOptions{Artifacts: a})
	for range 3 {
		e, err := s.Explainer(t.Context(), hashes[0])
		if err != nil || e.Model() == nil || e.Manifest.Classes[1] != "rust" {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	if n := a.count(hashes[0]); n != 1 {
		t.Errorf("read %d times", n)
	}
}

func TestManyWhoAskCauseOneReading(t *testing.T) {
	a, hashes := newArtifacts(t, 1)
	synctest.Test(t, func(t *testing.T) {
		a.wait = make(chan struct{})
		s := NewShelf(ShelfOptions{Artifacts: a})
		impatient, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				ctx := t.Context()
				if i == 0 {
					ctx = impatient
				}
				if _, err := s.Explainer(ctx, hashes[0]); (err != nil) != (i == 0) {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		close(a.wait)
		group.Wait()
		if n := a.count(hashes[0]); n != 1 {
			t.Errorf("read %d times", n)
		}
	})
}

func TestAShelfForgetsWhatIsNotAskedFor(t *testing.T) {
	a, hashes := newArtifacts(t, 3)
	s := NewShelf(ShelfOptions{Artifacts: a, MaxBytes: 1})
	ask := func(i int) {
		if _, err := s.Explainer(t.Context(), hashes[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{0, 0, 1, 0, 2, 2} {
		ask(i)
	}
	for i, want := range []int{2, 1, 1} {
		if n := a.count(hashes[i]); n != want {
			t.Errorf("artifact %d was read %d times, want %d", i, n, want)
		}
	}
	e, err := s.Explainer(t.Context(), hashes[2])
	if err != nil || s.bytes != e.Bytes() || s.kept.Len() != 1 {
		t.Errorf("%d bytes of %d kept, %v", s.bytes, s.kept.Len(), err)
	}
}

func TestFailuresAreRememberedForAWhile(t *testing.T) {
	a, hashes := newArtifacts(t, 1)
	synctest.Test(t, func(t *testing.T) {
		s := NewShelf(ShelfOptions{Artifacts: a, RetryAfter: time.Minute})
		raw := a.stored[hashes[0]]
		a.stored[hashes[0]] = raw[:len(raw)-1]
		for range 3 {
			if _, err := s.Explainer(t.Context(), hashes[0]); !errors.Is(err, artifact.ErrInvalid) {
				t.Errorf("other content: %v", err)
			}
		}
		if n := a.count(hashes[0]); n != 1 {
			t.Errorf("read %d times", n)
		}
		a.stored[hashes[0]] = raw
		time.Sleep(time.Minute)
		if _, err := s.Explainer(t.Context(), hashes[0]); err != nil {
			t.Errorf("mended: %v", err)
		}
	})
}
