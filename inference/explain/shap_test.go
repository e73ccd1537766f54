package explain

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"

	"foresight/inference/artifact"
	"foresight/internal/testkit"
)

// expected is the mean answer of the tree when only the features of the set are
// known: a split on another one is passed both ways, by the training rows' shares.
func expected(n *grownNode, x []float32, set uint) float64 {
	switch {
	case n.left == nil:
		return float64(n.value)
	case set>>n.feature&1 == 0:
		l, r := n.shares()
		return l*expected(n.left, x, set) + r*expected(n.right, x, set)
	case n.goesLeft(x):
		return expected(n.left, x, set)
	}
	return expected(n.right, x, set)
}

// shapley adds the Shapley values by their definition, over all sets of features.
func shapley(n *grownNode, x []float32, phi []float64) {
	f := len(x)
	factorial := func(n int) float64 { return math.Gamma(float64(n + 1)) }
	for set := range uint(1) << f {
		k := bits.OnesCount(set)
		with := expected(n, x, set)
		for i := range f {
			if set>>i&1 == 0 {
				weight := factorial(k) * factorial(f-1-k) / factorial(f)
				phi[i] += weight * (expected(n, x, set|1<<i) - with)
			}
		}
	}
}

func TestContributionsAreShapleyValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		const features = 7
		g := &grown{objective: artifact.Softprob, features: features, outputs: 3, base: "5E-1"}
		var trees []*grownNode
		for range 6 {
			n := random(r, features, 1+r.IntN(6), 100)
			trees, g.trees = append(trees, n), append(g.trees, n.tree())
		}
		m := parsed(t, g)
		for range 4 {
			x := row(r, features)
			got, margins := make([]float64, 3*features), make([]float64, 3)
			if err := m.All(x, got, margins); err != nil {
				t.Fatal(err)
			}
			for k := range 3 {
				want := make([]float64, features)
				bias, margin := 0.5, 0.5
				for i, n := range trees {
					if i%3 == k {
						shapley(n, x, want)
						bias += expected(n, x, 0)
						margin += expected(n, x, 1<<features-1)
					}
				}
				if d := math.Abs(m.Bias(k) - bias); d > 1e-12 {
					t.Fatalf("bias %v, want %v", m.Bias(k), bias)
				}
				if d := math.Abs(margins[k] - margin); d > 1e-12 {
					t.Fatalf("margin %v, want %v", margins[k], margin)
				}
				for f, w := range want {
					if d := math.Abs(got[k*features+f] - w); d > 1e-12 {
						t.Fatalf("output %d, feature %d of %v: %v, want %v", k, f, x, got[k*features+f], w)
					}
				}
			}
		}
	}
}

// The weights of long paths lie dozens of orders of magnitude apart.
func TestLongPathsKeepTheirDigits(t *testing.T) {
	for _, depth := range []int{20, 40, 64} {
		// A chain: one leaf at the end that all conditions lead to.
		r := rand.New(rand.NewPCG(3, uint64(depth)))
		weight := float32(math.Exp2(100))
		root := &grownNode{weight: weight}
		n := root
		for f := range depth {
			share := float32(0.5 + 0.45*r.Float64())
			n.feature, n.value = f, 0
			n.left, n.right = &grownNode{weight: n.weight * share}, &grownNode{weight: n.weight * (1 - share)}
			n = n.left
		}
		n.value = 1000
		m := parsed(t, &grown{objective: artifact.Logistic, features: depth, outputs: 1, base: "0.5", trees: []map[string]any{root.tree()}})
		x := make([]float32, depth)
		for i := range x {
			x[i] = float32(r.IntN(4)) - 2.5 // three of four go the way
		}
		got := make([]float64, depth)
		if _, err := m.Output(x, 0, got); err != nil {
			t.Fatal(err)
		}
		for i, want := range exact(root, x) {
			if d := math.Abs(got[i] - want); d > 1e-12*math.Abs(want) {
				t.Errorf("depth %d, feature %d: %v, want %v", depth, i, got[i], want)
			}
		}
	}
}

// exact computes the values of a chain with 1000 bits: the sums over the sizes of the sets.
func exact(root *grownNode, x []float32) []float64 {
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(v) }
	var met []bool
	var share []*big.Float
	var value float64
	for n := root; ; n = n.left {
		if n.left == nil {
			value = float64(n.value)
			break
		}
		l, _ := n.shares()
		met, share = append(met, n.goesLeft(x)), append(share, number(l))
	}
	n := len(met)
	out := make([]float64, n)
	for i := range out {
		// size[k] sums the products over the sets of k others that are known.
		size := make([]*big.Float, n)
		for k := range size {
			size[k] = number(0)
		}
		size[0] = number(1)
		for j := range n {
			if j == i {
				continue
			}
			for k := n - 1; k >= 0; k-- {
				size[k].Mul(size[k], share[j])
				if k > 0 && met[j] {
					size[k].Add(size[k], size[k-1]) // not yet this feature's
				}
			}
		}
		total := number(0)
		for k := range size {
			weight := new(big.Float).SetPrec(1000).SetInt(new(big.Int).Binomial(int64(n-1), int64(k)))
			weight.Mul(weight, number(float64(n)))
			total.Add(total, size[k].Quo(size[k], weight))
		}
		known := number(0)
		if met[i] {
			known = number(1)
		}
		total.Mul(total, known.Sub(known, share[i]))
		total.Mul(total, number(value))
		out[i], _ = total.Float64()
	}
	return out
}

