package evaluate

import (
	"math"
	"slices"
)

// scaler makes columns of mean 0 and deviation 1; a missing value becomes the median of
// its column.
type scaler struct{ median, mean, scale []float64 }

func fitScaler(x []float32, columns int) *scaler {
	s := &scaler{make([]float64, columns), make([]float64, columns), make([]float64, columns)}
	rows := len(x) / columns
	values := make([]float64, 0, rows)
	for c := range columns {
		values = values[:0]
		for i := range rows {
			if v := float64(x[i*columns+c]); v == v {
				values = append(values, v)
			}
		}
		slices.Sort(values)
		if s.scale[c] = 1; len(values) == 0 {
			continue
		}
		s.median[c] = Quantile(values, 0.5)
		missing := float64(rows-len(values)) / float64(rows)
		sum, squares := 0.0, 0.0
		for _, v := range values {
			sum += v
		}
		s.mean[c] = sum/float64(rows) + missing*s.median[c]
		for _, v := range values {
			squares += (v - s.mean[c]) * (v - s.mean[c])
		}
		d := s.median[c] - s.mean[c]
		if v := math.Sqrt(squares/float64(rows) + missing*d*d); v > 0 {
			s.scale[c] = v
		}
	}
	return s
}

func (s *scaler) apply(x []float32) []float32 {
	columns := len(s.mean)
	out := make([]float32, len(x))
	for i, v := range x {
		c := i % columns
		w := float64(v)
		if w != w {
			w = s.median[c]
		}
		out[i] = float32((w - s.mean[c]) / s.scale[c])
	}
	return out
}
