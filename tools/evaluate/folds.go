package main

import (
	"fmt"

	"foresight/inference/evaluate"
	"foresight/inference/training"
)

// crossValidated trains once for each of so many folds and puts the answers for the
// held-out rows together. fold tells the fold of a group; of the others the next one stops
// early and calibrates.
func (b *bench) crossValidated(name string, d *dataset, r training.Request, folds int, fold func(group uint32) int) (*contest, error) {
	c := &contest{}
	answers := make([][]float64, 3)
	classes := len(d.classes)
	for k := range folds {
		turn := *d
		turn.rows = append([]training.Row(nil), d.rows...)
		for i := range turn.rows {
			row := &turn.rows[i]
			switch (fold(row.Group) - k + folds) % folds {
			case 0:
				row.Split = training.Test
			case 1:
				row.Split = training.Validation // which calibrates where nothing else does
			default:
				row.Split = training.Train
			}
		}
		model, err := b.fit(fmt.Sprintf("%s-%d", name, k), &turn, r)
		if err != nil {
			return nil, err
		}
		test, labels := turn.part(training.Test)
		p, err := model.probabilities(test)
		if err != nil {
			return nil, err
		}
		x, y := turn.fitting()
		l := evaluate.FitLogistic(x, y, nil, len(d.features), classes, evaluate.LogisticOptions{Seed: 1, Epochs: 20})
		f := evaluate.FitForest(x, y, nil, len(d.features), classes, evaluate.ForestOptions{Trees: 100, MinLeaf: 2, Seed: 1})
		for i, a := range [][]float64{p, l.Probabilities(test), f.Probabilities(test)} {
			answers[i] = append(answers[i], a...)
		}
		c.labels = append(c.labels, labels...)
	}
	for i, name := range []string{"XGBoost, served in Go", "logistic regression", "random forest"} {
		c.add(name, answers[i])
	}
	return c, nil
}
