package booster

// sideBySide is the number of trees that one row descends at once: enough to fill the
// time in which a step waits for memory and arithmetic of the one before.
const sideBySide = 8

// lay puts the row into its places.
func lay(row, x []float32) {
	x = x[:places(len(row))]
	x[0] = nan
	for f, v := range row {
		low, high := v, v
		if v != v {
			low, high = leftmost, rightmost
		}
		x[2*f+1], x[2*f+2] = low, high
	}
}

// step goes from a cell to its child, or stays at a leaf.
func step(cells []cell, x []float32, i uint32) uint32 {
	c := cells[i]
	right := uint32(0)
	if x[c.next>>offsetBits] >= c.value {
		right = 1
	}
	return i + c.next&offsetMask + right
}

// add adds the leaves of the trees from one to another to the sums of the outputs, in the
// order of the trees: the order in which XGBoost adds, so that the sums are its sums to
// the last bit.
func (f *forest) add(x, sums []float32, from, to int) {
	cells, roots := f.cells, f.roots[from:to]
	output := from % len(sums)
	for len(roots) >= sideBySide {
		r := (*[sideBySide]root)(roots)
		roots = roots[sideBySide:]
		a, b, c, d, e, g, h, k := r[0].at, r[1].at, r[2].at, r[3].at, r[4].at, r[5].at, r[6].at, r[7].at
		depth := max(r[0].depth, r[1].depth, r[2].depth, r[3].depth, r[4].depth, r[5].depth, r[6].depth, r[7].depth)
		for ; depth > 0; depth-- {
			a, b, c, d = step(cells, x, a), step(cells, x, b), step(cells, x, c), step(cells, x, d)
			e, g, h, k = step(cells, x, e), step(cells, x, g), step(cells, x, h), step(cells, x, k)
		}
		for _, leaf := range [sideBySide]uint32{a, b, c, d, e, g, h, k} {
			sums[output] += cells[leaf].value
			if output++; output == len(sums) {
				output = 0
			}
		}
	}
	for _, r := range roots {
		at := r.at
		for range r.depth {
			at = step(cells, x, at)
		}
		sums[output] += cells[at].value
		if output++; output == len(sums) {
			output = 0
		}
	}
}
