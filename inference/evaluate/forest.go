package evaluate

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Forest is a random forest of classification trees after Breiman (2001): bootstrap
// samples, a random subset of the features at every split, Gini impurity, probabilities
// as the mean of the leaves' shares. Features are put into at most 64 bins by their
// quantiles; a missing value is in the lowest.
type Forest struct {
	features, classes int
	edges             [][]float32 // per feature, ascending: bin b holds values below edges[b]
	trees             []tree
}

// ForestOptions choose how it is grown. Zero values: 100 trees, leaves of at least 1
// row, the square root of the number of features at every split.
type ForestOptions struct {
	Trees, MinLeaf, Try int
	Seed                uint64
}

const forestBins = 64

type tree struct{ nodes []node }

// node is a split, or a leaf when share is not nil.
type node struct {
	feature, bin int32 // rows with a bin up to this go left
	left, right  int32
	share        []float32
}

// FitForest grows the trees, several at a time; the result depends on the seed alone. A
// row is drawn into bootstrap samples by its weight (nil: all alike).
func FitForest(x []float32, labels []int, weights []float32, features, classes int, o ForestOptions) *Forest {
	if o.Trees == 0 {
		o.Trees = 100
	}
	if o.MinLeaf == 0 {
		o.MinLeaf = 1
	}
	if o.Try == 0 {
		o.Try = int(math.Round(math.Sqrt(float64(features))))
	}
	f := &Forest{features: features, classes: classes, edges: make([][]float32, features), trees: make([]tree, o.Trees)}
	rows := len(labels)
	column := make([]float32, 0, rows)
	for c := range features {
		column = column[:0]
		for i := range rows {
			if v := x[i*features+c]; v == v {
				column = append(column, v)
			}
		}
		slices.Sort(column)
		for b := 1; b < forestBins-1 && len(column) > 0; b++ {
			e := column[b*len(column)/(forestBins-1)]
			if n := len(f.edges[c]); n == 0 || e > f.edges[c][n-1] {
				f.edges[c] = append(f.edges[c], e)
			}
		}
	}
	binned := f.bins(x)
	drawn := make([]float64, rows) // cumulative weights
	total := 0.0
	for i := range drawn {
		if weights == nil {
			total++
		} else {
			total += float64(weights[i])
		}
		drawn[i] = total
	}
	var wait sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for t := range next {
				g := grower{f: f, o: o, x: binned, labels: labels, r: rand.New(rand.NewPCG(o.Seed, uint64(t)))}
				f.trees[t] = g.grow(drawn)
			}
		})
	}
	for t := range o.Trees {
		next <- t
	}
	close(next)
	wait.Wait()
	return f
}

// bins are the places of the values among the edges; 0 is missing.
func (f *Forest) bins(x []float32) []uint8 {
	out := make([]uint8, len(x))
	for i, v := range x {
		if v == v {
			edges := f.edges[i%f.features]
			b, found := slices.BinarySearch(edges, v)
			if found {
				b++
			}
			out[i] = uint8(b + 1)
		}
	}
	return out
}

type grower struct {
	f      *Forest
	o      ForestOptions
	x      []uint8
	labels []int
	r      *rand.Rand
	t      tree
	counts [forestBins][]int32 // rows of each class in a bin, of the feature that is looked at
	left   []int32             // rows of each class in the bins so far
	order  []int               // of the features, the first ones drawn for this split
}

func (g *grower) grow(cumulative []float64) tree {
	rows := make([]int32, len(g.labels))
	total := cumulative[len(cumulative)-1]
	for i := range rows {
		j, _ := slices.BinarySearch(cumulative, total*g.r.Float64())
		rows[i] = int32(min(j, len(rows)-1))
	}
	for b := range g.counts {
		g.counts[b] = make([]int32, g.f.classes)
	}
	g.left = make([]int32, g.f.classes)
	g.order = g.r.Perm(g.f.features)
	g.split(rows)
	return g.t
}

