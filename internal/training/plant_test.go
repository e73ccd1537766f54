package training_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/features"
	dataset "foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
)

// classes are those of the small models that tests train.
var classes = []string{telemetry.Normal, "bearing_outer_race_defect", "rotor_unbalance", "cavitation", "angular_misalignment"}

// window measures a machine once, with a fault of a severity between two.
func (w *world) window(seed uint64, code string, low, high float64) []float32 {
	w.Helper()
	m := simulate.NewMachine(seed, simulate.Profile{})
	r := rand.New(rand.NewPCG(seed, 11))
	severity := low + (high-low)*r.Float64()
	if code == telemetry.Normal {
		severity = 0
	}
	w.ok(m.SetFault(code, severity))
	m.Settle()
	var win telemetry.Window
	now := time.Date(2026, 1, 1, r.IntN(24), 0, 0, 0, time.UTC)
	for !win.Full() {
		now = now.Add(5 * time.Second)
		s := m.Next(now)
		win.Add(now, &s.Channels)
	}
	var v features.Vector
	features.Extract(&win, &v)
	return slices.Clone(v[:])
}

// fleet is a data set of machines of each class, with severities between two.
func (w *world) fleet(seed uint64, machines int, low, high float64) *dataset.Dataset {
	w.Helper()
	var out bytes.Buffer
	d, err := dataset.NewWriter(&out, dataset.Header{Rows: machines * len(classes), Features: features.Names(), FeatureSchemaHash: features.SchemaHash(), Classes: classes})
	w.ok(err)
	for k, code := range classes {
		for i := range machines {
			split := []dataset.Split{dataset.Train, dataset.Train, dataset.Validation, dataset.Train, dataset.Test, dataset.Train, dataset.Calibrate, dataset.Train, dataset.Test, dataset.Train}[i%10]
			n := uint64(k*machines + i)
			w.ok(d.Write(&dataset.Row{X: w.window(seed<<32|n, code, low, high), Label: k, Weight: 1, Split: split, Group: uint32(n)}))
		}
	}
	_, err = d.Close()
	w.ok(err)
	set, err := dataset.Read(&out)
	w.ok(err)
	return set
}

// quick is a recipe that takes seconds.
var quick = dataset.Request{Rounds: 25, Patience: 6, MinGain: 0.001, Depth: 4, Eta: 0.3, Colsample: 0.3, MinChildWeight: 1, Lambda: 2, MaxBin: 64, Threads: 1, Seed: 1, GoldenRows: 12}

// named are the classes that a bundle gives rows, the most probable ones.
func (w *world) named(b *artifact.Bundle, x []float32) (out []int) {
	w.Helper()
	bo, err := booster.Load(b.Binary)
	w.ok(err)
	margins := make([]float32, b.Manifest.Outputs())
	for i := 0; i < len(x); i += features.Count {
		w.ok(bo.Margins(x[i:i+features.Count], margins))
		best := 0
		for k, v := range margins {
			if v > margins[best] {
				best = k
			}
		}
		out = append(out, best)
	}
	return out
}

// macroF1 judges a bundle on the test split of a data set whose classes it knows.
func (w *world) macroF1(b *artifact.Bundle, d *dataset.Dataset) float64 {
	w.Helper()
	p := &d.Parts[dataset.Test]
	said := w.named(b, p.X)
	n := len(b.Manifest.Classes)
	probability := make([]float64, n*len(said))
	for i, k := range said {
		probability[i*n+k] = 1
	}
	return dataset.Evaluate(probability, p.Labels, b.Manifest.Classes).MacroF1
}

// says stores what somebody said of a window, as feedback.
func (w *world) says(kind enum.FeedbackType, x []float32, predicted, label string) {
	w.Helper()
	values := make([]any, len(x))
	for i, v := range x {
		if v == v {
			values[i] = v
		}
	}
	raw, err := json.Marshal(values)
	w.ok(err)
	w.sql(`INSERT INTO feedback (id, tenant_id, model_version_id, features, predicted_label, probability, new_label, feedback_type) VALUES ($1, $2, $3, $4, $5, 0.6, $6, $7)`,
		id.New(id.Feedback), w.acme.TenantID, w.base, raw, predicted, label, string(kind))
}

// bundleOf opens the artifact of a version.
func (w *world) bundleOf(version id.UUID) *artifact.Bundle {
	w.Helper()
	v, err := w.orm.MLModelVersion.Get(w.engineer(), version)
	w.ok(err)
	raw, err := w.artifacts.Artifact(w.engineer(), v.ArtifactPath)
	w.ok(err)
	b, err := artifact.Open(raw)
	w.ok(err)
	return b
}
