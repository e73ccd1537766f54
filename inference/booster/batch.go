package booster

// A model larger than the cache is read from memory for every row. In a batch, so many
// rows pass a block of trees while it is in the cache: blockCells of 8 bytes, and as many
// rows as take about as much.
const (
	blockCells = 64 << 10
	blockRows  = 64
)

// rows is the memory of a block of rows, each laid out in its places.
type rows [][]float32

func newRows(features int) rows {
	out, all := make(rows, blockRows), make([]float32, blockRows*places(features))
	for i := range out {
		out[i] = all[i*places(features):][:places(features)]
	}
	return out
}

// addRows adds to the sums of up to blockRows rows, both row-major.
func (f *forest) addRows(room rows, x, sums []float32, features, outputs int) {
	n := len(x) / features
	for i := range n {
		lay(x[i*features:(i+1)*features], room[i])
	}
	for from := 0; from < len(f.roots); {
		to := f.blockEnd(from)
		for i := range n {
			f.add(room[i], sums[i*outputs:(i+1)*outputs], from, to)
		}
		from = to
	}
}

// blockEnd returns the end of the block of trees that begins with from.
func (f *forest) blockEnd(from int) int {
	to := from + 1
	for limit := f.roots[from].at + blockCells; to < len(f.roots) && f.roots[to].at < limit; {
		to++
	}
	return to
}