// split adds the node for the rows with all below it and returns its place.
func (g *grower) split(rows []int32) int32 {
	all := make([]int32, g.f.classes)
	for _, i := range rows {
		all[g.labels[i]]++
	}
	at := int32(len(g.t.nodes))
	g.t.nodes = append(g.t.nodes, node{})
	feature, bin := -1, 0
	if len(rows) >= 2*g.o.MinLeaf && slices.Max(all) < int32(len(rows)) {
		feature, bin = g.best(rows, all)
	}
	if feature < 0 {
		shares := make([]float32, g.f.classes)
		for k, n := range all {
			shares[k] = float32(n) / float32(len(rows))
		}
		g.t.nodes[at].share = shares
		return at
	}
	middle := 0
	for i, row := range rows {
		if int(g.x[int(row)*g.f.features+feature]) <= bin {
			rows[i], rows[middle] = rows[middle], rows[i]
			middle++
		}
	}
	left := g.split(rows[:middle])
	right := g.split(rows[middle:])
	g.t.nodes[at] = node{feature: int32(feature), bin: int32(bin), left: left, right: right}
	return at
}

// best looks for the split with the least impurity among some features, drawn anew.
// More are drawn until one can split at all, as scikit-learn does.
func (g *grower) best(rows []int32, all []int32) (feature, bin int) {
	feature = -1
	most := 0.0
	for tried := range g.order {
		if tried >= g.o.Try && feature >= 0 {
			break
		}
		j := tried + g.r.IntN(len(g.order)-tried)
		g.order[tried], g.order[j] = g.order[j], g.order[tried]
		c := g.order[tried]
		gain, at := g.cut(rows, all, c)
		if gain > most {
			most, feature, bin = gain, c, at
		}
	}
	return feature, bin
}

// cut finds the best bin of a feature to split at. Least Gini impurity is the largest
// sum, over both sides, of the squares of the class counts over the rows. Only bins that
// have rows are looked at, or cleared: most nodes are small.
func (g *grower) cut(rows []int32, all []int32, feature int) (most float64, bin int) {
	used := uint64(0)
	for _, i := range rows {
		b := g.x[int(i)*g.f.features+feature]
		if used&(1<<b) == 0 {
			used |= 1 << b
			clear(g.counts[b])
		}
		g.counts[b][g.labels[i]]++
	}
	clear(g.left)
	nLeft, squaresLeft, squaresRight := 0, 0.0, 0.0
	for _, n := range all {
		squaresRight += float64(n) * float64(n)
	}
	for used != 0 {
		b := bits.TrailingZeros64(used)
		used &= used - 1
		for k, n := range g.counts[b] {
			if n == 0 {
				continue
			}
			nLeft += int(n)
			squaresLeft += float64(n) * float64(2*g.left[k]+n)
			squaresRight -= float64(n) * float64(2*(all[k]-g.left[k])-n)
			g.left[k] += n
		}
		nRight := len(rows) - nLeft
		if nLeft < g.o.MinLeaf || nRight < g.o.MinLeaf {
			continue
		}
		if gain := squaresLeft/float64(nLeft) + squaresRight/float64(nRight); gain > most {
			most, bin = gain, b
		}
	}
	return most, bin
}

// Probabilities returns one per row and class, row-major.
func (f *Forest) Probabilities(x []float32) []float64 {
	b := f.bins(x)
	rows := len(x) / f.features
	out := make([]float64, rows*f.classes)
	for i := range rows {
		row, p := b[i*f.features:(i+1)*f.features], out[i*f.classes:(i+1)*f.classes]
		for t := range f.trees {
			n := &f.trees[t].nodes[0]
			for n.share == nil {
				if int32(row[n.feature]) <= n.bin {
					n = &f.trees[t].nodes[n.left]
				} else {
					n = &f.trees[t].nodes[n.right]
				}
			}
			for k, s := range n.share {
				p[k] += float64(s) / float64(len(f.trees))
			}
		}
	}
	return out
}
