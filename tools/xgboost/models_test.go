//go:build cgo && xgboost

package xgboost

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/champion"
	"foresight/tools/public"
)

// subject is a model, evaluated by libxgboost, by the server and by leaves.
type subject struct {
	name       string
	features   int
	outputs    int
	binary     []byte
	thresholds map[int][]float32 // by feature
	ours       *booster.Booster
	leaves     *booster.Reference
	values     []float32 // rows of plausible values, to draw new ones from
}

func newSubject(t testing.TB, name string, binary []byte, values []float32) *subject {
	t.Helper()
	ours, err := booster.Load(binary)
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := booster.LoadReference(binary)
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{name: name, features: ours.Features(), outputs: ours.Outputs(), binary: binary, ours: ours, leaves: leaves, values: values, thresholds: map[int][]float32{}}
	features, thresholds, err := booster.Thresholds(binary, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range features {
		s.thresholds[f] = append(s.thresholds[f], thresholds[i])
	}
	return s
}

// subjects are the models that ship and two that are trained here: one as deep and long
// as a failure predictor, one of three classes.
func subjects(t testing.TB) []*subject {
	t.Helper()
	var out []*subject
	for _, c := range champion.All() {
		b, err := artifact.Open(c.Bundle)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range b.Boosters {
			out = append(out, newSubject(t, part.Manifest.Kind+part.Name, part.Binary, part.Golden.X))
		}
	}
	return append(out, trained(t, "binary, 300 trees", 40, 2, 300), trained(t, "3 classes", 12, 3, 40))
}

// published are models of data that nobody here made, which lie in the folder that
// FORESIGHT_DATA names; what is absent is left out with a message.
func published(t testing.TB) (out []*subject) {
	t.Helper()
	folder := os.Getenv("FORESIGHT_DATA")
	engines, err := public.ReadEngines(folder)
	if present(t, "C-MAPSS", err) {
		out = append(out, learnt(t, "C-MAPSS FD001", &engines.Run))
	}
	two, six, err := public.ReadAI4I(folder)
	if present(t, "AI4I", err) {
		out = append(out, learnt(t, "AI4I 2020", two), learnt(t, "AI4I 2020, six classes", six))
	}
	return out
}

// present tells of absent data, and reports whether they are there.
func present(t testing.TB, name string, err error) (there bool) {
	t.Helper()
	switch {
	case errors.Is(err, public.ErrAbsent):
		t.Logf("no model of %s: %v", name, err)
		return false
	case err != nil:
		t.Fatal(err)
	}
	return true
}

// learnt fits a model of all rows.
func learnt(t testing.TB, name string, s *public.Set) *subject {
	t.Helper()
	var x, y []float32
	for i := range s.Rows {
		x, y = append(x, s.Rows[i].X...), append(y, float32(s.Rows[i].Label))
	}
	p := map[string]string{"objective": "binary:logistic", "tree_method": "hist", "max_depth": "6", "eta": "0.1", "subsample": "0.8", "colsample_bytree": "0.8", "nthread": "2", "seed": "5"}
	if n := len(s.Classes); n > 2 {
		p["objective"], p["num_class"] = "multi:softprob", strconv.Itoa(n)
	}
	b, err := Fit(x, len(s.Features), y, 100, p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	raw, err := b.Save("deprecated")
	if err != nil {
		t.Fatal(err)
	}
	return newSubject(t, name, raw, x)
}

// trained fits a model of overlapping classes, with missing values and values on a grid.
func trained(t testing.TB, name string, features, classes, rounds int) *subject {
	t.Helper()
	const rows = 6000
	r := rand.New(rand.NewPCG(7, uint64(features)))
	x, y := make([]float32, 0, rows*features), make([]float32, rows)
	for i := range rows {
		y[i] = float32(r.IntN(classes))
		for f := range features {
			v := r.NormFloat64() + 0.3*float64(y[i])*float64(f%3)
			if f%2 == 0 {
				v = math.Round(8*v) / 8
			}
			if r.IntN(15) == 0 {
				v = math.NaN()
			}
			x = append(x, float32(v))
		}
	}
	p := map[string]string{"objective": "binary:logistic", "tree_method": "hist", "max_depth": "6", "eta": "0.05", "subsample": "0.8", "colsample_bytree": "0.8", "min_child_weight": "3", "base_score": "0.3", "nthread": "2", "seed": "5"}
	if classes > 2 {
		p["objective"], p["num_class"], p["base_score"] = "multi:softprob", string(rune('0'+classes)), "0.5"
	}
	b, err := Fit(x, features, y, rounds, p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	raw, err := b.Save("deprecated")
	if err != nil {
		t.Fatal(err)
	}
	return newSubject(t, name, raw, x)
}

// rows draws n rows: mixtures of known ones, with missing values, values exactly on
// thresholds and a step beside them, and every fifth row the one before it again but
// for one value.
func (s *subject) rows(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 3))
	known := len(s.values) / s.features
	out := make([]float32, 0, n*s.features)
	for i := range n {
		if i%5 == 4 {
			out = append(out, out[len(out)-s.features:]...)
			out[len(out)-1-r.IntN(s.features)] = s.value(r, known)
			continue
		}
		one, other := r.IntN(known), r.IntN(known)
		for f := range s.features {
			v := s.values[one*s.features+f]
			if r.IntN(4) == 0 {
				v = s.values[other*s.features+f]
			}
			switch t := s.thresholds[f]; {
			case i%2 == 0 && r.IntN(10) == 0:
				v = float32(math.NaN())
			case i%3 == 0 && len(t) > 0:
				v = t[r.IntN(len(t))]
				if r.IntN(3) == 0 {
					v = math.Nextafter32(v, float32(math.Inf(1-2*r.IntN(2))))
				}
			}
			out = append(out, v)
		}
	}
	return out
}

func (s *subject) value(r *rand.Rand, known int) float32 {
	return s.values[r.IntN(known*s.features)]
}
