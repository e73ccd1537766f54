package main

import (
	"math"
	"sync"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/evaluate"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

func shipped(t *testing.T, c *champion.Champion) []*served {
	t.Helper()
	b, err := artifact.Open(c.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	var out []*served
	for _, one := range b.Boosters {
		s, err := serve(one)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// Conformal label sets hold the true class as often as they say, on more than 2,000
// machines that nothing was fitted to.
func TestLabelSetsCover(t *testing.T) {
	model := shipped(t, champion.FaultClassifier())[0]
	d, err := windows(fleet.Plan{Seed: 990002, FaultMachines: 36, NormalMachines: 576, Windows: 1, MinSeverity: fleet.Windows.MinSeverity})
	if err != nil {
		t.Fatal(err)
	}
	var x []float32
	var labels []int
	for i := range d.Parts {
		x, labels = append(x, d.Parts[i].X...), append(labels, d.Parts[i].Labels...)
	}
	if len(labels) < 2000 {
		t.Fatalf("%d machines", len(labels))
	}
	p, err := model.probabilities(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range model.manifest.Conformal.Levels {
		got := evaluate.LabelSets(p, labels, len(d.Classes), level.Probability)
		t.Logf("nominal %.2f: %.4f, %.2f classes", level.Coverage, got.Coverage, got.Size)
		if math.Abs(got.Coverage-level.Coverage) > 0.02 {
			t.Errorf("sets for %.2f cover %.4f", level.Coverage, got.Coverage)
		}
	}
}

// watched are the days of some machines of another seed.
var watched = sync.OnceValue(func() []fleet.LifeRow {
	return fleet.Lives(fleet.LifePlan{Seed: 990003, Machines: 200, Days: 200, Every: 5, WarmUp: 30})
})

// Probabilities of failures are what is observed, as far as so few machines tell: in each
// bin the outcomes deviate from them by less than three standard errors, with machines,
// not days, as what is drawn. The margins themselves, which lean to failures because
// training weighs them, are found out by the same measure.
func TestFailuresAreAsProbableAsSaid(t *testing.T) {
	rows := watched()
	off := 0.0
	for k, model := range shipped(t, champion.FailurePredictor()) {
		var x []float32
		var labels []int
		var machine []uint32
		for i := range rows {
			if r := &rows[i]; r.Known[k] {
				label := 0
				if r.Fails[k] {
					label = 1
				}
				x, labels, machine = append(x, r.X[:]...), append(labels, label), append(machine, r.Machine)
			}
		}
		p, err := model.probabilities(x)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := binary(p, labels)
		for _, bin := range [][2]float64{{0, 1}, {0, 0.1}, {0.1, 1}} {
			z, n := deviation(said, labels, machine, bin)
			t.Logf("%d days, probability %v: %d rows, %+.1f standard errors", fleet.Horizons[k], bin, n, z)
			if n < 50 || math.Abs(z) > 3 {
				t.Errorf("%d days, probability %v: %d rows deviate by %.1f standard errors", fleet.Horizons[k], bin, n, z)
			}
		}
		margins := make([]float32, len(labels))
		if err := model.booster.Batch(x, margins); err != nil {
			t.Fatal(err)
		}
		raw, _ := binary(training.Probabilities(margins, 2, 1, 1), labels)
		z, _ := deviation(raw, labels, machine, [2]float64{0, 1})
		off = max(off, math.Abs(z))
	}
	if off < 4 {
		t.Errorf("uncalibrated probabilities deviate by %.1f standard errors only: nothing was measured", off)
	}
}

// deviation is that of the outcomes from the probabilities in the bin, in standard errors
// over machines.
func deviation(p []float64, labels []int, machine []uint32, bin [2]float64) (z float64, rows int) {
	sums := map[uint32]float64{}
	for i, v := range p {
		if v >= bin[0] && (v < bin[1] || bin[1] == 1) {
			sums[machine[i]] += float64(labels[i]) - v
			rows++
		}
	}
	total, squares := 0.0, 0.0
	for _, s := range sums {
		total += s
		squares += s * s
	}
	return total / math.Sqrt(squares), rows
}

// Outcomes of other machines cannot be learnt: a forest of them ranks by chance, while one
// of the machines' own outcomes does not.
func TestShuffledFuturesDoNotHelp(t *testing.T) {
	rows := watched()
	const k, turns = 1, 6
	area := func(rows []fleet.LifeRow) float64 {
		d := examples(rows, k)
		x, y := d.fitting()
		test, truth := d.part(training.Test)
		f := evaluate.FitForest(x, y, nil, len(d.features), 2, evaluate.ForestOptions{Trees: 30, MinLeaf: 20, Seed: 1})
		return evaluate.ROCAUC(binary(f.Probabilities(test), truth))
	}
	own, others := area(rows), 0.0
	for seed := range uint64(turns) {
		others += area(shuffleFutures(rows, seed)) / turns
	}
	t.Logf("own futures %.3f, shuffled %.3f", own, others)
	if own < 0.65 || math.Abs(others-0.5) > 0.1 {
		t.Errorf("ROC-AUC of own futures %.3f, of shuffled ones %.3f", own, others)
	}
}
