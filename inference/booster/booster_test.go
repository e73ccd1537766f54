package booster

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dmitryikh/leaves"

	"foresight/inference/artifact"
)

// fixture is a model that XGBoost 1.7.4 trained, with XGBoost's margins; made by
// the tests of tools/trainer.
type fixture struct {
	Features, Outputs int
	Binary            []byte
	JSON              json.RawMessage
	X, Margins        artifact.Floats
}

func load(t testing.TB, name string) fixture {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// worst returns the largest deviation from XGBoost's margins.
func worst[F float32 | float64](f fixture, predict func(row []float32, out []F) error) float64 {
	out := make([]F, f.Outputs)
	most := 0.0
	for i := 0; i < len(f.X)/f.Features; i++ {
		if err := predict(f.X[i*f.Features:(i+1)*f.Features], out); err != nil {
			return math.Inf(1)
		}
		for k, v := range out {
			most = max(most, math.Abs(float64(v)-float64(f.Margins[i*f.Outputs+k])))
		}
	}
	return most
}

func TestMarginsAreThoseOfXGBoost(t *testing.T) {
	for _, name := range []string{"softprob", "logistic", "pruned"} {
		t.Run(name, func(t *testing.T) {
			f := load(t, name)
			b, err := Load(f.Binary)
			if err != nil {
				t.Fatal(err)
			}
			if d := worst(f, b.Margins); d != 0 {
				t.Errorf("deviates by %v", d)
			}
			r, err := LoadReference(f.Binary)
			if err != nil {
				t.Fatal(err)
			}
			if d := worst(f, r.Margins); !(d <= 1e-5) {
				t.Errorf("leaves deviates by %v", d)
			}
		})
	}
}

// Each repair is needed: leaves refuses the file or computes something else when
// it is undone.
func TestEveryRepairIsNeeded(t *testing.T) {
	for _, c := range []struct {
		name, fixture string
		undo          func(f *file, repaired []byte) []byte
	}{
		{"the prefix", "softprob", func(_ *file, b []byte) []byte { return append([]byte(prefix), b...) }},
		{"num_output_group", "softprob", func(f *file, b []byte) []byte {
			binary.LittleEndian.PutUint32(b[modelAt(f)+24:], 0) // as XGBoost 1.7 leaves it
			return b
		}},
		{"base_score", "logistic", func(f *file, b []byte) []byte {
			binary.LittleEndian.PutUint32(b, math.Float32bits(f.baseScore))
			return b
		}},
		{"the thresholds", "softprob", func(f *file, b []byte) []byte {
			at := modelAt(f) + modelSize
			for _, t := range f.trees {
				at += treeSize
				for _, n := range t.byLevel() {
					binary.LittleEndian.PutUint32(b[at+16:], math.Float32bits(n.value))
					at += nodeSize
				}
				at += len(t.nodes) * statSize
			}
			return b
		}},
		{"pruned nodes", "pruned", func(_ *file, _ []byte) []byte {
			raw := load(t, "pruned").Binary[len(prefix):]
			f, _ := parse(load(t, "pruned").Binary)
			binary.LittleEndian.PutUint32(raw[modelAt(f)+24:], uint32(f.groups))
			return raw
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fx := load(t, c.fixture)
			f, err := parse(fx.Binary)
			if err != nil {
				t.Fatal(err)
			}
			repaired, err := f.encode()
			if err != nil {
				t.Fatal(err)
			}
			if d := deviation(fx, repaired); !(d <= 1e-5) {
				t.Fatalf("with all repairs it deviates by %v", d)
			}
			if d := deviation(fx, c.undo(f, repaired)); d <= 1e-3 {
				t.Errorf("without this repair it deviates by %v only", d)
			}
		})
	}
}

func modelAt(f *file) int { return headerSize + 8 + len(f.objective) + 8 + len("gbtree") }

// deviation feeds the bytes to leaves as they are; infinite when it cannot.
func deviation(fx fixture, raw []byte) (d float64) {
	defer func() {
		if recover() != nil {
			d = math.Inf(1)
		}
	}()
	// leaves would ask for as much memory as the length says, here 60 GB.
	if binary.LittleEndian.Uint64(raw[headerSize:]) > uint64(len(raw)) {
		return math.Inf(1)
	}
	e, err := leaves.XGEnsembleFromReader(bufio.NewReader(bytes.NewReader(raw)), false)
	if err != nil || e.NOutputGroups() != fx.Outputs {
		return math.Inf(1)
	}
	return worst(fx, (&Reference{e, fx.Features, fx.Outputs}).Margins)
}

// A batch passes blocks of trees and of rows; the sums are those of rows one by one.
func TestBatchIsTheSameAsOneByOne(t *testing.T) {
	for _, name := range []string{"softprob", "logistic"} {
		fx := load(t, name)
		f, err := parse(fx.Binary)
		if err != nil {
			t.Fatal(err)
		}
		for few := f.trees; len(newForest(f).cells) < 2*blockCells; {
			f.trees = append(f.trees, few...)
		}
		b, err := newBooster(f)
		if err != nil {
			t.Fatal(err)
		}
		var x []float32
		for len(x) < (2*blockRows+3)*fx.Features {
			x = append(x, fx.X...)
		}
		n := len(x) / fx.Features
		got, want := make([]float32, n*fx.Outputs), make([]float32, fx.Outputs)
		for _, n := range []int{0, 1, blockRows, n} {
			if err := b.Batch(x[:n*fx.Features], got[:n*fx.Outputs]); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if err := b.Margins(x[i*fx.Features:(i+1)*fx.Features], want); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got[i*fx.Outputs:(i+1)*fx.Outputs], want) {
					t.Fatalf("%s: row %d of %d: %v, alone %v", name, i, n, got[i*fx.Outputs:(i+1)*fx.Outputs], want)
				}
			}
		}
	}
}

