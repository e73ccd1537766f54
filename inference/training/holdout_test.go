package training

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// at is so many days after some day.
func at(days int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days) }

// Held out are the machines with the newest examples of each class.
func TestHoldOutIsByMachineAndTime(t *testing.T) {
	var all []Example
	for g := range uint32(20) { // machine 0-9 are healthy, 10-19 fail; the higher the later
		for day := range 3 {
			label := 0
			if g >= 10 && day == 2 {
				label = 1
			}
			all = append(all, Example{X: []float32{1}, Label: label, Group: g, At: at(int(g)*10 + day)})
		}
	}
	held := HoldOut(all, 0.2)
	for _, g := range []uint32{8, 9, 18, 19} {
		if _, ok := held[g]; !ok {
			t.Errorf("machine %d trains: %v", g, held)
		}
	}
	if len(held) != 4 {
		t.Errorf("held out are %v", held)
	}
	splits := map[Split]int{}
	for _, s := range held {
		splits[s]++
	}
	if splits[Test] != 2 || splits[Validation] != 1 || splits[Calibrate] != 1 || splits[Train] != 0 {
		t.Errorf("by split %v", splits)
	}
	one := HoldOut(all[:3], 0.5)
	if len(one) != 0 {
		t.Errorf("the only machine is held out: %v", one)
	}
}

func TestExamplesMustSuffice(t *testing.T) {
	h := Header{Features: []string{"a"}, FeatureSchemaHash: "h", Classes: []string{"normal", "x"}}
	examples := func(machines int) (all []Example) {
		for g := range machines {
			all = append(all, Example{X: []float32{float32(g)}, Label: g % 2, Group: uint32(g), At: at(g)})
		}
		return all
	}
	var out bytes.Buffer
	if _, err := WriteExamples(&out, h, examples(4), 0.2, true); !errors.Is(err, ErrTooFew) {
		t.Errorf("four machines: %v", err)
	}
	if _, err := WriteExamples(&out, h, examples(4), 0.2, false); err != nil {
		t.Errorf("four beside others: %v", err)
	}
	out.Reset()
	hash, err := WriteExamples(&out, h, examples(40), 0.2, true)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(&out)
	if err != nil || d.Hash != hash || d.Parts[Train].Rows() != 32 || d.Parts[Test].Rows() != 4 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestJoinKeepsBoth(t *testing.T) {
	a := original(t)
	b := &Dataset{Header: Header{Rows: 2, Features: a.Features, FeatureSchemaHash: "h", Classes: []string{"gremlins", "y"}}}
	b.Parts[Train] = Part{X: []float32{1, 2}, Labels: []int{1}, Weights: []float32{5}, Group: []uint32{0}}
	b.Parts[Test] = Part{X: []float32{3, float32(math.NaN())}, Labels: []int{0}, Weights: []float32{1}, Group: []uint32{7}}
	var out bytes.Buffer
	hash, err := Join(&out, a, b)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	if d.Hash != hash || d.Rows != a.Rows+2 || !slices.Equal(d.Classes, []string{"normal", "x", "y", "gremlins"}) {
		t.Errorf("%+v", d.Header)
	}
	last := func(p *Part) string {
		i := p.Rows() - 1
		return fmt.Sprint(p.X[2*i:], p.Labels[i], p.Weights[i], p.Group[i])
	}
	if got := last(&d.Parts[Train]); got != "[1 2] 2 5 180" {
		t.Errorf("train: %s", got)
	}
	if got := last(&d.Parts[Test]); got != "[3 NaN] 3 1 181" {
		t.Errorf("test: %s", got)
	}
	b.Features = []string{"a", "c"}
	if _, err := Join(&out, a, b); err == nil {
		t.Error("joined sets of other features")
	}
}

// Of the assets that people spoke of, those spoken of last are held out.
func TestMixHoldsOutTheNewest(t *testing.T) {
	var said []Correction
	for i := range 20 {
		said = append(said, Correction{X: []float32{float32(1000 + i), 0}, Class: "x", Asset: uint32(19 - i), At: at(i)})
	}
	out, r := mixed(t, original(t), said, MixOptions{})
	if r.Held != 4 {
		t.Fatalf("%+v", r)
	}
	for s := range out.Parts {
		p := &out.Parts[s]
		for i := range p.Labels {
			if x := p.X[2*i]; x >= 1000 && (x >= 1016) != (Split(s) != Train) {
				t.Errorf("what was said on day %v is in %s", x-1000, Split(s))
			}
		}
	}
}

// The history of a machine that is gathered again joins what is there of it: in the same
// split, each example once, with what is known by now.
func TestJoinKnowsMachinesOfPlants(t *testing.T) {
	pump, fan := Machine([]byte("pump")), Machine([]byte("fan"))
	if pump == fan || pump < plants || fan < plants {
		t.Fatalf("groups %d, %d", pump, fan)
	}
	set := func(parts map[Split]Part) *Dataset {
		d := &Dataset{Header: Header{Features: []string{"a"}, FeatureSchemaHash: "h", Classes: []string{"healthy", "failure"}}}
		for s, p := range parts {
			d.Parts[s] = p
			d.Rows += p.Rows()
		}
		return d
	}
	nan := float32(math.NaN())
	first := set(map[Split]Part{
		Train: {X: []float32{1, 2}, Labels: []int{0, 0}, Weights: []float32{1, 1}, Group: []uint32{0, fan}},
		Test:  {X: []float32{nan, 4}, Labels: []int{0, 0}, Weights: []float32{1, 1}, Group: []uint32{pump, pump}},
	})
	second := set(map[Split]Part{
		Train: {X: []float32{nan, 5, 1}, Labels: []int{1, 1, 0}, Weights: []float32{1, 1, 1}, Group: []uint32{pump, pump, 0}}, // the first is known to have failed by now
		Test:  {X: []float32{6}, Labels: []int{0}, Weights: []float32{1}, Group: []uint32{fan}},
	})
	var out bytes.Buffer
	if _, err := Join(&out, first, second); err != nil {
		t.Fatal(err)
	}
	d, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	told := func(p *Part) string { return fmt.Sprint(p.X, p.Labels, p.Group) }
	if got, want := told(&d.Parts[Train]), fmt.Sprint([]float32{1, 2, 1, 6}, []int{0, 0, 0, 0}, []uint32{0, fan, 1, fan}); got != want {
		t.Errorf("train %s, want %s", got, want)
	}
	if got, want := told(&d.Parts[Test]), fmt.Sprint([]float32{4, nan, 5}, []int{0, 1, 1}, []uint32{pump, pump, pump}); got != want {
		t.Errorf("test %s, want %s", got, want)
	}
}
