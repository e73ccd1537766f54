package daily

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// Count is the length of a vector.
const Count = 40

// Vector is the features of one machine and day, in the order of Columns. Its values
// are float32, as XGBoost sees them; NaN is a missing one.
type Vector [Count]float32

// Column is one feature.
type Column struct {
	Name       string
	Unit       string  // `1` for numbers without a unit
	Definition string  // part of the schema hash: another definition is another schema
	Min, Max   float64 // what a value given by a caller may be, inclusive
}

// The places of the features in a vector. Those of one quantity and window stand
// together.
const (
	vibration7       = 0 // avg, std, max
	vibration30      = 3
	vibration90      = 6
	temperature7     = 9 // avg, max
	temperature30    = 11
	temperatureTrend = 13
	oil7             = 14 // avg, min
	oil30            = 16
	oilTrend         = 18
	current7         = 19 // avg, std
	ultrasonic7      = 21 // avg, max
	ultrasonic30     = 23
	highBand7        = 25
	highBand30       = 26
	faultShare7      = 27
	faultShare30     = 28
	alerts7          = 29
	alerts30         = 30
	sinceMaintenance = 31
	maintenance90    = 32
	corrective365    = 33
	age              = 34
	criticality      = 35
	running30        = 36
	exceeded30       = 37
	coverage7        = 38
	assetType        = 39
)

// The values that callers may give, by quantity: what the catalogue of parameters
// holds for plausible.
const (
	mostVelocity = 2000  // mm/s: four bands of 1000
	mostCurrent  = 20000 // A
	mostPressure = 1000  // bar
	leastDegrees = -60   // °C
	mostDegrees  = 400   // °C
	leastSound   = -60   // dBµV
	mostSound    = 200   // dBµV
	mostSlope    = 1000  // a day
	mostCount    = 1e6
	mostDays     = 36525
)

