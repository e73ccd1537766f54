package simulate

import (
	"math"
	"math/rand/v2"
)

// wearout is how machines come by a fault and what becomes of it.
type wearout struct {
	code string
	// The damage begins after a Weibull life: shape below 1 is early, 1 is chance, above
	// 1 is wear. scale is the characteristic life, days, of an average machine at load 0.8.
	shape, scale float64
	// interval is the median time from the first sign to the functional failure (the P-F
	// interval of RCM), days. Machines scatter about it, log-normally.
	interval float64
	// plateau, when not 0, is the severity at which the fault stops to grow: it is a
	// nuisance, and no failure.
	plateau float64
	// load is the exponent with which the life falls with the load (3 for ball bearings,
	// ISO 281).
	load float64
}

// wearouts are the ways in which simulated machines wear. Characteristic lives and
// shapes are of the order that reliability handbooks give for motor-pump sets (OREDA,
// IEEE 493), hurried so that a machine fails about once a year; P-F intervals are those
// of the maintenance literature: months for wear of hydraulics and couplings, weeks for
// bearings and seals, days for windings, none for a lost phase.
var wearouts = []wearout{
	{"bearing_outer_race_defect", 1.8, 2600, 55, 0, 3},
	{"bearing_inner_race_defect", 1.8, 3400, 45, 0, 3},
	{"bearing_rolling_element_defect", 1.8, 5000, 35, 0, 3},
	{"bearing_cage_defect", 1.5, 8000, 20, 0, 1},
	{"bearing_lubricant_starvation", 1.3, 2600, 14, 0, 0},
	{"bearing_contamination", 1.2, 3200, 60, 0, 0},
	{"bearing_looseness", 1.3, 7000, 60, 0, 0},
	{"electrical_fluting", 1.5, 9000, 90, 0, 0},
	{"rotor_unbalance", 1, 3000, 60, 0.6, 0},
	{"angular_misalignment", 1, 5000, 120, 0, 0},
	{"parallel_misalignment", 1, 5000, 110, 0, 0},
	{"mechanical_looseness", 1.2, 4000, 60, 0.65, 0},
	{"structural_resonance", 1, 9000, 20, 0.6, 0},
	{"coupling_wear", 1.6, 4000, 80, 0, 1},
	{"shaft_crack", 2, 15000, 25, 0, 2},
	{"phase_unbalance", 1, 6000, 10, 0.6, 0},
	{"stator_winding_short", 1.5, 7000, 6, 0, 1},
	{"broken_rotor_bar", 1.5, 9000, 90, 0, 1},
	{"cooling_failure", 1, 6000, 12, 0, 0},
	{"cavitation", 1, 3500, 90, 0, 0},
	{"impeller_wear", 2, 4000, 160, 0, 1},
	{"impeller_blockage", 1, 5000, 7, 0, 0},
	{"mechanical_seal_leak", 1.3, 1800, 22, 0, 0},
	{"single_phasing", 1, 12000, 0.1, 0, 0},
	{"dry_running", 1, 12000, 0.3, 0, 0},
	{sensorFault, 1, 2500, 5, 0.9, 0},
}

// remaining draws the days until the damage begins, of a part that has lasted for age
// days: the inverse of the Weibull distribution, given survival.
func (w *wearout) remaining(r *rand.Rand, age, factor float64) float64 {
	scale := w.scale * factor
	return scale*math.Pow(math.Pow(age/scale, w.shape)+r.ExpFloat64(), 1/w.shape) - age
}
