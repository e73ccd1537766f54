package inference

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

// stump is a tree of one split: missing values and those below the threshold go left.
type stump struct {
	feature                int
	threshold, left, right float32
}

// logistic writes a binary model of stumps in XGBoost's JSON, base score 0.5.
func logistic(features int, stumps ...stump) []byte {
	type list = []float32
	var trees []any
	for i, s := range stumps {
		trees = append(trees, map[string]any{
			"id": i, "left_children": []int{1, -1, -1}, "right_children": []int{2, -1, -1}, "split_indices": []int{s.feature, 0, 0},
			"split_conditions": list{s.threshold, s.left, s.right}, "default_left": []int{1, 0, 0}, "loss_changes": list{1, 0, 0},
			"sum_hessian": list{10, 6, 4}, "base_weights": list{0, s.left, s.right}, "split_type": []int{0, 0, 0}, "categories_nodes": []int{},
		})
	}
	raw, err := json.Marshal(map[string]any{"learner": map[string]any{
		"gradient_booster": map[string]any{"name": "gbtree", "model": map[string]any{
			"gbtree_model_param": map[string]any{"num_parallel_tree": "1"}, "tree_info": make([]int, len(stumps)), "trees": trees}},
		"learner_model_param": map[string]any{"base_score": "5E-1", "num_class": "0", "num_feature": fmt.Sprint(features), "num_target": "1"},
		"objective":           map[string]any{"name": artifact.Logistic},
	}, "version": []int{1, 7, 4}})
	if err != nil {
		panic(err)
	}
	return raw
}

// Features of the test's predictor: by its rule the machine fails soon when the first is
// high, and later when any of them is.
var (
	soon  = []stump{{0, 4.5, -3, 2}}
	later = []stump{{0, 4.5, -2, 1}, {7, 80, -1.5, 2.5}}
)

func (u Upload) with(change func(u *Upload)) *Upload {
	if change != nil {
		change(&u)
	}
	return &u
}

func predictorUpload() Upload {
	return Upload{Kind: artifact.FailurePredictor, Version: "2.0.0", FeatureSchemaHash: daily.SchemaHash(), Models: []UploadedModel{
		{Horizon: LongHorizon, Model: logistic(daily.Count, later...)}, {Horizon: ShortHorizon, Model: logistic(daily.Count, soon...)},
	}}
}

func uploaded(t testing.TB, u *Upload) ([]byte, *Model) {
	t.Helper()
	packed, m, err := u.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	return packed, m
}

func machine(vibration, temperature float32) daily.Vector {
	var x daily.Vector
	for i := range x {
		x[i] = float32(math.NaN())
	}
	x[0], x[7] = vibration, temperature
	return x
}

func sigmoid(m float64) float64 { return 1 / (1 + math.Exp(-m)) }

func TestFailure(t *testing.T) {
	_, m := uploaded(t, predictorUpload().with(nil))
	for _, c := range []struct {
		name    string
		x       daily.Vector
		m7, m30 float64
	}{
		{"quiet and cool", machine(1, 40), -3, -3.5},
		{"on the threshold", machine(4.5, 40), 2, -0.5},
		{"hot", machine(1, 90), -3, 0.5},
		{"nothing known", machine(float32(math.NaN()), float32(math.NaN())), -3, -3.5},
	} {
		f, err := m.Failure(&c.x)
		if err != nil {
			t.Fatal(err)
		}
		if float64(f.Within7.Margin) != c.m7 || float64(f.Within30.Margin) != c.m30 {
			t.Errorf("%s: margins %v and %v, want %v and %v", c.name, f.Within7.Margin, f.Within30.Margin, c.m7, c.m30)
		}
		// Within 30 days is never less likely than within 7.
		if p7, p30 := sigmoid(c.m7), sigmoid(max(c.m7, c.m30)); !near(f.Within7.Probability, p7, 1e-12) || !near(f.Within30.Probability, p30, 1e-12) {
			t.Errorf("%s: probabilities %v and %v, want %v and %v", c.name, f.Within7.Probability, f.Within30.Probability, p7, p30)
		}
		if f.Within7.Low != f.Within7.Probability || f.Within30.High != f.Within30.Probability || m.Level() != 0 {
			t.Errorf("%s: a model without calibration has an interval", c.name)
		}
	}
	if _, _, err := m.Classify(nil, nil); !errors.Is(err, errTask) {
		t.Errorf("it classifies: %v", err)
	}
	if _, err := activated(t).Failure(new(daily.Vector)); !errors.Is(err, errTask) {
		t.Errorf("a classifier predicts failures: %v", err)
	}
}

