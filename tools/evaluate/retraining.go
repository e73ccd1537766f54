package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/evaluate"
	"foresight/inference/features"
	"foresight/inference/training"
	"foresight/internal/fleet"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
)

// What a plant corrects in the experiment: defects of outer races that are younger than
// any in the training data, and that the model takes for something else.
const (
	corrected       = "bearing_outer_race_defect"
	correctionCount = 30
	youngest        = 0.22
	oldest          = 0.36
)

// retrainingSection trains a model, corrects 30 of its answers, retrains by the way that
// the product retrains, and judges both on the original test and on machines of the plant
// that nobody corrected.
func retrainingSection(b *bench) (string, error) {
	plan := fleet.Plan{Seed: 20260303, FaultMachines: 40, NormalMachines: 500, Windows: 4, MinSeverity: fleet.Windows.MinSeverity}
	original, err := windows(plan)
	if err != nil {
		return "", err
	}
	recipe := training.Request{Objective: artifact.Softprob, Rounds: 30, Patience: 8, MinGain: 0.001, Depth: 5, Eta: 0.3, Colsample: 0.3, MinChildWeight: 2, Lambda: 2, MaxBin: 64}
	before, err := b.fit("before", asDataset(original), recipe)
	if err != nil {
		return "", err
	}
	classes := original.Classes
	label := 0
	for k, c := range classes {
		if c == corrected {
			label = k
		}
	}
	pool, err := young(70001, 600)
	if err != nil {
		return "", err
	}
	p, err := before.probabilities(pool)
	if err != nil {
		return "", err
	}
	var corrections []training.Correction
	for i := range len(pool) / features.Count {
		if row := p[i*len(classes) : (i+1)*len(classes)]; argmax(row) != label && len(corrections) < correctionCount {
			corrections = append(corrections, training.Correction{X: pool[i*features.Count : (i+1)*features.Count], Class: corrected, Asset: uint32(i)})
		}
	}
	var mixed bytes.Buffer
	report, err := training.Mix(&mixed, original, corrections, training.MixOptions{})
	if err != nil {
		return "", err
	}
	set, err := training.Read(&mixed)
	if err != nil {
		return "", err
	}
	after, err := b.fit("after", asDataset(set), recipe)
	if err != nil {
		return "", err
	}
	others, err := young(80001, 400)
	if err != nil {
		return "", err
	}
	test := &original.Parts[training.Test]
	var recall, macro, f1, alarms [2]float64
	for k, model := range []*served{before, after} {
		p, err := model.probabilities(others)
		if err != nil {
			return "", err
		}
		rows := len(others) / features.Count
		for i := range rows {
			if argmax(p[i*len(classes):(i+1)*len(classes)]) == label {
				recall[k] += 1 / float64(rows)
			}
		}
		if p, err = model.probabilities(test.X); err != nil {
			return "", err
		}
		j := evaluate.Judge(p, test.Labels, len(classes))
		macro[k], f1[k], alarms[k] = j.MacroF1, j.PerClass[label].F1, j.FalseAlarm
	}
	return fmt.Sprintf(`## Retraining with %d corrections

A model is trained by a smaller plan (%d machines per fault, %d healthy, %d windows; severity from %.1f). A plant then corrects %d of its answers, each on a machine of its own: defects of outer races at severity %.2f to %.2f, younger than any in the data, which the model took for something else. Retrained by the product's way (`+"`training.Mix`"+`: all original rows, corrections with weight 3; %d of the corrections train, %d are held out), both models are judged on the original test machines and on 400 other machines of the plant.

| measure | before | after |
|---|---|---|
| recall of the young defects, other machines | %.3f | %.3f |
| macro F1, original test | %.4f | %.4f |
| F1 of the corrected class, original test | %.3f | %.3f |
| false alarms, original test | %.4f | %.4f |

The macro F1 changes by %+.2f points.
`, correctionCount, plan.FaultMachines, plan.NormalMachines, plan.Windows, plan.MinSeverity, len(corrections), youngest, oldest, report.Train, report.Held,
		recall[0], recall[1], macro[0], macro[1], f1[0], f1[1], alarms[0], alarms[1], 100*(macro[1]-macro[0])), nil
}

// young measures one window of each machine with a young defect.
func young(seed uint64, machines int) (x []float32, err error) {
	var v features.Vector
	for i := range machines {
		m := simulate.NewMachine(seed<<32|uint64(i), simulate.Profile{})
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		if err := m.SetFault(corrected, youngest+(oldest-youngest)*r.Float64()); err != nil {
			return nil, err
		}
		m.Settle()
		var w telemetry.Window
		now := time.Date(2026, 1, 1, r.IntN(24), 0, 0, 0, time.UTC)
		for !w.Full() {
			now = now.Add(5 * time.Second)
			s := m.Next(now)
			w.Add(now, &s.Channels)
		}
		features.Extract(&w, &v)
		x = append(x, v[:]...)
	}
	return x, nil
}

func argmax(p []float64) (best int) {
	for k, v := range p {
		if v > p[best] {
			best = k
		}
	}
	return best
}

func asDataset(d *training.Dataset) *dataset {
	out := &dataset{features: d.Features, classes: d.Classes}
	n := len(d.Features)
	for s := range d.Parts {
		p := &d.Parts[s]
		for i, l := range p.Labels {
			out.rows = append(out.rows, training.Row{X: p.X[i*n : (i+1)*n], Label: l, Weight: p.Weights[i], Split: training.Split(s), Group: p.Group[i]})
		}
	}
	return out
}
