package rules

import "math"

// Operator compares a value with a threshold. Its text is what is stored.
type Operator string

// The operators.
const (
	GT  Operator = "gt"
	GTE Operator = "gte"
	LT  Operator = "lt"
	LTE Operator = "lte"
	EQ  Operator = "eq"
)

// Operators lists them. The slice is the caller's.
func Operators() []Operator { return []Operator{GT, GTE, LT, LTE, EQ} }

// Valid reports whether o is one of the operators.
func (o Operator) Valid() bool {
	switch o {
	case GT, GTE, LT, LTE, EQ:
		return true
	}
	return false
}

// Met reports whether the value meets the condition, which is what raises an alarm.
func (o Operator) Met(value, threshold float64) bool { return o.Holds(value, threshold, 0) }

// Holds reports whether a condition that was met is not yet gone: it is the same
// comparison with the threshold moved by the deadband to the good side. GT stands
// until the value is at or below threshold-deadband, LT until it is at or above
// threshold+deadband; GTE and LTE until it is strictly beyond those. EQ is met by
// exactly the threshold and stands while the value is at most the deadband away.
func (o Operator) Holds(value, threshold, deadband float64) bool {
	switch o {
	case GT:
		return value > threshold-deadband
	case GTE:
		return value >= threshold-deadband
	case LT:
		return value < threshold+deadband
	case LTE:
		return value <= threshold+deadband
	case EQ:
		return math.Abs(value-threshold) <= deadband
	}
	return false
}