func TestFailureIsCalibrated(t *testing.T) {
	_, m := uploaded(t, predictorUpload().with(nil))
	m.parts[0].manifest.Calibration = &artifact.Calibration{Method: artifact.Isotonic, Level: 0.9,
		Margins: []float64{-4, 0, 4}, Probability: []float64{0.02, 0.2, 0.6}, Low: []float64{0.01, 0.1, 0.4}, High: []float64{0.05, 0.3, 0.9}}
	m.parts[1].manifest.Calibration = &artifact.Calibration{Method: artifact.Isotonic, Level: 0.8,
		Margins: []float64{-4, 4}, Probability: []float64{0.1, 0.3}, Low: []float64{0, 0.3}, High: []float64{0.2, 0.4}}
	x := machine(5, 40) // margins 2 and -0.5
	f, err := m.Failure(&x)
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Within7; !near(c.Probability, 0.4, 1e-12) || !near(c.Low, 0.25, 1e-12) || !near(c.High, 0.6, 1e-12) {
		t.Errorf("within 7 days %+v", c)
	}
	if c := f.Within30; !near(c.Probability, 0.4, 1e-12) || !near(c.Low, 0.25, 1e-12) || !near(c.High, 0.6, 1e-12) {
		t.Errorf("within 30 days %+v, want no less than within 7", c)
	}
	if m.Level() != 0.8 {
		t.Errorf("level %v", m.Level())
	}
}

func TestFailuresAreTheSameInABatch(t *testing.T) {
	_, m := uploaded(t, predictorUpload().with(nil))
	xs := make([]daily.Vector, 133) // two blocks and a rest
	for i := range xs {
		xs[i] = machine(float32(i%9), float32(i))
	}
	out := make([]Failure, len(xs))
	if err := m.Failures(xs, out); err != nil {
		t.Fatal(err)
	}
	for i := range xs {
		if one, err := m.Failure(&xs[i]); err != nil || one != out[i] {
			t.Fatalf("machine %d: %+v alone, %+v in the batch (%v)", i, one, out[i], err)
		}
	}
	if err := m.Failures(nil, nil); err != nil {
		t.Errorf("none: %v", err)
	}
}

func TestFailureAllocatesNothing(t *testing.T) {
	if testkit.Race {
		t.Log("the race detector makes sync.Pool drop at random: not counted")
		return
	}
	_, m := uploaded(t, predictorUpload().with(nil))
	x := machine(5, 40)
	if n := testing.AllocsPerRun(200, func() { m.Failure(&x) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

func TestPredictFailures(t *testing.T) {
	f := &fleet{blobs: map[string][]byte{}}
	s := newService(t, f)
	tenant := id.New(id.Tenant)
	assets := []id.UUID{id.New(id.Asset), id.New(id.Asset), id.New(id.Asset)}
	xs := []daily.Vector{machine(5, 40), machine(1, 40), machine(1, 90)}
	delete(s.registry.champions, artifact.FailurePredictor)
	if _, err := s.PredictFailure(t.Context(), tenant, assets[0], &xs[0]); !errors.Is(err, ErrNoModel) {
		t.Errorf("without a model: %v", err)
	}
	if _, failed, err := s.PredictFailures(t.Context(), tenant, assets, xs); err != nil || !errors.Is(failed[0], ErrNoModel) || !errors.Is(failed[2], ErrNoModel) {
		t.Errorf("without a model: %v, %v", failed, err)
	}
	deploy := func(number string, stumps []stump) Version {
		packed, m := uploaded(t, predictorUpload().with(func(u *Upload) {
			u.Version, u.Models[1].Model = number, logistic(daily.Count, stumps...)
		}))
		f.blobs[m.Hash()] = packed
		return Version{ID: id.New(id.MLModelVersion), Label: "failure_predictor:" + number, Artifact: m.Hash(), Threshold: 0.3}
	}
	all, own := deploy("2.0.0", soon), deploy("2.1.0", []stump{{0, 0.5, 0, 3}})
	f.assignments = Assignments{
		{artifact.FailurePredictor, tenant, id.Nil}:    {Production: all},
		{artifact.FailurePredictor, tenant, assets[1]}: {Production: own},
		{artifact.FailurePredictor, tenant, assets[2]}: {Production: Version{ID: id.New(id.MLModelVersion), Label: "gone", Artifact: "gone"}},
	}
	if err := s.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, failed, err := s.PredictFailures(t.Context(), tenant, assets, xs)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		v      Version
		margin float32
	}{{all, 2}, {own, 3}} {
		if p := out[i]; failed[i] != nil || p.VersionID != want.v.ID || p.VersionLabel != want.v.Label || p.Artifact != want.v.Artifact || p.Threshold != 0.3 || p.Within7.Margin != want.margin {
			t.Errorf("machine %d: %+v (%v)", i, p, failed[i])
		}
		one, err := s.PredictFailure(t.Context(), tenant, assets[i], &xs[i])
		if err != nil || one != out[i] {
			t.Errorf("machine %d alone: %+v (%v)", i, one, err)
		}
	}
	if !errors.Is(failed[2], ErrNoModel) || out[2] != (FailurePrediction{}) {
		t.Errorf("of a missing version: %+v, %v", out[2], failed[2])
	}
	if p, err := s.PredictFailure(t.Context(), tenant, id.Nil, &xs[0]); err != nil || p.VersionID != all.ID {
		t.Errorf("of no machine in particular: %+v (%v)", p, err)
	}
	if _, _, err := s.PredictFailures(t.Context(), tenant, assets[:1], xs); err == nil {
		t.Error("one machine with the features of three")
	}
}
