package main

import (
	"bytes"
	"fmt"
	"strings"

	"foresight/inference/evaluate"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

// windows makes a data set of the plan.
func windows(p fleet.Plan) (*training.Dataset, error) {
	var b bytes.Buffer
	if _, err := fleet.WriteWindows(&b, p); err != nil {
		return nil, err
	}
	return training.Read(&b)
}

// fresh is a fleet of the champion's kind of more than 2,000 machines with other seeds.
var fresh = fleet.Plan{Seed: 990001, FaultMachines: 40, NormalMachines: 640, Windows: 4, MinSeverity: fleet.Windows.MinSeverity}

// faultSection judges the fault classifier on the test machines of its own plan, beside
// the baselines fitted on the same training machines, and its label sets on a fresh
// fleet.
func faultSection(b *bench) (string, error) {
	bundle, err := b.bundle("champion.zip")
	if err != nil {
		return "", err
	}
	model, err := serve(bundle.Booster)
	if err != nil {
		return "", err
	}
	p := fleet.Windows
	d, err := windows(p)
	if err != nil {
		return "", err
	}
	m := model.manifest
	if d.Hash != m.Training.DatasetHash {
		return "", fmt.Errorf("the champion was trained on data set %.12s, the plan makes %.12s: make champion", m.Training.DatasetHash, d.Hash)
	}
	test, train := &d.Parts[training.Test], &d.Parts[training.Train]
	n := len(d.Features)
	c := contest{labels: test.Labels}
	answer, err := model.probabilities(test.X)
	if err != nil {
		return "", err
	}
	c.add("champion, "+m.Kind+":"+m.Version, answer)
	l := evaluate.FitLogistic(train.X, train.Labels, train.Weights, n, len(d.Classes), evaluate.LogisticOptions{Seed: 1, Epochs: 20})
	c.add("logistic regression", l.Probabilities(test.X))
	f := evaluate.FitForest(train.X, train.Labels, train.Weights, n, len(d.Classes), evaluate.ForestOptions{Trees: 100, Seed: 1})
	c.add("random forest", f.Probabilities(test.X))
	judged := evaluate.Judge(answer, test.Labels, len(d.Classes))
	if err := agree(
		figure{"accuracy", m.Metrics.Accuracy, judged.Accuracy}, figure{"macro F1", m.Metrics.MacroF1, judged.MacroF1},
		figure{"log loss", m.Metrics.LogLoss, judged.LogLoss}, figure{"calibration error", m.Metrics.CalibrationError, judged.ECE},
	); err != nil {
		return "", err
	}

	var s strings.Builder
	fmt.Fprintf(&s, "## Fault classifier, on the simulator\n\n")
	fmt.Fprintf(&s, "Data: `internal/simulate` by the plan of `internal/fleet`, seed %d: %d machines of each fault (twice as many of what shows in temperature alone, six times of faulty sensors), %d healthy ones, windows of each: %d, at severities from %.1f to 1. ", p.Seed, p.FaultMachines, p.NormalMachines, p.Windows, p.MinSeverity)
	fmt.Fprintf(&s, "Split by machine: %d machines (%d windows) train, %d stop early, %d calibrate, %d (%d windows) are the test. Data set `%.16s`, XGBoost %s, %d rounds, trees `%.16s`.\n\n",
		train.Groups, train.Rows(), d.Parts[training.Validation].Groups, d.Parts[training.Calibrate].Groups, test.Groups, test.Rows(), d.Hash, m.Training.XGBoost, m.Training.Rounds, trees(bundle.Booster))
	fmt.Fprintf(&s, "Logistic regression is multinomial, L2 1e-4, on standardised features with medians for what is missing; the random forest has 100 trees, Gini, the square root of the features at a split (`inference/evaluate`). Both are fitted on the same machines with the same weights. False alarms are healthy windows that got another name.\n\n")
	s.WriteString(c.classes(d.Classes))
	fmt.Fprintf(&s, "\n### By class\n\n%s\n", perClass(&judged, d.Classes))

	sets, err := labelSets(model)
	if err != nil {
		return "", err
	}
	s.WriteString(sets)
	return s.String(), nil
}

func labelSets(model *served) (string, error) {
	d, err := windows(fresh)
	if err != nil {
		return "", err
	}
	var x []float32
	var labels []int
	machines := 0
	for i := range d.Parts { // none of them has been seen: the splits mean nothing here
		x, labels = append(x, d.Parts[i].X...), append(labels, d.Parts[i].Labels...)
		machines += d.Parts[i].Groups
	}
	p, err := model.probabilities(x)
	if err != nil {
		return "", err
	}
	m := model.manifest
	var s strings.Builder
	fmt.Fprintf(&s, "### Label sets\n\nConformal sets (split conformal, score 1 - probability of the true class; limits from %d calibration machines), on %d fresh machines of the same mixture, %d windows. An empty set says that no class is likely enough.\n\n", m.Conformal.Machines, machines, len(labels))
	fmt.Fprintf(&s, "| nominal coverage | limit | coverage | difference, points | mean size | empty | least covered class |\n|---|---|---|---|---|---|---|\n")
	for _, level := range m.Conformal.Levels {
		got := evaluate.LabelSets(p, labels, len(d.Classes), level.Probability)
		least := 0
		for k, v := range got.PerClass {
			if v < got.PerClass[least] {
				least = k
			}
		}
		fmt.Fprintf(&s, "| %.2f | %.4f | %.4f | %+.2f | %.2f | %.3f | %s %.3f |\n", level.Coverage, level.Probability, got.Coverage, 100*(got.Coverage-level.Coverage), got.Size, got.Empty, d.Classes[least], got.PerClass[least])
	}
	top, right := make([]float64, len(labels)), make([]bool, len(labels))
	for i, l := range labels {
		row := p[i*len(d.Classes) : (i+1)*len(d.Classes)]
		best := 0
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		top[i], right[i] = row[best], best == l
	}
	fmt.Fprintf(&s, "\nReliability of the top probability on the same machines: expected calibration error %.4f.\n\n%s\n", evaluate.ECE(evaluate.Calibration(top, right, 10)), reliability(top, right))
	return s.String(), nil
}
