package telemetry

// Family groups fault codes by the part of the machine that fails.
type Family string

// The families of faults.
const (
	Healthy         Family = "healthy"
	Bearing         Family = "bearing"
	Rotor           Family = "rotor_and_shaft"
	Electrical      Family = "electrical"
	Hydraulic       Family = "pump_and_hydraulic"
	Instrumentation Family = "instrumentation"
)

// Normal is the code of a healthy machine, the first of FaultCodes.
const Normal = "normal"

// FaultCode is one class of the motor-pump fault classifier. Code is a stable
// identifier: it stands in stored predictions and in rules.
type FaultCode struct {
	Code   string
	Family Family
}

var faultCodes = []FaultCode{
	{Normal, Healthy},
	{"bearing_inner_race_defect", Bearing},
	{"bearing_outer_race_defect", Bearing},
	{"bearing_rolling_element_defect", Bearing},
	{"bearing_cage_defect", Bearing},
	{"bearing_lubricant_starvation", Bearing},
	{"bearing_overgrease_churning", Bearing},
	{"bearing_contamination", Bearing},
	{"bearing_looseness", Bearing},
	{"false_brinelling", Bearing},
	{"electrical_fluting", Bearing},
	{"rotor_unbalance", Rotor},
	{"angular_misalignment", Rotor},
	{"parallel_misalignment", Rotor},
	{"bent_shaft", Rotor},
	{"shaft_crack", Rotor},
	{"mechanical_looseness", Rotor},
	{"soft_foot", Rotor},
	{"structural_resonance", Rotor},
	{"coupling_wear", Rotor},
	{"phase_unbalance", Electrical},
	{"single_phasing", Electrical},
	{"broken_rotor_bar", Electrical},
	{"stator_winding_short", Electrical},
	{"air_gap_eccentricity", Electrical},
	{"motor_overload", Electrical},
	{"cooling_failure", Electrical},
	{"cavitation", Hydraulic},
	{"suction_recirculation", Hydraulic},
	{"impeller_wear", Hydraulic},
	{"impeller_blockage", Hydraulic},
	{"dry_running", Hydraulic},
	{"mechanical_seal_leak", Hydraulic},
	{"sensor_fault", Instrumentation},
}

// FaultCodes returns the built-in classes in the classifier's order, Normal first.
// The slice is the caller's.
func FaultCodes() []FaultCode { return append([]FaultCode(nil), faultCodes...) }
