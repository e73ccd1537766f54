package artifact

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
)

// predictor returns a valid bundle's parts: two boosters of a failure predictor.
func predictor(t *testing.T, change func(parts []Part)) []Part {
	t.Helper()
	m := Manifest{
		Format: FormatVersion, Kind: FailurePredictor, Version: "1.0.0", Objective: Logistic, Classes: []string{"healthy", "failure"},
		Features: 3, FeatureSchemaHash: "abc", Temperature: 1,
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([]Part, 2)
	for i, e := range []Entry{{"7d", 7}, {"30d", 30}} {
		golden, err := json.Marshal(Golden{Rows: 1, X: Floats{1, 2, 3}, Margins: Floats{float32(e.Horizon)}})
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = Part{e, map[string][]byte{ManifestFile: manifest, GoldenFile: golden, BinaryFile: []byte(e.Name), JSONFile: []byte(`"` + e.Name + `"`)}}
	}
	if change != nil {
		change(parts)
	}
	return parts
}

func TestSeveralBoosters(t *testing.T) {
	packed, err := PackParts(FailurePredictor, "1.0.0", predictor(t, nil)...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Boosters) != 2 || b.Booster != b.Boosters[0] || b.Hash != HashOf(packed) {
		t.Fatalf("boosters %+v", b.Boosters)
	}
	for i, want := range []Entry{{"7d", 7}, {"30d", 30}} {
		o := b.Boosters[i]
		raw, err := o.JSON()
		if o.Entry != want || string(o.Binary) != want.Name || o.Golden.Margins[0] != float32(want.Horizon) || string(raw) != `"`+want.Name+`"` || err != nil {
			t.Errorf("booster %d is %+v with JSON %s (%v)", i, o, raw, err)
		}
	}
}

func TestSeveralBoostersMustFitTogether(t *testing.T) {
	change := func(i int, change func(m *Manifest)) func([]Part) {
		return func(parts []Part) {
			var m Manifest
			if err := json.Unmarshal(parts[i].Files[ManifestFile], &m); err != nil {
				panic(err)
			}
			change(&m)
			files := maps.Clone(parts[i].Files)
			files[ManifestFile], _ = json.Marshal(m)
			parts[i].Files = files
		}
	}
	for _, c := range []struct {
		name   string
		change func([]Part)
		reason string
	}{
		{"another kind", change(1, func(m *Manifest) { m.Kind = FaultClassifier }), "another kind"},
		{"another version", change(0, func(m *Manifest) { m.Version = "1.0.1" }), "another kind, version"},
		{"another feature schema", change(1, func(m *Manifest) { m.FeatureSchemaHash = "abd" }), "feature schema"},
		{"a manifest that is none", func(p []Part) { p[1].Files = map[string][]byte{} }, ManifestFile},
		{"no golden rows", func(p []Part) { p[1].Files[GoldenFile] = []byte("{}") }, "booster 30d: golden"},
		{"a name with a path", func(p []Part) { p[0].Name = "../7d" }, "plain name"},
		{"no name", func(p []Part) { p[0].Name = "" }, "plain name"},
		{"a name twice", func(p []Part) { p[0].Name = "30d" }, "plain name"},
		{"a horizon twice", func(p []Part) { p[0].Horizon = 30 }, "30 days"},
		{"a horizon behind", func(p []Part) { p[0].Horizon = -1 }, "-1 days"},
	} {
		packed, err := PackParts(FailurePredictor, "1.0.0", predictor(t, c.change)...)
		if err == nil {
			if _, err = Open(packed); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: opened with %v", c.name, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.reason)
		}
	}
	if _, err := PackParts(FailurePredictor, "1.0.0"); err == nil {
		t.Error("packed none")
	}
}

// Boosters share the bounds of a bundle: what eight may unpack to is not eight times
// what one may.
func TestSeveralBoostersShareTheLimits(t *testing.T) {
	var parts []Part
	for _, name := range []string{"a", "b", "c"} {
		p := predictor(t, nil)[0]
		p.Entry = Entry{Name: name}
		p.Files[BinaryFile] = make([]byte, 30<<20)
		parts = append(parts, p)
	}
	packed, err := PackParts(FailurePredictor, "1.0.0", parts...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(packed); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "c/"+BinaryFile) {
		t.Errorf("error %v", err)
	}
}
