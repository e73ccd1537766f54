package training

import (
	"math"

	"foresight/inference/artifact"
	"foresight/inference/evaluate"
)

// Finish calibrates a trained model and judges it: probabilities and label sets on the
// margins of the calibration's rows, the metrics on those of the test's.
func Finish(m *artifact.Manifest, held []float32, calibration *Part, unseen []float32, test *Part, seed int64) {
	classes := len(m.Classes)
	if m.Objective == artifact.Logistic {
		m.Temperature = 1
		m.Calibration = FitIsotonic(held, calibration.Labels, calibration.Group, seed)
		p := make([]float64, 0, 2*len(unseen))
		for _, v := range unseen {
			q, _, _ := m.Calibration.At(float64(v))
			p = append(p, 1-q, q)
		}
		m.Metrics = Evaluate(p, test.Labels, m.Classes)
		m.Metrics.Binary = judgeBinary(p, test.Labels)
		return
	}
	m.Temperature = FitTemperature(held, calibration.Labels, classes, m.Outputs())
	m.Conformal = FitConformal(Probabilities(held, classes, m.Outputs(), m.Temperature), calibration.Labels, classes, calibration.Groups)
	m.Metrics = Evaluate(Probabilities(unseen, classes, m.Outputs(), m.Temperature), test.Labels, m.Classes)
}

func judgeBinary(p []float64, labels []int) *artifact.BinaryMetrics {
	score, positive := make([]float64, len(labels)), make([]bool, len(labels))
	for i, l := range labels {
		score[i], positive[i] = p[2*i+1], l == 1
	}
	c := evaluate.At(evaluate.DefaultThreshold, score, positive)
	b := &artifact.BinaryMetrics{
		ROCAUC: told(evaluate.ROCAUC(score, positive)), PRAUC: told(evaluate.PRAUC(score, positive)),
		Threshold: c.Threshold, Precision: told(c.Precision()), Recall: told(c.Recall()), F1: told(c.F1()), FPR: told(c.FPR()), FNR: told(c.FNR()),
		TruePositives: c.TruePositive, FalsePositives: c.FalsePositive, TrueNegatives: c.TrueNegative, FalseNegatives: c.FalseNegative,
		Brier: evaluate.Brier(score, positive),
	}
	bins := evaluate.Calibration(score, positive, 10)
	b.CalibrationError = evaluate.ECE(bins)
	for _, bin := range bins {
		b.Reliability = append(b.Reliability, artifact.ReliabilityBin{Rows: bin.Rows, Predicted: told(bin.Predicted), Observed: told(bin.Observed)})
	}
	return b
}

// told is 0 for what has no denominator: JSON has no NaN.
func told(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
