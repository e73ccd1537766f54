package evaluate

import (
	"math"
	"math/rand/v2"
)

// Logistic is multinomial logistic regression on standardised features with an L2
// penalty: the line that a champion has to be above.
type Logistic struct {
	scaler  *scaler
	classes int
	w       []float32 // classes x (features + 1), the intercept last
}

// LogisticOptions choose how it is fitted.
type LogisticOptions struct {
	L2     float64 // penalty on the mean loss, 1e-4 when 0
	Epochs int     // passes over the data, 30 when 0
	Seed   uint64
}

// FitLogistic fits by Adam in mini-batches with a falling rate. x is row-major; a row
// counts by its weight (nil: 1 each).
func FitLogistic(x []float32, labels []int, weights []float32, features, classes int, o LogisticOptions) *Logistic {
	if o.L2 == 0 {
		o.L2 = 1e-4
	}
	if o.Epochs == 0 {
		o.Epochs = 30
	}
	l := &Logistic{scaler: fitScaler(x, features), classes: classes, w: make([]float32, classes*(features+1))}
	z := l.scaler.apply(x)
	rows := len(labels)
	r := rand.New(rand.NewPCG(o.Seed, 0x6c6f676974))
	total := 0.0
	weight := func(i int) float64 { return 1 }
	if weights != nil {
		weight = func(i int) float64 { return float64(weights[i]) }
	}
	for i := range rows {
		total += weight(i)
	}
	order := r.Perm(rows)
	const batch = 128
	const rate, keep1, keep2 = 0.02, 0.9, 0.999
	gradient, m, v := make([]float32, len(l.w)), make([]float32, len(l.w)), make([]float32, len(l.w))
	p := make([]float64, classes)
	steps := o.Epochs * ((rows + batch - 1) / batch)
	step := 0
	for range o.Epochs {
		r.Shuffle(rows, func(i, j int) { order[i], order[j] = order[j], order[i] })
		for at := 0; at < rows; at += batch {
			clear(gradient)
			end := min(rows, at+batch)
			for _, i := range order[at:end] {
				row := z[i*features : (i+1)*features]
				l.probabilities(row, p)
				by := weight(i) * float64(rows) / total / float64(end-at)
				for k := range p {
					d := p[k]
					if k == labels[i] {
						d--
					}
					g := gradient[k*(features+1) : (k+1)*(features+1)]
					f := float32(d * by)
					for j, u := range row {
						g[j] += f * u
					}
					g[features] += f
				}
			}
			step++
			now := rate * 0.5 * (1 + math.Cos(math.Pi*float64(step)/float64(steps)))
			c1, c2 := 1-math.Pow(keep1, float64(step)), 1-math.Pow(keep2, float64(step))
			for j := range l.w {
				g := float64(gradient[j])
				if j%(features+1) != features {
					g += o.L2 * float64(l.w[j])
				}
				a, b := keep1*float64(m[j])+(1-keep1)*g, keep2*float64(v[j])+(1-keep2)*g*g
				m[j], v[j] = float32(a), float32(b)
				l.w[j] -= float32(now * (a / c1) / (math.Sqrt(b/c2) + 1e-8))
			}
		}
	}
	return l
}

// probabilities of one standardised row.
func (l *Logistic) probabilities(row []float32, p []float64) {
	n := len(row)
	top := math.Inf(-1)
	for k := range p {
		w := l.w[k*(n+1) : (k+1)*(n+1)]
		s := w[n]
		for j, v := range row {
			s += w[j] * v
		}
		p[k] = float64(s)
		top = max(top, p[k])
	}
	total := 0.0
	for k := range p {
		p[k] = math.Exp(p[k] - top)
		total += p[k]
	}
	for k := range p {
		p[k] /= total
	}
}

// Probabilities returns one per row and class, row-major.
func (l *Logistic) Probabilities(x []float32) []float64 {
	features := len(l.scaler.mean)
	z := l.scaler.apply(x)
	rows := len(x) / features
	out := make([]float64, rows*l.classes)
	for i := range rows {
		l.probabilities(z[i*features:(i+1)*features], out[i*l.classes:(i+1)*l.classes])
	}
	return out
}
