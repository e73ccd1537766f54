package evaluate

import (
	"math"
	"slices"
)

// descending returns the places of the scores, the highest score first.
func descending(score []float64) []int {
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case score[a] > score[b]:
			return -1
		case score[a] < score[b]:
			return 1
		}
		return 0
	})
	return order
}

// walk goes through the scores from the highest and tells, after each group of equal
// ones, how many positives and negatives are at or above.
func walk(score []float64, positive []bool, at func(score float64, tp, fp int)) {
	order := descending(score)
	tp, fp := 0, 0
	for i, j := range order {
		if positive[j] {
			tp++
		} else {
			fp++
		}
		if i+1 == len(order) || score[order[i+1]] != score[j] {
			at(score[j], tp, fp)
		}
	}
}

func count(positive []bool) (p, n int) {
	for _, y := range positive {
		if y {
			p++
		}
	}
	return p, len(positive) - p
}

// ROCAUC is the area under the receiver operating characteristic: the chance that a
// positive has a higher score than a negative, ties by half. NaN without both.
func ROCAUC(score []float64, positive []bool) float64 {
	p, n := count(positive)
	area, lastTP, lastFP := 0.0, 0, 0
	walk(score, positive, func(_ float64, tp, fp int) {
		area += float64(fp-lastFP) * float64(tp+lastTP) / 2
		lastTP, lastFP = tp, fp
	})
	return area / (float64(p) * float64(n))
}

// PRAUC is the average precision, the area under the steps of precision over recall
// (no interpolation: between two points a straight line would be too kind). A ranking
// without skill has the share of positives. NaN without positives.
func PRAUC(score []float64, positive []bool) float64 {
	p, _ := count(positive)
	if p == 0 {
		return math.NaN()
	}
	area, last := 0.0, 0
	walk(score, positive, func(_ float64, tp, fp int) {
		area += float64(tp-last) / float64(p) * float64(tp) / float64(tp+fp)
		last = tp
	})
	return area
}

// BestF1 returns the threshold (score >= threshold is a warning) with the highest F1,
// to be chosen on other data than those it is judged on.
func BestF1(score []float64, positive []bool) (threshold, f1 float64) {
	p, _ := count(positive)
	threshold = math.NaN()
	walk(score, positive, func(s float64, tp, fp int) {
		if f := 2 * float64(tp) / float64(tp+fp+p); f > f1 {
			threshold, f1 = s, f
		}
	})
	return threshold, f1
}
