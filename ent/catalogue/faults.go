// Package catalogue holds the rows that every tenant has without owning them. The
// migrations write them into the database.
package catalogue

import "foresight/ent/enum"

// FaultType is a built-in class of the motor-pump fault classifier.
type FaultType struct {
	Code     string
	Family   enum.FaultFamily
	ISO14224 string // failure mode after ISO 14224:2016 annex B, "" where none fits
	Severity enum.Severity
}

// Normal is the class of healthy machines.
const Normal = "normal"

// FaultTypes returns the 34 built-in classes, normal first, in the order of the
// classifier's outputs. The slice is the caller's.
//
// Failure modes are those of rotating equipment: AIR abnormal instrument reading,
// ELP external leakage of process medium, LOO low output, NOI noise, OHE overheating,
// PDE parameter deviation, PLU plugged, STD structural deficiency, VIB vibration.
func FaultTypes() []FaultType {
	return []FaultType{
		{Normal, enum.FamilyHealthy, "", enum.SeverityLow},

		{"bearing_inner_race_defect", enum.FamilyBearing, "VIB", enum.SeverityHigh},
		{"bearing_outer_race_defect", enum.FamilyBearing, "VIB", enum.SeverityHigh},
		{"bearing_rolling_element_defect", enum.FamilyBearing, "VIB", enum.SeverityHigh},
		{"bearing_cage_defect", enum.FamilyBearing, "VIB", enum.SeverityCritical},
		{"bearing_lubricant_starvation", enum.FamilyBearing, "OHE", enum.SeverityHigh},
		{"bearing_overgrease_churning", enum.FamilyBearing, "OHE", enum.SeverityMedium},
		{"bearing_contamination", enum.FamilyBearing, "VIB", enum.SeverityMedium},
		{"bearing_looseness", enum.FamilyBearing, "VIB", enum.SeverityHigh},
		{"false_brinelling", enum.FamilyBearing, "VIB", enum.SeverityMedium},
		{"electrical_fluting", enum.FamilyBearing, "VIB", enum.SeverityHigh},

		{"rotor_unbalance", enum.FamilyRotorShaft, "VIB", enum.SeverityMedium},
		{"angular_misalignment", enum.FamilyRotorShaft, "VIB", enum.SeverityMedium},
		{"parallel_misalignment", enum.FamilyRotorShaft, "VIB", enum.SeverityMedium},
		{"bent_shaft", enum.FamilyRotorShaft, "VIB", enum.SeverityHigh},
		{"shaft_crack", enum.FamilyRotorShaft, "STD", enum.SeverityCritical},
		{"mechanical_looseness", enum.FamilyRotorShaft, "VIB", enum.SeverityHigh},
		{"soft_foot", enum.FamilyRotorShaft, "VIB", enum.SeverityLow},
		{"structural_resonance", enum.FamilyRotorShaft, "VIB", enum.SeverityMedium},
		{"coupling_wear", enum.FamilyRotorShaft, "VIB", enum.SeverityMedium},

		{"phase_unbalance", enum.FamilyElectrical, "PDE", enum.SeverityMedium},
		{"single_phasing", enum.FamilyElectrical, "OHE", enum.SeverityCritical},
		{"broken_rotor_bar", enum.FamilyElectrical, "VIB", enum.SeverityHigh},
		{"stator_winding_short", enum.FamilyElectrical, "OHE", enum.SeverityCritical},
		{"air_gap_eccentricity", enum.FamilyElectrical, "VIB", enum.SeverityMedium},
		{"motor_overload", enum.FamilyElectrical, "OHE", enum.SeverityHigh},
		{"cooling_failure", enum.FamilyElectrical, "OHE", enum.SeverityHigh},

		{"cavitation", enum.FamilyPumpHydraulic, "NOI", enum.SeverityHigh},
		{"suction_recirculation", enum.FamilyPumpHydraulic, "VIB", enum.SeverityMedium},
		{"impeller_wear", enum.FamilyPumpHydraulic, "LOO", enum.SeverityMedium},
		{"impeller_blockage", enum.FamilyPumpHydraulic, "PLU", enum.SeverityHigh},
		{"dry_running", enum.FamilyPumpHydraulic, "LOO", enum.SeverityCritical},
		{"mechanical_seal_leak", enum.FamilyPumpHydraulic, "ELP", enum.SeverityHigh},

		{"sensor_fault", enum.FamilyInstrumentation, "AIR", enum.SeverityLow},
	}
}

// Aliases returns other spellings of built-in codes that imports meet.
func Aliases(code string) []string {
	if code == "bearing_overgrease_churning" {
		return []string{"bearing_overgrease_churn"}
	}
	return []string{}
}
