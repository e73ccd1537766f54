package training

import (
	"bytes"
	"math"
	"testing"
)

// original is a data set with three classes of 40 training rows, and some held out.
func original(t *testing.T) *Dataset {
	t.Helper()
	h := Header{Features: []string{"a", "b"}, FeatureSchemaHash: "h", Classes: []string{"normal", "x", "y"}}
	var all []Row
	for i := range 180 {
		all = append(all, Row{X: []float32{float32(i), 1}, Label: i % 3, Weight: 1, Group: uint32(i), Split: []Split{Train, Train, Train, Train, Validation, Test}[i/3%6]})
	}
	h.Rows = len(all)
	raw, _ := encode(t, h, all)
	d, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mixed(t *testing.T, d *Dataset, c []Correction, o MixOptions) (*Dataset, *MixReport) {
	t.Helper()
	var b bytes.Buffer
	r, err := Mix(&b, d, c, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if out.Hash != r.Hash {
		t.Errorf("hash %s, reported %s", out.Hash, r.Hash)
	}
	return out, r
}

func corrections(n int, class string) (c []Correction) {
	for i := range n {
		c = append(c, Correction{X: []float32{-1, float32(math.NaN())}, Class: class, Asset: uint32(i / 2)}) // two of each asset
	}
	return c
}

func TestMixKeepsTheOriginal(t *testing.T) {
	d := original(t)
	out, r := mixed(t, d, corrections(20, "x"), MixOptions{})
	if r.Rows != 200 || r.Train != 16 || r.Held != 4 || len(r.New) != 0 || len(r.Boost) != 0 {
		t.Errorf("%+v", r)
	}
	p, was := &out.Parts[Train], &d.Parts[Train]
	for i, l := range was.Labels {
		if p.Labels[i] != l || p.X[2*i] != was.X[2*i] || p.Weights[i] != was.Weights[i] || p.Group[i] != was.Group[i] {
			t.Fatalf("row %d changed", i)
		}
	}
	for i := was.Rows(); i < p.Rows(); i++ {
		if p.Weights[i] != 3 || p.Labels[i] != 1 || p.Group[i] < 180 {
			t.Errorf("a correction with weight %v, label %d, group %d", p.Weights[i], p.Labels[i], p.Group[i])
		}
	}
}

func TestMixLearnsNewClasses(t *testing.T) {
	out, r := mixed(t, original(t), corrections(4, "gremlins"), MixOptions{HeldOut: -1})
	if len(r.New) != 1 || len(out.Classes) != 4 || out.Classes[3] != "gremlins" || r.Train != 4 {
		t.Errorf("%+v", r)
	}
	// The others have 40 each: 4 x 3 is raised to 40.
	if b := r.Boost["gremlins"]; math.Abs(float64(b)-40.0/12) > 1e-6 {
		t.Errorf("raised by %v", b)
	}
	_, r = mixed(t, original(t), corrections(1, "gremlins"), MixOptions{HeldOut: -1, MaxBoost: 2})
	if b := r.Boost["gremlins"]; b != 2 {
		t.Errorf("raised by %v, at most 2", b)
	}
}

func TestMixRefuses(t *testing.T) {
	for name, c := range map[string][]Correction{
		"nothing": nil, "too few features": {{X: []float32{1}, Class: "x"}}, "no class": {{X: []float32{1, 2}}},
	} {
		var b bytes.Buffer
		if _, err := Mix(&b, original(t), c, MixOptions{}); err == nil {
			t.Errorf("%s: mixed", name)
		}
	}
}

// A machine that the original has stays in its split, whatever is said of it.
func TestMixKeepsMachinesWhereTheyAre(t *testing.T) {
	machine := Machine([]byte("pump"))
	for _, want := range []Split{Train, Test} {
		d := original(t)
		p := &d.Parts[want]
		p.X, p.Labels, p.Weights, p.Group = append(p.X, 1, 2), append(p.Labels, 1), append(p.Weights, 1), append(p.Group, machine)
		said := append(corrections(20, "x"), Correction{X: []float32{-7, 0}, Class: "y", Asset: machine, At: at(1000)})
		out, r := mixed(t, d, said, MixOptions{})
		held := 4
		if want != Train {
			held++
		}
		if r.Held != held || r.Train != 21-held {
			t.Errorf("%s: %+v", want, r)
		}
		q := &out.Parts[want]
		if i := len(q.Group) - 1; q.Group[i] != machine || q.X[2*i] != -7 {
			t.Errorf("%s: the last row is of %d", want, q.Group[i])
		}
	}
}
