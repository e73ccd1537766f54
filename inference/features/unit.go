package features

import (
	"strings"
	"sync"

	"foresight/internal/telemetry"
)

var units = sync.OnceValue(func() map[string]string {
	out := make(map[string]string, Count)
	catalogue := telemetry.BuiltIn() // the channels come first, in their order
	for i := range Count {
		unit := catalogue[i/PerChannel].Unit
		switch Statistics[i%PerChannel].Name {
		case "var", "sum_sq":
			if strings.Contains(unit, "/") {
				unit = "(" + unit + ")"
			}
			unit += "²"
		case "max_min_ratio":
			unit = ""
		}
		out[Name(i)] = unit
	}
	return out
})

// Unit returns the unit of a feature by its name, "" for a ratio, and false for a name
// that is none of a window's.
func Unit(name string) (string, bool) {
	u, ok := units()[name]
	return u, ok
}
