package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/daily"
	"foresight/inference/training"
)

// A bundle without reference gets that of its data set, and of no other; it serves as
// before.
func TestAReferenceIsAdded(t *testing.T) {
	dataset := func(shift float32) *training.Dataset {
		var file bytes.Buffer
		w, err := training.NewWriter(&file, training.Header{Rows: 90, Features: daily.Names(), FeatureSchemaHash: daily.SchemaHash(), Classes: []string{"healthy", "failure"}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 90 {
			r := training.Row{X: make([]float32, daily.Count), Label: i % 2, Weight: 1, Group: uint32(i)}
			for f := range r.X {
				r.X[f] = float32(i*f) + shift
			}
			if err := w.Write(&r); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		d, err := training.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	own, other := dataset(0), dataset(5)
	shipped, err := artifact.Open(champion.FailurePredictor().Bundle)
	if err != nil {
		t.Fatal(err)
	}
	var parts []artifact.Part
	for _, b := range shipped.Boosters {
		m := b.Manifest
		m.Reference, m.Training.DatasetHash = nil, own.Hash
		files := map[string][]byte{artifact.BinaryFile: b.Binary}
		files[artifact.ManifestFile], _ = json.Marshal(m)
		files[artifact.GoldenFile], _ = json.Marshal(b.Golden)
		if files[artifact.JSONFile], err = b.JSON(); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, artifact.Part{Entry: b.Entry, Files: files})
	}
	old, err := artifact.PackParts(shipped.Manifest.Kind, shipped.Manifest.Version, parts...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := withReference(old, []*training.Dataset{other}); err == nil {
		t.Error("another data set is taken for its own")
	}
	got, err := withReference(old, []*training.Dataset{other, own})
	if err != nil {
		t.Fatal(err)
	}
	b, err := artifact.Open(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range b.Boosters {
		if r := one.Manifest.Reference; r == nil || r.Rows[0] != 45 || len(r.Edges[1]) != artifact.ReferenceBins-1 {
			t.Errorf("booster %s: %+v", one.Name, r)
		}
	}
	if _, err := inference.Activate(b); err != nil {
		t.Error(err)
	}
}
