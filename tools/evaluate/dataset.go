package main

import (
	"fmt"
	"os"
	"strings"

	"foresight/inference/evaluate"
	"foresight/inference/training"
)

// dataset is examples in memory, with the split of each.
type dataset struct {
	features, classes []string
	rows              []training.Row
}

func (d *dataset) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := training.NewWriter(f, training.Header{Rows: len(d.rows), Features: d.features, FeatureSchemaHash: "evaluation", Classes: d.classes})
	if err != nil {
		return err
	}
	for i := range d.rows {
		if err := w.Write(&d.rows[i]); err != nil {
			return err
		}
	}
	if _, err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

// part returns the rows of a split, row-major.
func (d *dataset) part(s training.Split) (x []float32, labels []int) {
	for i := range d.rows {
		if r := &d.rows[i]; r.Split == s {
			x, labels = append(x, r.X...), append(labels, r.Label)
		}
	}
	return x, labels
}

// fitting returns what a baseline is fitted on: it needs neither early stopping nor
// calibration, so it gets these rows too.
func (d *dataset) fitting() (x []float32, labels []int) {
	for i := range d.rows {
		if r := &d.rows[i]; r.Split != training.Test {
			x, labels = append(x, r.X...), append(labels, r.Label)
		}
	}
	return x, labels
}

// binary is the second class's probability, and whether it was that class.
func binary(p []float64, labels []int) (score []float64, positive []bool) {
	for i, l := range labels {
		score, positive = append(score, p[2*i+1]), append(positive, l == 1)
	}
	return score, positive
}

// contest is a table of models that answered the same questions.
type contest struct {
	names   []string
	answers [][]float64 // probabilities
	labels  []int
}

func (c *contest) add(name string, p []float64) {
	c.names, c.answers = append(c.names, name), append(c.answers, p)
}

func (c *contest) binary(threshold float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| model | ROC-AUC | PR-AUC | precision | recall | F1 | FPR | FNR | TP / FP / FN / TN | log loss | Brier | ECE |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i, name := range c.names {
		score, positive := binary(c.answers[i], c.labels)
		a := evaluate.At(threshold, score, positive)
		fmt.Fprintf(&b, "| %s | %.3f | %.3f | %.3f | %.3f | %.3f | %.4f | %.3f | %d / %d / %d / %d | %.4f | %.4f | %.4f |\n", name,
			evaluate.ROCAUC(score, positive), evaluate.PRAUC(score, positive), a.Precision(), a.Recall(), a.F1(), a.FPR(), a.FNR(),
			a.TruePositive, a.FalsePositive, a.FalseNegative, a.TrueNegative,
			evaluate.LogLoss(score, positive), evaluate.Brier(score, positive), evaluate.ECE(evaluate.Calibration(score, positive, 10)))
	}
	return b.String()
}

func (c *contest) classes(names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| model | accuracy | balanced accuracy | macro F1 | log loss | ECE | false alarms |\n|---|---|---|---|---|---|---|\n")
	for i, name := range c.names {
		j := evaluate.Judge(c.answers[i], c.labels, len(names))
		fmt.Fprintf(&b, "| %s | %.4f | %.4f | %.4f | %.4f | %.4f | %.4f |\n", name, j.Accuracy, j.Balanced, j.MacroF1, j.LogLoss, j.ECE, j.FalseAlarm)
	}
	return b.String()
}

// perClass lists the classes of one model, with what each is most often taken for.
func perClass(j *evaluate.Classes, names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| class | rows | precision | recall | F1 | most often taken for |\n|---|---|---|---|---|---|\n")
	for k, c := range j.PerClass {
		worst := -1
		for other, n := range j.Confusion[k] {
			if other != k && n > 0 && (worst < 0 || n > j.Confusion[k][worst]) {
				worst = other
			}
		}
		taken := ""
		if worst >= 0 {
			taken = fmt.Sprintf("%s (%d)", names[worst], j.Confusion[k][worst])
		}
		fmt.Fprintf(&b, "| %s | %d | %.3f | %.3f | %.3f | %s |\n", names[k], c.Rows, c.Precision, c.Recall, c.F1, taken)
	}
	return b.String()
}

func reliability(score []float64, positive []bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| probability | rows | predicted | observed |\n|---|---|---|---|\n")
	for _, bin := range evaluate.Calibration(score, positive, 10) {
		if bin.Rows > 0 {
			fmt.Fprintf(&b, "| %.1f-%.1f | %d | %.3f | %.3f |\n", bin.Low, bin.High, bin.Rows, bin.Predicted, bin.Observed)
		}
	}
	return b.String()
}
