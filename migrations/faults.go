package migrations

import (
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// faultMode is what the database says of a built-in fault code besides its family.
type faultMode struct {
	// ISO14224 is the failure mode of rotating equipment after ISO 14224:2016 annex B,
	// "" where none fits: AIR abnormal instrument reading, ELP external leakage of
	// process medium, LOO low output, NOI noise, OHE overheating, PDE parameter
	// deviation, PLU plugged, STD structural deficiency, VIB vibration.
	ISO14224 string
	Severity rules.Severity // of alarms on it unless a rule says otherwise
}

// faultModes has an entry for every code of telemetry.FaultCodes.
var faultModes = map[string]faultMode{
	telemetry.Normal:                 {"", rules.Low},
	"bearing_inner_race_defect":      {"VIB", rules.High},
	"bearing_outer_race_defect":      {"VIB", rules.High},
	"bearing_rolling_element_defect": {"VIB", rules.High},
	"bearing_cage_defect":            {"VIB", rules.Critical},
	"bearing_lubricant_starvation":   {"OHE", rules.High},
	"bearing_overgrease_churning":    {"OHE", rules.Medium},
	"bearing_contamination":          {"VIB", rules.Medium},
	"bearing_looseness":              {"VIB", rules.High},
	"false_brinelling":               {"VIB", rules.Medium},
	"electrical_fluting":             {"VIB", rules.High},
	"rotor_unbalance":                {"VIB", rules.Medium},
	"angular_misalignment":           {"VIB", rules.Medium},
	"parallel_misalignment":          {"VIB", rules.Medium},
	"bent_shaft":                     {"VIB", rules.High},
	"shaft_crack":                    {"STD", rules.Critical},
	"mechanical_looseness":           {"VIB", rules.High},
	"soft_foot":                      {"VIB", rules.Low},
	"structural_resonance":           {"VIB", rules.Medium},
	"coupling_wear":                  {"VIB", rules.Medium},
	"phase_unbalance":                {"PDE", rules.Medium},
	"single_phasing":                 {"OHE", rules.Critical},
	"broken_rotor_bar":               {"VIB", rules.High},
	"stator_winding_short":           {"OHE", rules.Critical},
	"air_gap_eccentricity":           {"VIB", rules.Medium},
	"motor_overload":                 {"OHE", rules.High},
	"cooling_failure":                {"OHE", rules.High},
	"cavitation":                     {"NOI", rules.High},
	"suction_recirculation":          {"VIB", rules.Medium},
	"impeller_wear":                  {"LOO", rules.Medium},
	"impeller_blockage":              {"PLU", rules.High},
	"dry_running":                    {"LOO", rules.Critical},
	"mechanical_seal_leak":           {"ELP", rules.High},
	"sensor_fault":                   {"AIR", rules.Low},
}

// faultAliases are other spellings that imports meet.
var faultAliases = map[string][]string{
	"bearing_overgrease_churning": {"bearing_overgrease_churn"},
}