// XGBoost computes in float32, in a recursion over the nodes.
func TestContributionsAreXGBoosts(t *testing.T) {
	for name, f := range fixtures(t) {
		m, err := Parse(f.JSON)
		if err != nil {
			t.Fatal(err)
		}
		phi, margins := make([]float64, f.Outputs*f.Features), make([]float64, f.Outputs)
		worst := 0.0
		for i := range len(f.X) / f.Features {
			clear(phi)
			if err := m.All(f.X[i*f.Features:(i+1)*f.Features], phi, margins); err != nil {
				t.Fatal(err)
			}
			for k := range f.Outputs {
				want := f.Contributions[(i*f.Outputs+k)*(f.Features+1):][:f.Features+1]
				worst = max(worst, math.Abs(m.Bias(k)-float64(want[f.Features])), math.Abs(margins[k]-float64(f.Margins[i*f.Outputs+k])))
				for c := range f.Features {
					worst = max(worst, math.Abs(phi[k*f.Features+c]-float64(want[c])))
				}
			}
		}
		if !(worst <= 1e-5) {
			t.Errorf("%s: off by %v", name, worst)
		}
	}
}

func TestContributionsSumToTheMargin(t *testing.T) {
	b, m := shipped(t)
	phi, margins := make([]float64, m.Outputs()*m.Features()), make([]float64, m.Outputs())
	for i := range b.Golden.Rows {
		clear(phi)
		if err := m.All(b.Golden.X[i*m.Features():(i+1)*m.Features()], phi, margins); err != nil {
			t.Fatal(err)
		}
		for k, margin := range margins {
			sum := m.Bias(k)
			for _, v := range phi[k*m.Features() : (k+1)*m.Features()] {
				sum += v
			}
			if math.Abs(sum-margin) > 1e-11 {
				t.Fatalf("row %d, output %d: sum %v, margin %v", i, k, sum, margin)
			}
			if want := float64(b.Golden.Margins[i*m.Outputs()+k]); math.Abs(margin-want) > 1e-5 {
				t.Fatalf("row %d, output %d: margin %v, XGBoost says %v", i, k, margin, want)
			}
		}
	}
}

func TestAnExplanationNamesTheStrongest(t *testing.T) {
	b, m := shipped(t)
	x := b.Golden.X[:m.Features()]
	phi := make([]float64, m.Features())
	margin, err := m.Output(x, 3, phi)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Explain(x, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	if e.Output != 3 || e.Margin != margin || e.Bias != m.Bias(3) || len(e.Top) != 5 {
		t.Errorf("%+v", e)
	}
	sum := e.Bias + e.Others
	for i, c := range e.Top {
		sum += c.Margin
		if c.Margin != phi[c.Feature] || (c.Value != x[c.Feature] && c.Value == c.Value) {
			t.Errorf("%+v, want %v of %v", c, phi[c.Feature], x[c.Feature])
		}
		if i > 0 && math.Abs(c.Margin) > math.Abs(e.Top[i-1].Margin) {
			t.Errorf("%+v stands behind %+v", c, e.Top[i-1])
		}
	}
	if math.Abs(sum-margin) > 1e-11 {
		t.Errorf("sum %v, margin %v", sum, margin)
	}
	least := math.Abs(e.Top[4].Margin)
	for f, v := range phi {
		if math.Abs(v) > least && !has(e.Top, f) {
			t.Errorf("feature %d with %v is left out, %v is not", f, v, least)
		}
	}
	all, err := m.Explain(x, 3, m.Features())
	if err != nil || all.Others != 0 {
		t.Errorf("all: others %v, %v", all.Others, err)
	}
	if none, err := m.Explain(x, 3, 0); err != nil || len(none.Top) != 0 || math.Abs(none.Others+none.Bias-margin) > 1e-11 {
		t.Errorf("none: %+v, %v", none, err)
	}
}

func has(top []Contribution, feature int) bool {
	for _, c := range top {
		if c.Feature == feature {
			return true
		}
	}
	return false
}

func TestLengthsAreChecked(t *testing.T) {
	_, m := shipped(t)
	x, phi := make([]float32, m.Features()), make([]float64, m.Features())
	for name, call := range map[string]func() (float64, error){
		"short row":       func() (float64, error) { return m.Output(x[1:], 0, phi) },
		"short room":      func() (float64, error) { return m.Output(x, 0, phi[1:]) },
		"no such output":  func() (float64, error) { return m.Output(x, m.Outputs(), phi) },
		"negative output": func() (float64, error) { return m.Output(x, -1, phi) },
		"room for one":    func() (float64, error) { return 0, m.All(x, phi, make([]float64, m.Outputs())) },
	} {
		if _, err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestExplainingAllocatesNothing(t *testing.T) {
	if testkit.Race {
		t.Log("the race detector makes sync.Pool drop at random: not counted")
		return
	}
	b, m := shipped(t)
	x := b.Golden.X[:m.Features()]
	phi, margins := make([]float64, m.Outputs()*m.Features()), make([]float64, m.Outputs())
	if n := testing.AllocsPerRun(10, func() {
		if _, err := m.Output(x, 1, phi[:m.Features()]); err != nil {
			t.Fatal(err)
		}
		if err := m.All(x, phi, margins); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
