package training

import (
	"math"
	"sort"

	"foresight/inference/artifact"
	"foresight/inference/evaluate"
)

// Probabilities turns margins (row-major, one per class; one in all for a binary
// model) into probabilities at the temperature, row-major, one per class.
func Probabilities(margins []float32, classes, outputs int, temperature float64) []float64 {
	rows := len(margins) / outputs
	p := make([]float64, rows*classes)
	for i := range rows {
		m, q := margins[i*outputs:(i+1)*outputs], p[i*classes:(i+1)*classes]
		if outputs == 1 {
			q[1] = 1 / (1 + math.Exp(-float64(m[0])/temperature))
			q[0] = 1 - q[1]
			continue
		}
		top, total := float64(m[0]), 0.0
		for _, v := range m {
			top = max(top, float64(v))
		}
		for k, v := range m {
			q[k] = math.Exp((float64(v) - top) / temperature)
			total += q[k]
		}
		for k := range q {
			q[k] /= total
		}
	}
	return p
}

// FitTemperature returns the temperature at which the log loss of the rows is
// least (Guo et al., On Calibration of Modern Neural Networks, 2017). The log loss
// has one minimum in the inverse temperature, which golden sections find.
func FitTemperature(margins []float32, labels []int, classes, outputs int) float64 {
	loss := func(logT float64) float64 {
		return LogLoss(Probabilities(margins, classes, outputs, math.Exp(logT)), labels, classes)
	}
	const golden = 0.6180339887498949
	low, high := math.Log(0.2), math.Log(5)
	a, b := high-golden*(high-low), low+golden*(high-low)
	la, lb := loss(a), loss(b)
	for high-low > 1e-3 {
		if la < lb {
			high, b, lb = b, a, la
			a = high - golden*(high-low)
			la = loss(a)
		} else {
			low, a, la = a, b, lb
			b = low + golden*(high-low)
			lb = loss(b)
		}
	}
	return math.Exp((low + high) / 2)
}

// LogLoss is the mean of -ln(probability of the true class), nats.
func LogLoss(p []float64, labels []int, classes int) float64 {
	total := 0.0
	for i, l := range labels {
		total -= math.Log(max(1e-15, p[i*classes+l]))
	}
	return total / float64(len(labels))
}

// Evaluate judges probabilities (row-major) against labels. The first class counts
// as healthy for the false alarm rate.
func Evaluate(p []float64, labels []int, classes []string) artifact.Metrics {
	n := len(classes)
	j := evaluate.Judge(p, labels, n)
	m := artifact.Metrics{
		Rows: j.Rows, Accuracy: j.Accuracy, BalancedAccuracy: j.Balanced, MacroF1: j.MacroF1, LogLoss: j.LogLoss,
		FalseAlarmRate: j.FalseAlarm, CalibrationError: j.ECE, Confusion: j.Confusion, Top3Accuracy: withinTop(3, p, labels, n),
	}
	for k, c := range j.PerClass {
		m.PerClass = append(m.PerClass, artifact.ClassMetric{Class: classes[k], Rows: c.Rows, Precision: told(c.Precision), Recall: told(c.Recall), F1: c.F1})
	}
	return m
}

// withinTop is the share of rows whose class has fewer than k classes above it.
func withinTop(k int, p []float64, labels []int, classes int) float64 {
	in := 0
	for i, l := range labels {
		above := 0
		for _, v := range p[i*classes : (i+1)*classes] {
			if v > p[i*classes+l] {
				above++
			}
		}
		if above < k {
			in++
		}
	}
	return float64(in) / float64(len(labels))
}

// outlierQuantile and outlierShare: the range of a feature lies between the first
// and the last percent of the training rows; one held-out window in 200 is beyond
// the limit of the score.
const (
	outlierQuantile = 0.01
	outlierShare    = 0.005
)

// FitOutliers learns the ranges on the training rows and the limit of the score on
// held-out ones.
func FitOutliers(train, held []float32, features int) *artifact.Outliers {
	o := &artifact.Outliers{Quantile: outlierQuantile, Low: make(artifact.Floats, features), High: make(artifact.Floats, features)}
	rows := len(train) / features
	column := make([]float64, 0, rows)
	for f := range features {
		column = column[:0]
		for i := range rows {
			if v := train[i*features+f]; v == v {
				column = append(column, float64(v))
			}
		}
		if len(column) == 0 { // never seen: any value is outside
			o.Low[f], o.High[f] = math.MaxFloat32, -math.MaxFloat32
			continue
		}
		sort.Float64s(column)
		o.Low[f] = float32(column[int(outlierQuantile*float64(len(column)-1))])
		o.High[f] = float32(column[int(math.Ceil((1-outlierQuantile)*float64(len(column)-1)))])
	}
	var scores, missing []float64
	for i := 0; i+features <= len(held); i += features {
		s, m := o.Score(held[i : i+features])
		scores, missing = append(scores, s), append(missing, float64(m))
	}
	sort.Float64s(scores)
	sort.Float64s(missing)
	at := int(math.Ceil((1 - outlierShare) * float64(len(scores)-1)))
	o.Limit, o.MaxMissing = scores[at], int(missing[len(missing)-1])
	beyond := 0
	for _, s := range scores {
		if s > o.Limit {
			beyond++
		}
	}
	o.FalseShare = float64(beyond) / float64(len(scores))
	return o
}
