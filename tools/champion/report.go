package main

import (
	"bytes"
	"fmt"

	"foresight/inference/artifact"
)

// report is the judgement of the champion as a page.
func report(m *artifact.Manifest, p plan) []byte {
	var b bytes.Buffer
	t := &m.Metrics
	fmt.Fprintf(&b, "# Evaluation of %s:%s\n\nWritten by `tools/champion`; do not edit.\n\n", m.Kind, m.Version)
	fmt.Fprintf(&b, "Data: simulated machines, seed %d: %d of each fault, %d healthy, %d windows each, severity from %.2f to 1. ", p.Seed, p.FaultMachines, p.NormalMachines, p.Windows, p.MinSeverity)
	fmt.Fprintf(&b, "Split by machine (machines / windows): training %d / %d, validation %d / %d, test %d / %d. All figures are of the test machines, which took no part in fitting, stopping or calibration.\n\n",
		m.Training.Groups["train"], m.Training.Rows["train"], m.Training.Groups["validation"], m.Training.Rows["validation"], m.Training.Groups["test"], m.Training.Rows["test"])
	fmt.Fprintf(&b, "| measure | value |\n|---|---|\n")
	for _, line := range []struct {
		name  string
		value float64
	}{
		{"accuracy", t.Accuracy}, {"balanced accuracy", t.BalancedAccuracy}, {"macro F1", t.MacroF1}, {"top-3 accuracy", t.Top3Accuracy},
		{"log loss (nats)", t.LogLoss}, {"calibration error (15 bins)", t.CalibrationError},
		{"false alarms (healthy windows named a fault)", t.FalseAlarmRate}, {"temperature", m.Temperature},
		{"flagged out of distribution (validation)", m.Outliers.FalseShare},
	} {
		fmt.Fprintf(&b, "| %s | %.4f |\n", line.name, line.value)
	}
	fmt.Fprintf(&b, "\n%d rounds of %d trees, XGBoost %s, data set `%s`.\n\n| class | windows | precision | recall | F1 | most often taken for |\n|---|---|---|---|---|---|\n", m.Training.Rounds, len(m.Classes), m.Training.XGBoost, m.Training.DatasetHash)
	for k, c := range t.PerClass {
		worst := -1
		for j, n := range t.Confusion[k] {
			if j != k && n > 0 && (worst < 0 || n > t.Confusion[k][worst]) {
				worst = j
			}
		}
		other := ""
		if worst >= 0 {
			other = fmt.Sprintf("%s (%d)", m.Classes[worst], t.Confusion[k][worst])
		}
		fmt.Fprintf(&b, "| %s | %d | %.3f | %.3f | %.3f | %s |\n", c.Class, c.Rows, c.Precision, c.Recall, c.F1, other)
	}
	return b.Bytes()
}
