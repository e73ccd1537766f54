package explain

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/champion"
	"foresight/inference/modeltest"
)

// little is a model of two outputs with trees of a few nodes.
func little() *grown {
	r := rand.New(rand.NewPCG(7, 7))
	g := &grown{objective: artifact.Softprob, features: 4, outputs: 2, base: "5E-1"}
	for range 4 {
		n := random(r, 4, 3, 50)
		for n.left == nil {
			n = random(r, 4, 3, 50)
		}
		g.trees = append(g.trees, n.tree())
	}
	return g
}

// What a file may be at all is tested in package booster.
func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(weights []float32)
		reason string
	}{
		"a negative weight": {func(w []float32) { w[1] = -1 }, "weigh"},
		"no weight":         {func(w []float32) { clear(w) }, "weigh 0 and 0"},
	} {
		g := little()
		c.change(g.trees[0]["sum_hessian"].([]float32))
		if _, err := Parse(g.json(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	raw := little().json(t)
	if _, err := Parse(raw[:len(raw)-9]); !errors.Is(err, ErrRefused) || !errors.Is(err, booster.ErrRefused) {
		t.Errorf("a file cut short: %v", err)
	}
}

func TestNodesAreBounded(t *testing.T) {
	l := layout{nodes: make([]node, maxTotal-1)}
	if err := l.add(make([]booster.Node, 2), &output{}); err == nil || !strings.Contains(err.Error(), "nodes") {
		t.Errorf("error %v", err)
	}
}

// Both formats of a model are explained alike, to the last bit.
func TestFormatsAgree(t *testing.T) {
	text := little().json(t)
	binary, _, err := booster.Convert(text)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse(binary)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		x := row(r, 4)
		for k := range 2 {
			one, other := make([]float64, 4), make([]float64, 4)
			m, err := a.Output(x, k, one)
			n, err2 := b.Output(x, k, other)
			if err != nil || err2 != nil || m != n || !slices.Equal(one, other) {
				t.Fatalf("%v %v and %v %v (%v, %v)", m, one, n, other, err, err2)
			}
		}
	}
}

func TestTheModelIsTheArtifacts(t *testing.T) {
	open := func(change func(m *artifact.Manifest, g *artifact.Golden, binary *[]byte)) error {
		b, err := artifact.Open(modeltest.Classifier())
		if err != nil {
			t.Fatal(err)
		}
		binary := b.Binary
		change(&b.Manifest, &b.Golden, &binary)
		if b, err = artifact.Open(modeltest.Pack(&b.Manifest, &b.Golden, binary, modeltest.JSON())); err != nil {
			t.Fatal(err)
		}
		_, err = New(b.Booster)
		return err
	}
	if err := open(func(*artifact.Manifest, *artifact.Golden, *[]byte) {}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m *artifact.Manifest, g *artifact.Golden, binary *[]byte){
		"other margins": func(_ *artifact.Manifest, g *artifact.Golden, _ *[]byte) { g.Margins[40] += 1e-3 },
		"another model": func(_ *artifact.Manifest, _ *artifact.Golden, binary *[]byte) {
			other, _, err := booster.Convert(little().json(t))
			if err != nil {
				t.Fatal(err)
			}
			*binary = other
		},
	} {
		if err := open(change); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: whatever the bytes, Parse ends with a refusal or a model that explains.
func FuzzParse(f *testing.F) {
	raw := little().json(f)
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	for _, x := range fixtures(f) {
		f.Add([]byte(x.JSON))
	}
	f.Add([]byte(`{"learner":{"gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{"left_children":[-1],"right_children":[-1],"split_indices":[0],"split_conditions":[1],"default_left":[0],"sum_hessian":[0]}]}},"objective":{"name":"binary:logistic"},"learner_model_param":{"base_score":"0.5","num_class":"0","num_feature":"1"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		x := make([]float32, m.Features())
		phi, margins := make([]float64, m.Features()*m.Outputs()), make([]float64, m.Outputs())
		for _, v := range []float32{0, -1e9, 1e9, nan} {
			for i := range x {
				x[i] = v
			}
			clear(phi)
			if err := m.All(x, phi, margins); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Loading happens once for each version that is asked about.
func BenchmarkNew(b *testing.B) {
	bundle, err := artifact.Open(champion.FaultClassifier().Bundle)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(bundle.Booster); err != nil {
			b.Fatal(err)
		}
	}
}
