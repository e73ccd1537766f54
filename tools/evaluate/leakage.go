package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"foresight/inference/artifact"
	"foresight/inference/evaluate"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

// foretoldMachines is how many test machines are measured with other futures.
const foretoldMachines = 400

// leakageSection asks twice whether the future helps: the champion answers features that
// were computed beside other futures, and a model is trained on exchanged outcomes.
func leakageSection(b *bench) (string, error) {
	bundle, err := b.bundle("failure.zip")
	if err != nil {
		return "", err
	}
	const k = 1 // 30 days
	champion, err := serve(bundle.Boosters[k])
	if err != nil {
		return "", err
	}
	var s strings.Builder
	fmt.Fprintf(&s, "## Leakage\n\nThe features of %d test machines, computed three times: from their whole records; with all that comes after each day replaced by what became of another machine; from records that end with the day. The outcomes (30 days) are the machines' own.\n\n| after the day | ROC-AUC | PR-AUC | log loss |\n|---|---|---|---|\n", foretoldMachines)
	var first [3]float64
	for i, f := range []struct {
		name   string
		future fleet.Future
	}{{"the machine's own future", fleet.Own}, {"another machine's future", fleet.Another}, {"nothing", fleet.None}} {
		x, labels := examples(foretold(f.future), k).part(training.Test)
		p, err := champion.probabilities(x)
		if err != nil {
			return "", err
		}
		score, positive := binary(p, labels)
		got := [3]float64{evaluate.ROCAUC(score, positive), evaluate.PRAUC(score, positive), evaluate.LogLoss(score, positive)}
		if i == 0 {
			first = got
		}
		if got != first {
			return "", fmt.Errorf("%s: %v, but with their own %v: a feature looks ahead", f.name, got, first)
		}
		fmt.Fprintf(&s, "| %s | %.6f | %.6f | %.6f |\n", f.name, got[0], got[1], got[2])
	}

	rows, err := b.lives()
	if err != nil {
		return "", err
	}
	shuffled := shuffleFutures(rows, 1)
	d := examples(shuffled, k)
	model, err := b.fit("leakage", d, training.Request{Objective: artifact.Logistic, Rounds: 60, Patience: 0, Depth: 5, Eta: 0.1, MaxBin: 128})
	if err != nil {
		return "", err
	}
	x, labels := d.part(training.Test)
	p, err := model.probabilities(x)
	if err != nil {
		return "", err
	}
	area := evaluate.ROCAUC(binary(p, labels))
	if math.Abs(area-0.5) > 0.05 {
		return "", fmt.Errorf("a model of exchanged outcomes has ROC-AUC %.3f", area)
	}
	fmt.Fprintf(&s, "\nThen every machine of the plan got the outcomes of another one of its split, and kept its features. A model trained on that ranks the exchanged outcomes of test machines with ROC-AUC %.3f; 0.5 is chance. Tests of `inference/daily` and `internal/fleet` hold, to the bit, that no feature changes with the future, and that a look three days ahead would be noticed.\n", area)
	return s.String(), nil
}

// foretold measures the first test machines of the plan.
func foretold(f fleet.Future) []fleet.LifeRow {
	out := make([][]fleet.LifeRow, foretoldMachines)
	var wait sync.WaitGroup
	next := make(chan [2]int)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				out[i[0]] = fleet.Foretold(fleet.Watched, i[1], f)
			}
		})
	}
	for i, machine := range fleet.Tested(fleet.Watched)[:foretoldMachines] {
		next <- [2]int{i, machine}
	}
	close(next)
	wait.Wait()
	return slices.Concat(out...)
}

// shuffleFutures exchanges what became of the machines between machines of a split, day by
// day in their order.
func shuffleFutures(rows []fleet.LifeRow, seed uint64) []fleet.LifeRow {
	starts := map[training.Split][][2]int{}
	for i := 0; i < len(rows); {
		j := i
		for j < len(rows) && rows[j].Machine == rows[i].Machine {
			j++
		}
		starts[rows[i].Split] = append(starts[rows[i].Split], [2]int{i, j})
		i = j
	}
	out := slices.Clone(rows)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, s := range []training.Split{training.Train, training.Validation, training.Test, training.Calibrate} {
		spans := starts[s]
		order := r.Perm(len(spans))
		for a, place := range order {
			// The next machine in a random circle: never itself.
			span, other := spans[place], spans[order[(a+1)%len(order)]]
			for i := span[0]; i < span[1]; i++ {
				j := other[0] + (i-span[0])%(other[1]-other[0])
				out[i].Fails, out[i].Known = rows[j].Fails, rows[j].Known
			}
		}
	}
	return out
}
