package daily

import "math"

// Named is the vector of features by name; those that are absent are missing (NaN), and
// names that are no features are left aside.
func Named(features map[string]float64) Vector {
	var v Vector
	for i := range v {
		v[i] = float32(math.NaN())
	}
	for name, x := range features {
		if i, ok := Place(name); ok {
			v[i] = float32(x)
		}
	}
	return v
}
