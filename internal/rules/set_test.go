package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"foresight/internal/id"
)

func TestMatchFindsWhatALinearScanFinds(t *testing.T) {
	plant := newPlant(4, 10, 2)
	all := plant.rules(300, rand.New(rand.NewPCG(1, 2)))
	set := NewSet(all)
	if set.Len() != 300 || len(set.All()) != 300 {
		t.Fatalf("%d rules", set.Len())
	}
	hits := 0
	for _, p := range plant.places {
		for src := range sources {
			got := set.Match(nil, src, &p)
			want := scan(nil, all, src, &p)
			if !sameRules(got, want) {
				t.Fatalf("source %d at %+v: %d rules, want %d", src, p, len(got), len(want))
			}
			hits += len(got)
		}
	}
	if hits == 0 {
		t.Error("the test matched nothing")
	}
	elsewhere := Place{Site: id.New(id.Site), AssetType: "fan", Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
	if got := set.Match(nil, Readings, &elsewhere); !sameRules(got, scan(nil, all, Readings, &elsewhere)) {
		t.Errorf("elsewhere: %d rules", len(got))
	}
}

func TestScopes(t *testing.T) {
	here := Place{Site: id.New(id.Site), AssetType: "pump", Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
	for _, c := range []struct {
		name  string
		scope Scope
		want  bool
	}{
		{"tenant", Scope{}, true},
		{"its site", Scope{Site: here.Site}, true},
		{"another site", Scope{Site: id.New(id.Site)}, false},
		{"its type", Scope{AssetType: "pump"}, true},
		{"another type", Scope{AssetType: "fan"}, false},
		{"its type at its site", Scope{Site: here.Site, AssetType: "pump"}, true},
		{"another type at its site", Scope{Site: here.Site, AssetType: "fan"}, false},
		{"its type at another site", Scope{Site: id.New(id.Site), AssetType: "pump"}, false},
		{"its asset", Scope{Asset: here.Asset}, true},
		{"another asset", Scope{Asset: id.New(id.Asset)}, false},
		{"its sensor", Scope{Sensor: here.Sensor}, true},
		{"another sensor", Scope{Sensor: id.New(id.Sensor)}, false},
	} {
		set := NewSet([]*Rule{{ID: id.New(id.AlarmRule), Parameter: "flow", Scope: c.scope}})
		if got := len(set.Match(nil, Readings, &here)) == 1; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if set.Has(Predictions) || !set.Has(Readings) || set.NeedsAssetType() != (c.scope.AssetType != "") {
			t.Errorf("%s: the set tells wrongly what it needs", c.name)
		}
		if len(set.Match(nil, Predictions, &here)) != 0 {
			t.Errorf("%s: a rule on readings takes predictions", c.name)
		}
	}
	var none *Set
	if none.Match(nil, Readings, &here) != nil || none.Len() != 0 || none.All() != nil {
		t.Error("a nil set is not empty")
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	plant := newPlant(2, 5, 1)
	set := NewSet(plant.rules(100, rand.New(rand.NewPCG(1, 2))))
	dst := make([]*Rule, 0, 100)
	said := prediction(epoch, "cavitation", 0.9)
	var s State
	r := Rule{Parameter: Confidence, Operator: GT, Threshold: 0.5, MinConsecutive: 1}
	if n := testing.AllocsPerRun(100, func() {
		dst = set.Match(dst[:0], Readings, &plant.places[0])
		if in, ok := r.OfPrediction(said); ok {
			r.Evaluate(&s, in, newEvent)
		}
	}); n != 0 {
		t.Errorf("%v allocations per sample", n)
	}
}

// BenchmarkMatch compares the index with a look at every rule, for a tenant of
// 1,000 sensors and 500 rules of which 10 are not limited to an asset or sensor.
func BenchmarkMatch(b *testing.B) {
	plant := newPlant(10, 50, 2)
	rnd := rand.New(rand.NewPCG(1, 2))
	all := plant.narrow(490, rnd)
	all = append(all, plant.rules(10, rnd)...)
	set := NewSet(all)
	dst := make([]*Rule, 0, len(all))
	run := func(match func(p *Place) []*Rule) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				dst = match(&plant.places[i%len(plant.places)])
				i++
			}
		}
	}
	b.Run("index", run(func(p *Place) []*Rule { return set.Match(dst[:0], Readings, p) }))
	b.Run("scan", run(func(p *Place) []*Rule { return scan(dst[:0], all, Readings, p) }))
}

// BenchmarkEvaluate judges samples that raise, repeat and clear.
func BenchmarkEvaluate(b *testing.B) {
	b.ReportAllocs()
	r := Rule{Parameter: "flow", Operator: GT, Threshold: 5, Deadband: 1, MinConsecutive: 2}
	fresh := newEvent()
	var s State
	at, i := epoch, 0
	for b.Loop() {
		at = at.Add(1e9)
		r.Evaluate(&s, Sample{At: at, Value: float64(i % 10)}, func() id.UUID { return fresh })
		i++
	}
}

func scan(dst, all []*Rule, src Source, p *Place) []*Rule {
	for _, r := range all {
		if r.Source() == src && r.Scope.Contains(p) {
			dst = append(dst, r)
		}
	}
	return dst
}

func sameRules(a, b []*Rule) bool {
	if len(a) != len(b) {
		return false
	}
	for _, r := range a {
		if !slices.Contains(b, r) {
			return false
		}
	}
	return true
}

type plant struct{ places []Place }

func newPlant(sites, assets, sensors int) plant {
	var p plant
	kinds := []string{"pump", "motor", "fan"}
	for range sites {
		site := id.New(id.Site)
		for a := range assets {
			asset := id.New(id.Asset)
			for range sensors {
				p.places = append(p.places, Place{site, kinds[a%3], asset, id.New(id.Sensor)})
			}
		}
	}
	return p
}

// rules makes rules of every scope and source.
func (p plant) rules(n int, rnd *rand.Rand) []*Rule {
	parameters := []string{"flow", Confidence, Silence, "speed"}
	out := make([]*Rule, n)
	for i := range out {
		at := p.places[rnd.IntN(len(p.places))]
		scopes := []Scope{{}, {Site: at.Site}, {AssetType: at.AssetType}, {Site: at.Site, AssetType: at.AssetType}, {Asset: at.Asset}, {Sensor: at.Sensor}}
		out[i] = &Rule{ID: id.New(id.AlarmRule), Name: fmt.Sprint(i), Parameter: parameters[rnd.IntN(4)], Scope: scopes[rnd.IntN(6)]}
	}
	return out
}

// narrow makes rules on readings of one asset or sensor each.
func (p plant) narrow(n int, rnd *rand.Rand) []*Rule {
	out := make([]*Rule, n)
	for i := range out {
		at := p.places[rnd.IntN(len(p.places))]
		scopes := []Scope{{Asset: at.Asset}, {Sensor: at.Sensor}}
		out[i] = &Rule{ID: id.New(id.AlarmRule), Parameter: "flow", Scope: scopes[i%2]}
	}
	return out
}