// columns is the daily feature store: the one list of its features.
var columns = [Count]Column{
	{"vibration_rms_7d_avg", "mm/s", "mean of vibration_rms over all samples of 7 days", 0, mostVelocity},
	{"vibration_rms_7d_std", "mm/s", "population standard deviation of vibration_rms over all samples of 7 days", 0, mostVelocity},
	{"vibration_rms_7d_max", "mm/s", "largest vibration_rms of 7 days", 0, mostVelocity},
	{"vibration_rms_30d_avg", "mm/s", "mean of vibration_rms over all samples of 30 days", 0, mostVelocity},
	{"vibration_rms_30d_std", "mm/s", "population standard deviation of vibration_rms over all samples of 30 days", 0, mostVelocity},
	{"vibration_rms_30d_max", "mm/s", "largest vibration_rms of 30 days", 0, mostVelocity},
	{"vibration_rms_90d_avg", "mm/s", "mean of vibration_rms over all samples of 90 days", 0, mostVelocity},
	{"vibration_rms_90d_std", "mm/s", "population standard deviation of vibration_rms over all samples of 90 days", 0, mostVelocity},
	{"vibration_rms_90d_max", "mm/s", "largest vibration_rms of 90 days", 0, mostVelocity},
	{"bearing_temp_7d_avg", "°C", "mean of bearing_temp over all samples of 7 days", leastDegrees, mostDegrees},
	{"bearing_temp_7d_max", "°C", "largest bearing_temp of 7 days", leastDegrees, mostDegrees},
	{"bearing_temp_30d_avg", "°C", "mean of bearing_temp over all samples of 30 days", leastDegrees, mostDegrees},
	{"bearing_temp_30d_max", "°C", "largest bearing_temp of 30 days", leastDegrees, mostDegrees},
	{"bearing_temp_trend_30d", "°C/day", "slope of the daily means of bearing_temp over 30 days", -mostSlope, mostSlope},
	{"oil_pressure_7d_avg", "bar", "mean of oil_pressure over all samples of 7 days", 0, mostPressure},
	{"oil_pressure_7d_min", "bar", "smallest oil_pressure of 7 days", 0, mostPressure},
	{"oil_pressure_30d_avg", "bar", "mean of oil_pressure over all samples of 30 days", 0, mostPressure},
	{"oil_pressure_30d_min", "bar", "smallest oil_pressure of 30 days", 0, mostPressure},
	{"oil_pressure_trend_30d", "bar/day", "slope of the daily means of oil_pressure over 30 days", -mostSlope, mostSlope},
	{"motor_current_7d_avg", "A", "mean of motor_current over all samples of 7 days", 0, mostCurrent},
	{"motor_current_7d_std", "A", "population standard deviation of motor_current over all samples of 7 days", 0, mostCurrent},
	{"ultrasonic_7d_avg", "dBµV", "mean of ultrasonic over all samples of all mount points of 7 days", leastSound, mostSound},
	{"ultrasonic_7d_max", "dBµV", "largest ultrasonic of any mount point of 7 days", leastSound, mostSound},
	{"ultrasonic_30d_avg", "dBµV", "mean of ultrasonic over all samples of all mount points of 30 days", leastSound, mostSound},
	{"ultrasonic_30d_max", "dBµV", "largest ultrasonic of any mount point of 30 days", leastSound, mostSound},
	{"vib_band_3_4_energy_ratio_7d", "1", "sum of squares of bands 3 and 4 / of bands 1 to 4, over the mount points and hours with all four, of 7 days", 0, 1},
	{"vib_band_3_4_energy_ratio_30d", "1", "sum of squares of bands 3 and 4 / of bands 1 to 4, over the mount points and hours with all four, of 30 days", 0, 1},
	{"fault_prediction_share_7d", "1", "production predictions of another class than normal / all, of 7 days", 0, 1},
	{"fault_prediction_share_30d", "1", "production predictions of another class than normal / all, of 30 days", 0, 1},
	{"alert_count_7d", "1", "alarm events that began within 7 days", 0, mostCount},
	{"alert_count_30d", "1", "alarm events that began within 30 days", 0, mostCount},
	{"days_since_last_maintenance", "d", "from the last maintenance that was no inspection", 0, mostDays},
	{"maintenance_count_90d", "1", "maintenance other than inspections within 90 days", 0, mostCount},
	{"corrective_count_365d", "1", "corrective maintenance within 365 days", 0, mostCount},
	{"asset_age_days", "d", "from the installation", 0, mostDays},
	{"criticality_encoded", "1", "low 0, medium 1, high 2, critical 3", 0, 3},
	{"running_hours_30d", "h", "hours of 30 days in which the machine ran: mean speed >= 60 rpm, else, not measured, motor_current >= 1 A, else vibration_rms >= 0.3 mm/s", 0, 30 * 24},
	{"zone_exceed_hours_30d", "h", "hours of 30 days in zone C or D of ISO 20816-3, by the quadratic mean of bands 1 and 2 of the worst mount point", 0, 30 * 24},
	{"telemetry_coverage_7d", "1", "hours of 7 days with a reading / 168", 0, 1},
	{"asset_type_encoded", "1", "motor 0, pump 1, pump_set 2, compressor 3, fan 4, blower 5, gearbox 6, turbine 7, generator 8, conveyor 9, mixer 10, other 11", 0, 11},
}

// rules of the schema beyond the single definitions.
const rules = "windows of UTC days up to the end of the day, the day included; samples of all sensors of the machine; " +
	"an hour is an hourly rollup; slope: least squares over at least 7 days with samples; only what happened before the end of the day and " +
	"was known 2 hours later; no sample, event or description to tell from: NaN; values beyond float32 clamped to its limits"

// Columns lists the features in order. The slice is the caller's.
func Columns() []Column {
	c := columns
	return c[:]
}

// Names lists the features' names in order. The slice is the caller's.
func Names() []string {
	out := make([]string, Count)
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

var places = sync.OnceValue(func() map[string]int {
	m := make(map[string]int, Count)
	for i, c := range columns {
		m[c.Name] = i
	}
	return m
})

// Place returns the place of the feature in a vector.
func Place(name string) (int, bool) {
	i, ok := places()[name]
	return i, ok
}

// SchemaHash identifies the order and the definitions: the SHA-256 of their listing,
// in hex. A model trained under another hash must not be fed from here.
var SchemaHash = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprintln(h, rules)
	for i, c := range columns {
		fmt.Fprintf(h, "%d %s [%s] = %s\n", i, c.Name, c.Unit, c.Definition)
	}
	return hex.EncodeToString(h.Sum(nil))
})
