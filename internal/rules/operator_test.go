package rules

import "testing"

func TestOperatorsAndDeadband(t *testing.T) {
	// Threshold 10, deadband 2: which values meet the condition, and at which an
	// alarm still stands.
	for _, c := range []struct {
		op           Operator
		value        float64
		meets, holds bool
	}{
		{GT, 10.1, true, true}, {GT, 10, false, true}, {GT, 8.1, false, true}, {GT, 8, false, false},
		{GTE, 10, true, true}, {GTE, 9.9, false, true}, {GTE, 8, false, true}, {GTE, 7.9, false, false},
		{LT, 9.9, true, true}, {LT, 10, false, true}, {LT, 11.9, false, true}, {LT, 12, false, false},
		{LTE, 10, true, true}, {LTE, 10.1, false, true}, {LTE, 12, false, true}, {LTE, 12.1, false, false},
		{EQ, 10, true, true}, {EQ, 10.1, false, true}, {EQ, 8, false, true}, {EQ, 12, false, true},
		{EQ, 7.9, false, false}, {EQ, 12.1, false, false},
		{"~", 10, false, false},
	} {
		if got := c.op.Met(c.value, 10); got != c.meets {
			t.Errorf("%v %s 10: met %v, want %v", c.value, c.op, got, c.meets)
		}
		if got := c.op.Holds(c.value, 10, 2); got != c.holds {
			t.Errorf("%v %s 10 with deadband 2: holds %v, want %v", c.value, c.op, got, c.holds)
		}
	}
	for _, op := range Operators() {
		if !op.Valid() {
			t.Errorf("%s is not valid", op)
		}
	}
	if Operator("~").Valid() {
		t.Error("an unknown operator is valid")
	}
}

func TestSeveritiesAreInOrder(t *testing.T) {
	for i, s := range Severities() {
		if s.Rank() != i+1 || !s.Valid() {
			t.Errorf("%s has rank %d", s, s.Rank())
		}
	}
	if Severity("").Valid() {
		t.Error("no severity is a valid severity")
	}
}
