package inference

import (
	"io"
	"log/slog"
	"math"
	"sync"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/features"
	"foresight/inference/modeltest"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// shipped is the champion, opened once for all tests.
var shipped = sync.OnceValue(func() *artifact.Bundle {
	b, err := artifact.Open(champion.FaultClassifier().Bundle)
	if err != nil {
		panic(err)
	}
	return b
})

// parts are the files of a bundle, for tests to change.
type parts struct {
	Manifest artifact.Manifest
	Golden   artifact.Golden
	Binary   []byte
	JSON     []byte
}

// variant packs the small model with a change.
func variant(t testing.TB, change func(p *parts)) []byte {
	t.Helper()
	b := modeltest.Open()
	p := &parts{b.Manifest, b.Golden, b.Binary, modeltest.JSON()}
	if change != nil {
		change(p)
	}
	return modeltest.Pack(&p.Manifest, &p.Golden, p.Binary, p.JSON)
}

func open(t testing.TB, packed []byte) *artifact.Bundle {
	t.Helper()
	b, err := artifact.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func activated(t testing.TB) *Model {
	t.Helper()
	m, err := Activate(shipped())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func small(t testing.TB) *Model {
	t.Helper()
	m, err := Activate(modeltest.Open())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// golden returns the i-th golden row of the champion with XGBoost's margins.
func golden(i int) (*features.Vector, []float32) {
	b := shipped()
	n := len(b.Manifest.Classes)
	return (*features.Vector)(b.Golden.X[i*features.Count:]), b.Golden.Margins[i*n : (i+1)*n]
}

func near(a, b, eps float64) bool { return math.Abs(a-b) <= eps }
