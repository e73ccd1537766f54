//go:build cgo && xgboost

package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"foresight/inference/artifact"
	serving "foresight/inference/booster"
	"foresight/inference/training"
	"foresight/tools/xgboost"
)

// dataset draws overlapping classes in four features; rows of the class 0 weigh w.
func dataset(t *testing.T, classes int, w float32) *training.Dataset {
	t.Helper()
	const n = 1500
	h := training.Header{Rows: n, Features: []string{"a", "b", "c", "d"}, FeatureSchemaHash: "test", Classes: []string{"normal", "x", "y"}[:classes]}
	var b bytes.Buffer
	d, err := training.NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		row := training.Row{Label: r.IntN(classes), Weight: 1, Group: uint32(i), Split: training.Split(max(0, i%5-2))}
		if row.Label == 0 {
			row.Weight = w
		}
		for f := range h.Features {
			v := float32(r.NormFloat64() + 1.2*float64(row.Label*(f%2)))
			if r.IntN(20) == 0 {
				v = float32(math.NaN())
			}
			row.X = append(row.X, v)
		}
		if err := d.Write(&row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Close(); err != nil {
		t.Fatal(err)
	}
	set, err := training.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func fit(t *testing.T, set *training.Dataset, change func(*training.Request)) (*artifact.Bundle, int) {
	t.Helper()
	r := &training.Request{Dataset: "-", Out: filepath.Join(t.TempDir(), "out"), Objective: artifact.Softprob, Kind: artifact.FaultClassifier,
		Rounds: 100, Patience: 5, Eta: 0.3, Depth: 3, Threads: 1, Version: "0.0.1", Seed: 3}
	if change != nil {
		change(r)
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	ran := 0
	if err := train(r, set, func(round int, _ float64) { ran = round + 1 }); err != nil {
		t.Fatal(err)
	}
	packed, err := artifact.Pack(r.Out)
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	return b, ran
}

func TestArtifactIsServable(t *testing.T) {
	for objective, classes := range map[string]int{artifact.Softprob: 3, artifact.Logistic: 2} {
		b, ran := fit(t, dataset(t, classes, 1), func(r *training.Request) { r.Objective = objective })
		m := &b.Manifest
		if m.Training.Rounds >= ran || ran >= 100 {
			t.Errorf("%s: kept %d of %d rounds: no early stop", objective, m.Training.Rounds, ran)
		}
		if m.Metrics.Accuracy < 0.6 || m.Metrics.Rows != 300 || m.Training.Rows["train"] != 900 || m.Training.XGBoost != xgboost.LibraryVersion().String() {
			t.Errorf("%s: %+v, %+v", objective, m.Metrics, m.Training)
		}
		bo, err := serving.Load(b.Binary)
		if err != nil {
			t.Fatal(err)
		}
		if bo.Trees() != m.Training.Rounds*m.Outputs() {
			t.Errorf("%s: %d trees for %d rounds", objective, bo.Trees(), m.Training.Rounds)
		}
		margins := make([]float32, m.Outputs())
		for i := range b.Golden.Rows {
			if err := bo.Margins(b.Golden.X[4*i:4*i+4], margins); err != nil {
				t.Fatal(err)
			}
			for k, v := range margins {
				if want := b.Golden.Margins[i*len(margins)+k]; math.Abs(float64(v-want)) > 1e-5 {
					t.Fatalf("%s: row %d: %v, XGBoost says %v", objective, i, v, want)
				}
			}
		}
	}
}

func TestWeightsCount(t *testing.T) {
	plain, _ := fit(t, dataset(t, 3, 1), nil)
	heavy, _ := fit(t, dataset(t, 3, 20), nil)
	if a, b := plain.Manifest.Metrics.PerClass[0].Recall, heavy.Manifest.Metrics.PerClass[0].Recall; b < a+0.05 {
		t.Errorf("recall of the class with twenty times the weight is %v, was %v", b, a)
	}
}

func TestSameSeedSameModel(t *testing.T) {
	a, _ := fit(t, dataset(t, 3, 1), nil)
	b, _ := fit(t, dataset(t, 3, 1), nil)
	if !bytes.Equal(a.Binary, b.Binary) {
		t.Error("the same seed gave another model")
	}
}

func TestRefusedParameters(t *testing.T) {
	set := dataset(t, 3, 1)
	r := &training.Request{Dataset: "-", Out: t.TempDir(), Objective: artifact.Logistic}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if train(r, set, func(int, float64) {}) == nil {
		t.Error("a binary model of three classes")
	}
	r.Objective, r.Metric = artifact.Softprob, "nonsense"
	if train(r, set, func(int, float64) {}) == nil {
		t.Error("an unknown metric")
	}
	if files, _ := os.ReadDir(r.Out); len(files) != 0 {
		t.Error("a failed training left files")
	}
}

func TestArtifactIsCalibratedAndJudged(t *testing.T) {
	b, _ := fit(t, dataset(t, 2, 1), func(r *training.Request) { r.Objective = artifact.Logistic })
	m := &b.Manifest
	if c := m.Calibration; c == nil || c.Rows != m.Training.Rows["validation"] || m.Conformal != nil {
		t.Errorf("a binary model with the calibration %+v", m.Calibration)
	}
	if j := m.Metrics.Binary; j == nil || j.ROCAUC < 0.7 || j.Threshold != 0.3 || j.TruePositives+j.FalsePositives+j.TrueNegatives+j.FalseNegatives != m.Metrics.Rows || len(j.Reliability) != 10 {
		t.Errorf("judged %+v", j)
	}
	b, _ = fit(t, dataset(t, 3, 1), nil)
	if m = &b.Manifest; m.Calibration != nil || m.Conformal == nil || len(m.Conformal.Levels) != len(training.Coverages) || m.Metrics.Binary != nil {
		t.Errorf("a classifier with %+v", m)
	}
}

func TestClassesWeighTheSame(t *testing.T) {
	set := dataset(t, 2, 20)
	of := func(weight float64) any {
		b, _ := fit(t, set, func(r *training.Request) { r.Objective, r.PositiveWeight = artifact.Logistic, weight })
		return b.Manifest.Training.Parameters["scale_pos_weight"]
	}
	if w, ok := of(0).(float64); !ok || w < 15 || w > 25 {
		t.Errorf("the second class is weighed by %v, the first weighs 20", w)
	}
	if w := of(2); w != 2.0 {
		t.Errorf("the second class is weighed by %v, asked for 2", w)
	}
}

// XGBoost keeps what belongs to a booster by thread of the system.
func TestTrainingStaysOnItsThread(t *testing.T) {
	set := dataset(t, 3, 1)
	r := &training.Request{Dataset: "-", Out: filepath.Join(t.TempDir(), "out"), Objective: artifact.Softprob, Rounds: 20, Threads: 1}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	there, back := make(chan bool), make(chan bool)
	go func() {
		for range there {
			back <- true
		}
	}()
	defer close(there)
	err := train(r, set, func(int, float64) {
		for range 200 { // what waits for another goroutine may go on on another thread
			there <- true
			<-back
		}
	})
	if err != nil {
		t.Error(err)
	}
}
