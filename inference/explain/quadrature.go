package explain

import "math"

// The Shapley weight of a set of k of n-1 other features is
//
//	k! (n-1-k)! / n! = ∫ t^k (1-t)^(n-1-k) dt over 0..1
//
// so the sum over all sets is the integral of a product with one factor for each other
// feature: z (1-t), with z its share, and t more when the row goes the path's way. The
// product is a polynomial of degree n-1 at most, for which n/2 points of Gauss and
// Legendre are exact. No factor is negative, so nothing cancels, however long the path:
// the unwinding of the published algorithm loses all digits on paths of some dozens of
// features.

// rule is the points and weights for paths of up to so many features.
type rule struct {
	t, rest []float64 // the points in (0, 1), and 1-t
	weight  []float64
	away    []float64 // weight / (1-t)
}

// newRule returns the rule for n features, n >= 1.
func newRule(n int) rule {
	m := (n + 1) / 2
	all := make([]float64, 4*m)
	r := rule{t: all[:m], rest: all[m : 2*m], weight: all[2*m : 3*m], away: all[3*m:]}
	for i := range m {
		x, w := legendre(m, i)
		r.t[i], r.rest[i], r.weight[i] = (1+x)/2, (1-x)/2, w/2
		r.away[i] = r.weight[i] / r.rest[i]
	}
	return r
}

// legendre returns the i-th root of the Legendre polynomial of degree m, by Newton's
// method, and its weight over -1..1 (Press et al., Numerical Recipes, 4.6).
func legendre(m, i int) (x, weight float64) {
	x = math.Cos(math.Pi * (float64(i) + 0.75) / (float64(m) + 0.5))
	var slope float64
	for range 100 {
		p, before := 1.0, 0.0
		for k := range m {
			p, before = (float64(2*k+1)*x*p-float64(k)*before)/float64(k+1), p
		}
		slope = float64(m) * (x*p - before) / (x*x - 1)
		step := p / slope
		x -= step
		if math.Abs(step) < 1e-16 {
			break
		}
	}
	return x, 2 / ((1 - x*x) * slope * slope)
}
