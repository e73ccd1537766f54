package drift

// leastExpected is the least share that is expected in a bin of which an index is made:
// ten bins at most, as is usual.
const leastExpected = 0.1

// merge joins neighbouring bins until each holds leastExpected of what is expected. The
// last one, that of missing values, stays alone. It returns the new place of each bin
// and what is expected in the new ones.
func merge(expected []float64, place []int) (to []int, merged []float64) {
	to = place[:0]
	values := len(expected) - 1
	open, at := 0.0, 0
	for b := range values {
		if open >= leastExpected {
			merged = append(merged, open)
			open = 0
			at++
		}
		to = append(to, at)
		open += expected[b]
	}
	if open < leastExpected && at > 0 { // too little is left for a bin of its own
		for b := values - 1; b >= 0 && to[b] == at; b-- {
			to[b] = at - 1
		}
		at--
		merged[at] += open
	} else {
		merged = append(merged, open)
	}
	return append(to, at+1), append(merged, expected[values])
}
