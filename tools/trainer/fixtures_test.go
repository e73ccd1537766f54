//go:build cgo && xgboost

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/tools/xgboost"
)

var fixtures = flag.String("fixtures", "", "folder to write the models that the tests of inference/booster read")

// fixture is a small model with rows and XGBoost's margins for them.
type fixture struct {
	Features int
	Outputs  int
	Binary   []byte // deprecated format
	JSON     json.RawMessage
	X        artifact.Floats
	Margins  artifact.Floats
}

// TestFixtures trains one small model per way in which XGBoost's files differ.
//
//	go test -tags xgboost ./tools/trainer -run Fixtures -fixtures $PWD/inference/booster/testdata
func TestFixtures(t *testing.T) {
	const features, rows = 6, 600
	for name, c := range map[string]struct {
		classes    int
		parameters map[string]string
	}{
		"softprob": {3, map[string]string{"objective": "multi:softprob", "num_class": "3", "max_depth": "3"}},
		"logistic": {2, map[string]string{"objective": "binary:logistic", "base_score": "0.3", "max_depth": "3"}},
		"pruned":   {3, map[string]string{"objective": "multi:softprob", "num_class": "3", "max_depth": "5", "gamma": "12"}},
		"parallel": {3, map[string]string{"objective": "multi:softprob", "num_class": "3", "max_depth": "2", "num_parallel_tree": "2"}},
	} {
		r := rand.New(rand.NewPCG(1, uint64(c.classes)))
		x, y := make([]float32, 0, rows*features), make([]float32, rows)
		for i := range rows {
			y[i] = float32(r.IntN(c.classes))
			for f := range features {
				// Values on a coarse grid, as a sensor gives them: many fall on thresholds.
				v := float32(math.Round(4*(r.NormFloat64()+float64(y[i])*float64(f%3)/2)) / 4)
				if r.IntN(12) == 0 {
					v = float32(math.NaN())
				}
				x = append(x, v)
			}
		}
		m, err := xgboost.NewMatrix(x, features, y, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.parameters["tree_method"], c.parameters["eta"], c.parameters["seed"] = "hist", "0.4", "1"
		b, err := xgboost.New([]*xgboost.Matrix{m}, c.parameters)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			if err := b.Update(i, m); err != nil {
				t.Fatal(err)
			}
		}
		text, err := b.Save("json")
		if err != nil {
			t.Fatal(err)
		}
		binary, err := b.Save("deprecated")
		if err != nil {
			t.Fatal(err)
		}
		part := &training.Part{X: x, Labels: make([]int, rows)}
		g, err := goldenRows(b, text, part, features, 60, 1)
		if err != nil {
			t.Fatal(err)
		}
		b.Free()
		m.Free()
		if *fixtures == "" {
			continue
		}
		raw, err := json.Marshal(fixture{Features: features, Outputs: len(g.Margins) / g.Rows, Binary: binary, JSON: text, X: g.X, Margins: g.Margins})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*fixtures, fmt.Sprintf("%s.json", name)), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
