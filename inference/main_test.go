package inference

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/features"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// shipped is the champion, opened once for all tests.
var shipped = sync.OnceValue(func() *artifact.Bundle {
	b, err := artifact.Open(champion.Bundle())
	if err != nil {
		panic(err)
	}
	return b
})

// parts are the files of the champion, for tests to change.
type parts struct {
	Manifest artifact.Manifest
	Golden   artifact.Golden
	Binary   []byte
	JSON     []byte
}

var shippedJSON = sync.OnceValue(func() []byte {
	raw, err := shipped().JSON()
	if err != nil {
		panic(err)
	}
	return raw
})

// variant packs the champion with a change.
func variant(t testing.TB, change func(p *parts)) []byte {
	t.Helper()
	b := shipped()
	p := &parts{b.Manifest, b.Golden, b.Binary, shippedJSON()}
	if change != nil {
		change(p)
	}
	manifest, err := json.Marshal(p.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := json.Marshal(p.Golden)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range map[string][]byte{
		artifact.ManifestFile: manifest, artifact.GoldenFile: golden, artifact.BinaryFile: p.Binary, artifact.JSONFile: p.JSON,
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store}) // quick: tests make many
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
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

// golden returns the i-th golden row of the champion with XGBoost's margins.
func golden(i int) (*features.Vector, []float32) {
	b := shipped()
	n := len(b.Manifest.Classes)
	return (*features.Vector)(b.Golden.X[i*features.Count:]), b.Golden.Margins[i*n : (i+1)*n]
}

func near(a, b, eps float64) bool { return math.Abs(a-b) <= eps }
