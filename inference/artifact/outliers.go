package artifact

// Score returns how far the row lies outside the ranges, and how many of its
// values are missing. It allocates nothing.
func (o *Outliers) Score(x []float32) (score float64, missing int) {
	for i, v := range x {
		low, high := o.Low[i], o.High[i]
		var beyond float32
		switch {
		case v != v:
			missing++
			continue
		case v < low:
			beyond = low - v
		case v > high:
			beyond = v - high
		default:
			continue
		}
		score++
		switch width := high - low; {
		case width > 0:
			score += float64(min(4, beyond/width))
		default:
			score += 4
		}
	}
	return score, missing
}

// Outside reports whether the row is unlike all training.
func (o *Outliers) Outside(x []float32) bool {
	score, missing := o.Score(x)
	return score > o.Limit || missing > o.MaxMissing
}
