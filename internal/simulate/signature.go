package simulate

// where says at which mount points a fault's energy arises.
type where uint8

const (
	nowhere    where = iota
	oneBearing       // one of the four mount points, drawn per machine
	motorBearing
	casing       // both bearings of the motor or of the pump, drawn per machine
	motorCasing  // both motor bearings
	pumpCasing   // both pump bearings
	couplingSide // motor_DE and pump_DE
	bothCasings
	pumpDE
)

// effect is what a fault adds at one mount point at severity 1: velocity per band
// (mm/s RMS for a machine of average size), ultrasonic (dB), temperature (K).
type effect struct {
	band  [4]float64
	ultra float64
	temp  float64
}

// Signature is how one fault shows.
type signature struct {
	at   where
	main effect // at the mount points of `at`
	// far is the effect at the other end of the same casing as each of `at`, for
	// faults that show there by themselves; nil: what travels, travels.
	far *effect
	// skew is how unequal the mount points of `at` are: 0 equal, 1 one side only.
	skew float64

	jitter float64 // relative scatter of the added energy between readings, independent
	swing  float64 // relative amplitude of a slow modulation of it
	period float64 // readings per cycle of the swing, about
	spikes float64 // chance of a reading with an impulse of 2-4 times the level

	speedPower float64 // the added velocity goes with (speed/nominal)^this
	loadPower  float64 // and with (load/0.8)^this

	current  float64 // relative change of the motor current at severity 1
	currentJ float64 // relative swing of the current
	flow     float64 // relative change of the flow
	pressure float64 // relative change of the discharge pressure
	hydroJ   float64 // relative scatter of flow and pressure
	slip     float64 // relative loss of speed
}

