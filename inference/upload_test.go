package inference

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/daily"
	"foresight/inference/modeltest"
	"foresight/internal/fault"
)

func TestUploadsAreReadInEveryFormat(t *testing.T) {
	for _, form := range []string{"JSON", "binary"} {
		u := predictorUpload().with(func(u *Upload) {
			for i := range u.Models {
				if form == "binary" {
					binary, _, err := booster.Convert(u.Models[i].Model)
					if err != nil {
						t.Fatal(err)
					}
					u.Models[i].Model = binary
				}
			}
		})
		packed, m := uploaded(t, u)
		b := open(t, packed)
		if len(b.Boosters) != 2 || b.Golden.By != "leaves" || b.Golden.Rows != uploadedGolden || m.Hash() != b.Hash || m.Manifest().Version != "2.0.0" {
			t.Errorf("%s: %+v", form, b.Boosters)
		}
		x := machine(5, 90)
		if f, err := m.Failure(&x); err != nil || f.Within7.Margin != 2 || f.Within30.Margin != 3.5 {
			t.Errorf("%s: %+v (%v)", form, f, err)
		}
		if again, _ := uploaded(t, u); string(again) != string(packed) {
			t.Errorf("%s: the same upload made another artifact", form)
		}
	}
	// A fault classifier, with XGBoost's golden rows.
	own := &modeltest.Open().Golden
	_, m := uploaded(t, &Upload{Kind: artifact.FaultClassifier, Version: "3.0.0", FeatureSchemaHash: modeltest.Open().Manifest.FeatureSchemaHash,
		Classes: modeltest.Open().Manifest.Classes, Models: []UploadedModel{{Model: modeltest.JSON(), Golden: own}}})
	if len(m.Manifest().Classes) != 34 {
		t.Errorf("%d classes", len(m.Manifest().Classes))
	}
}

// withNames puts names of features into a model in JSON.
func withNames(model []byte, names []string) []byte {
	list, err := json.Marshal(names)
	if err != nil {
		panic(err)
	}
	return []byte(strings.Replace(string(model), `"learner":{`, `"learner":{"feature_names":`+string(list)+`,`, 1))
}

func swapped() []string {
	names := daily.Names()
	names[0], names[1] = names[1], names[0]
	return names
}

// A model tells the order of its columns when it was trained on the server's names, and
// nothing otherwise.
func TestNamesOfFeaturesThatMeanNothing(t *testing.T) {
	for name, names := range map[string][]string{"the server's": daily.Names(), "others": {"f0", "f1"}, "none": {}} {
		if _, _, err := predictorUpload().with(func(u *Upload) { u.Models[0].Model = withNames(u.Models[0].Model, names) }).Bundle(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUploadRefuses(t *testing.T) {
	golden := func(margin float32) *artifact.Golden {
		x := machine(5, 40)
		return &artifact.Golden{Rows: 1, X: x[:], Margins: artifact.Floats{margin}}
	}
	if _, _, err := predictorUpload().with(func(u *Upload) { u.Models[1].Golden = golden(2) }).Bundle(); err != nil {
		t.Fatalf("with XGBoost's margins: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(u *Upload)
		want   error
		reason string
	}{
		{"an unknown kind", func(u *Upload) { u.Kind = "rul" }, ErrKind, "rul"},
		{"a horizon missing", func(u *Upload) { u.Models = u.Models[:1] }, ErrKind, "1 models"},
		{"a horizon twice", func(u *Upload) { u.Models[0].Horizon = ShortHorizon }, ErrKind, "7 days"},
		{"another horizon", func(u *Upload) { u.Models[0].Horizon = 90 }, ErrKind, "90 days"},
		{"another feature schema", func(u *Upload) { u.FeatureSchemaHash = "0badc0de" }, ErrSchema, "0badc0de"},
		{"another number of features", func(u *Upload) { u.Models[0].Model = logistic(41, soon...) }, ErrKind, "41"},
		{"another objective", func(u *Upload) {
			u.Models[0].Model = []byte(strings.ReplaceAll(string(u.Models[0].Model), artifact.Logistic, "reg:squarederror"))
		}, ErrKind, "reg:squarederror"},
		{"margins that are not XGBoost's", func(u *Upload) { u.Models[1].Golden = golden(2.001) }, ErrGolden, "XGBoost says 2.001"},
		{"golden rows of another length", func(u *Upload) { u.Models[1].Golden = &artifact.Golden{Rows: 2, X: artifact.Floats{1}} }, artifact.ErrInvalid, "golden"},
		{"no model", func(u *Upload) { u.Models[0].Model = nil }, booster.ErrRefused, "neither"},
		{"half a model", func(u *Upload) { u.Models[0].Model = u.Models[0].Model[:len(u.Models[0].Model)/2] }, booster.ErrRefused, "JSON"},
		{"features in another order", func(u *Upload) { u.Models[0].Model = withNames(u.Models[0].Model, swapped()) }, ErrOrder, "column 0 is " + daily.Names()[1]},
		{"a model that learnt nothing", func(u *Upload) {
			u.Models[0].Model = []byte(strings.ReplaceAll(strings.ReplaceAll(string(logistic(daily.Count, soon...)),
				`"left_children":[1,`, `"left_children":[-1,`), `"right_children":[2,`, `"right_children":[-1,`))
		}, booster.ErrRefused, "no split"},
		{"classes too few", func(u *Upload) {
			*u = Upload{Kind: artifact.FaultClassifier, FeatureSchemaHash: modeltest.Open().Manifest.FeatureSchemaHash, Classes: []string{"a", "b"},
				Models: []UploadedModel{{Model: modeltest.JSON()}}}
		}, ErrKind, "2 classes, want 34"},
	} {
		_, _, err := predictorUpload().with(c.change).Bundle()
		var told *fault.Error
		if !errors.As(err, &told) || told.Kind != fault.BadInput || told.Key != "error.inference.upload" || told.Args["Reason"] != told.Cause.Error() {
			t.Fatalf("%s: error %v is not one for people", c.name, err)
		}
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v, want %v with %q", c.name, err, c.want, c.reason)
		}
	}
}