func TestMarginsChecksLengths(t *testing.T) {
	f := load(t, "softprob")
	b, err := Load(f.Binary)
	if err != nil {
		t.Fatal(err)
	}
	r, err := LoadReference(f.Binary)
	if err != nil {
		t.Fatal(err)
	}
	row, out, wide := make([]float32, f.Features), make([]float32, f.Outputs), make([]float64, f.Outputs)
	for name, err := range map[string]error{
		"short row": b.Margins(row[1:], out), "long row": b.Margins(append(row, 0), out),
		"short room": b.Margins(row, out[1:]), "no row": b.Margins(nil, out),
		"batch: half a row": b.Batch(row[1:], out), "batch: short room": b.Batch(row, out[1:]), "batch: long room": b.Batch(nil, out),
		"leaves: short row": r.Margins(row[1:], wide), "leaves: short room": r.Margins(row, wide[1:]),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	put := func(at int, v uint32) func(b []byte, f *file) {
		return func(b []byte, _ *file) { binary.LittleEndian.PutUint32(b[at:], v) }
	}
	inModel := func(at int, v uint32) func(b []byte, f *file) {
		return func(b []byte, f *file) { binary.LittleEndian.PutUint32(b[len(prefix)+modelAt(f)+at:], v) }
	}
	inNode := func(n, at int, v uint32) func(b []byte, f *file) {
		return inModel(modelSize+treeSize+n*nodeSize+at, v)
	}
	for _, c := range []struct {
		name   string
		change func(b []byte, f *file)
		reason string
	}{
		{"another format", put(0, 0x7b7b7b7b), "no XGBoost model"},
		{"no features", put(8, 0), "features"},
		{"billions of features", put(8, math.MaxUint32), "features"},
		{"thousands of classes", put(12, 1<<20), "classes"},
		{"base score NaN", put(4, 0x7fc00000), "base score"},
		{"a name of terabytes", put(4+headerSize, 1<<30), "a name of"},
		{"no trees", inModel(0, 0), "trees"},
		{"billions of trees", inModel(0, math.MaxInt32/3*3), "trees"},
		{"more trees than bytes", inModel(0, 49_998), "trees in"},
		{"vector leaves", inModel(28, 3), "vectors"},
		{"billions of nodes", inModel(modelSize+4, math.MaxInt32), "nodes"},
		{"negative nodes", inModel(modelSize+4, math.MaxUint32), "nodes"},
		{"a child outside", inNode(0, 4, 4000), "a child is node"},
		{"a negative child", inNode(0, 8, 0xfffffff0), "a child is node"},
		{"a circle", inNode(0, 4, 0), "no tree"},
		{"one child twice", func(b []byte, f *file) {
			at := len(prefix) + modelAt(f) + modelSize + treeSize
			copy(b[at+8:at+12], b[at+4:at+8])
		}, "no tree"},
		{"a feature too many", inNode(0, 12, 6), "splits feature"},
		{"a threshold NaN", inNode(0, 16, 0x7fc00000), "holds NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := load(t, "softprob").Binary
			f, err := parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			c.change(raw, f)
			if _, err := Load(raw); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want a refusal with %q", err, c.reason)
			}
		})
	}
}

func TestLoadRefusesParallelTrees(t *testing.T) {
	if _, err := Load(load(t, "parallel").Binary); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "num_parallel_tree") {
		t.Errorf("error %v", err)
	}
}

func TestLoadRefusesEveryTruncation(t *testing.T) {
	raw := load(t, "logistic").Binary
	f, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	// What follows tree_info (metrics, attributes) is not read.
	end := len(prefix) + modelAt(f) + modelSize + 4*len(f.trees)
	for _, tr := range f.trees {
		end += treeSize + len(tr.nodes)*(nodeSize+statSize)
	}
	for n := range end {
		if _, err := Load(raw[:n:n]); !errors.Is(err, ErrRefused) {
			t.Fatalf("%d of %d bytes: %v", n, end, err)
		}
	}
	if _, err := Load(raw[:end]); err != nil {
		t.Errorf("all bytes: %v", err)
	}
}