// signatures has one entry per fault code but `normal` and `sensor_fault`, which
// is no state of the machine but of what measures it.
var signatures = map[string]signature{
	// Bearings.
	"bearing_inner_race_defect": {at: oneBearing, main: effect{[4]float64{0.2, 1.4, 3.4, 1.5}, 15, 6},
		jitter: 0.30, loadPower: 0.5},
	"bearing_outer_race_defect": {at: oneBearing, main: effect{[4]float64{0.2, 2.2, 3.4, 1.1}, 17, 6},
		jitter: 0.05, loadPower: 0.5},
	"bearing_rolling_element_defect": {at: oneBearing, main: effect{[4]float64{0.2, 0.7, 2.3, 2.7}, 14, 8},
		jitter: 0.10, swing: 0.55, period: 6},
	"bearing_cage_defect": {at: oneBearing, main: effect{[4]float64{2.4, 0.7, 0.8, 0.4}, 6, 4},
		jitter: 0.30, swing: 0.35, period: 9},
	"bearing_lubricant_starvation": {at: oneBearing, main: effect{[4]float64{0.1, 0.2, 1.0, 2.2}, 27, 22},
		jitter: 0.12},
	"bearing_overgrease_churning": {at: oneBearing, main: effect{[4]float64{0.4, 0.3, 0, 0}, -8, 50},
		jitter: 0.10},
	"bearing_contamination": {at: oneBearing, main: effect{[4]float64{0.1, 0.3, 1.2, 1.6}, 14, 5},
		jitter: 0.20, spikes: 0.25},
	"bearing_looseness": {at: oneBearing, main: effect{[4]float64{2.2, 3.0, 0.8, 0.2}, 5, 4},
		jitter: 0.20},
	"false_brinelling": {at: casing, skew: 0.15, main: effect{[4]float64{0.1, 0.6, 2.3, 0.7}, 9, 0.5},
		jitter: 0.05},
	"electrical_fluting": {at: motorCasing, skew: 0.3, main: effect{[4]float64{0.1, 0.7, 4.0, 2.6}, 14, 5},
		jitter: 0.06},

	// Rotor and shaft.
	"rotor_unbalance": {at: casing, skew: 0.2, main: effect{[4]float64{6.5, 0.3, 0, 0}, 0, 1},
		jitter: 0.03, speedPower: 2},
	"angular_misalignment": {at: couplingSide, skew: 0.15, main: effect{[4]float64{4.6, 1.5, 0.2, 0}, 2, 9},
		far: &effect{[4]float64{3.6, 0.7, 0, 0}, 0, 1}, jitter: 0.05, loadPower: 0.7},
	"parallel_misalignment": {at: couplingSide, skew: 0.15, main: effect{[4]float64{1.9, 4.0, 0.4, 0}, 3, 9},
		far: &effect{[4]float64{0.4, 0.7, 0, 0}, 0, 1}, jitter: 0.05, loadPower: 0.7},
	"bent_shaft": {at: casing, skew: 0.1, main: effect{[4]float64{5.0, 2.4, 0.1, 0}, 1, 9},
		jitter: 0.04},
	"shaft_crack": {at: casing, skew: 0.55, main: effect{[4]float64{3.4, 3.8, 0.2, 0}, 1, 1},
		jitter: 0.08, swing: 0.40, period: 16, loadPower: 1.5},
	"mechanical_looseness": {at: casing, skew: 0.2, main: effect{[4]float64{4.2, 2.9, 0.5, 0.1}, 3, 1},
		jitter: 0.30, spikes: 0.05},
	"soft_foot": {at: motorCasing, skew: 0.7, main: effect{[4]float64{2.4, 3.0, 0, 0}, 0, 2},
		jitter: 0.03, current: 0.03},
	"structural_resonance": {at: casing, skew: 0.6, main: effect{[4]float64{8.5, 0.2, 0, 0}, 0, 0},
		jitter: 0.14, swing: 0.25, period: 12, speedPower: 6},
	"coupling_wear": {at: couplingSide, skew: 0.1, main: effect{[4]float64{1.5, 2.0, 0.9, 0.3}, 7, 4},
		far: &effect{[4]float64{0.2, 0.3, 0, 0}, 0, 0}, jitter: 0.24, spikes: 0.06},

	// Electrical.
	"phase_unbalance": {at: motorCasing, skew: 0.05, main: effect{[4]float64{0.2, 3.0, 0.1, 0}, 1, 11},
		jitter: 0.04, current: 0.08},
	"single_phasing": {at: motorCasing, skew: 0.05, main: effect{[4]float64{1.8, 5.5, 0.5, 0}, 3, 36},
		jitter: 0.10, current: 0.65, currentJ: 0.05, slip: 0.02, flow: -0.05, pressure: -0.08},
	"broken_rotor_bar": {at: motorCasing, skew: 0.1, main: effect{[4]float64{2.2, 0.9, 0.2, 0}, 0, 6},
		jitter: 0.06, swing: 0.60, period: 4, currentJ: 0.10, slip: 0.01, loadPower: 1},
	"stator_winding_short": {at: motorCasing, skew: 0.35, main: effect{[4]float64{0.2, 1.8, 0.4, 0}, 6, 44},
		jitter: 0.05, current: 0.14},
	"air_gap_eccentricity": {at: motorCasing, skew: 0.15, main: effect{[4]float64{0.5, 3.0, 1.2, 0.1}, 1, 2},
		jitter: 0.05, swing: 0.12, period: 8, current: 0.02},
	"motor_overload": {at: motorCasing, skew: 0.05, main: effect{[4]float64{1.9, 0.9, 0.3, 0.1}, 5, 32},
		jitter: 0.05, current: 0.38, slip: 0.012, flow: 0.08, pressure: 0.03},
	"cooling_failure": {at: motorCasing, skew: 0.2, main: effect{[4]float64{0, 0, 0, 0}, 0, 48},
		jitter: 0.02},

	// Pump and hydraulics.
	"cavitation": {at: pumpCasing, skew: 0.15, main: effect{[4]float64{0.5, 1.5, 3.2, 3.4}, 21, 2},
		jitter: 0.18, hydroJ: 0.06, pressure: -0.10, flow: -0.08, current: -0.04},
	"suction_recirculation": {at: pumpCasing, skew: 0.15, main: effect{[4]float64{2.2, 2.2, 0.9, 0.2}, 8, 3},
		jitter: 0.40, hydroJ: 0.08, flow: -0.30, pressure: 0.03, current: -0.10},
	"impeller_wear": {at: pumpCasing, skew: 0.15, main: effect{[4]float64{0.9, 2.9, 0.3, 0}, 1, 0.5},
		jitter: 0.07, flow: -0.18, pressure: -0.20, current: -0.08},
	"impeller_blockage": {at: pumpCasing, skew: 0.25, main: effect{[4]float64{3.2, 2.9, 0.8, 0.1}, 5, 4},
		jitter: 0.14, hydroJ: 0.03, flow: -0.45, pressure: -0.10, current: -0.16},
	"dry_running": {at: pumpCasing, skew: 0.25, main: effect{[4]float64{0.8, 0.9, 1.3, 1.5}, 15, 42},
		jitter: 0.12, flow: -0.97, pressure: -0.92, current: -0.38},
	"mechanical_seal_leak": {at: pumpDE, main: effect{[4]float64{0, 0.1, 0.3, 1.2}, 13, 13},
		jitter: 0.12, pressure: -0.05, flow: -0.03},
}
