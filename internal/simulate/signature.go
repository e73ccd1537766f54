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

// signature is how one fault shows.
type signature struct {
	at   where
	main effect // at the mount points of `at`
	// far is the effect at the other end of the same casing as each of `at`, for
	// faults that show there by themselves; nil: what travels, travels.
	far *effect
	// skew is how unequal the mount points of `at` are: 0 equal, 1 one side only.
	skew  float64
	grows stages

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
	oil      float64 // relative change of the oil pressure, where there is forced lubrication
}

// signatures has one entry per fault code but `normal` and `sensor_fault`, which
// is no state of the machine but of what measures it.
var signatures = map[string]signature{
	// Bearings. A defect of a race or a ball makes the bearing's natural frequencies ring
	// before its own frequencies show.
	"bearing_inner_race_defect": {at: oneBearing, grows: wearing, main: effect{
		lines: []line{{inner, 1, 1.1}, {inner, 2, 0.9}, {inner, 3, 0.6}, {shaft, 1, 0.3}}, ring: [bands]float64{0, 0.5, 3.4, 1.5}, ultra: 15, temp: 6},
		jitter: 0.30, loadPower: 0.5},
	"bearing_outer_race_defect": {at: oneBearing, grows: wearing, main: effect{
		lines: []line{{outer, 1, 1.5}, {outer, 2, 1.3}, {outer, 3, 1.1}, {outer, 4, 0.7}}, ring: [bands]float64{0, 0.9, 3.4, 1.1}, ultra: 17, temp: 6},
		jitter: 0.05, loadPower: 0.5},
	"bearing_rolling_element_defect": {at: oneBearing, grows: wearing, main: effect{
		lines: []line{{ball, 1, 0.5}, {ball, 2, 0.4}, {cage, 1, 0.2}}, ring: [bands]float64{0, 0.4, 2.3, 2.8}, ultra: 14, temp: 8},
		jitter: 0.10, swing: 0.55, period: 6},
	"bearing_cage_defect": {at: oneBearing, grows: stages{ultra: 0.8, temp: 1.5}, main: effect{
		lines: []line{{cage, 1, 2.0}, {cage, 2, 1.2}, {cage, 3, 0.7}, {ball, 1, 0.6}}, ring: [bands]float64{0.3, 0.5, 0.8, 0.4}, ultra: 6, temp: 4},
		jitter: 0.30, swing: 0.35, period: 9},
	"bearing_lubricant_starvation": {at: oneBearing, grows: stages{ultra: 0.7, temp: 1.2}, main: effect{
		ring: [bands]float64{0.1, 0.2, 1.0, 2.2}, ultra: 27, temp: 22},
		jitter: 0.12, oil: -0.35},
	"bearing_overgrease_churning": {at: oneBearing, main: effect{
		ring: [bands]float64{0.4, 0.3, 0, 0}, ultra: -8, temp: 50},
		jitter: 0.10},
	"bearing_contamination": {at: oneBearing, grows: stages{ultra: 0.7, ring: 0.9, temp: 1.5}, main: effect{
		ring: [bands]float64{0.1, 0.3, 1.2, 1.6}, ultra: 14, temp: 5},
		jitter: 0.20, spikes: 0.25, oil: -0.12},
	"bearing_looseness": {at: oneBearing, main: effect{
		lines: []line{{shaft, 0.5, 0.6}, {shaft, 1, 1.9}, {shaft, 2, 1.6}, {shaft, 3, 1.3}, {shaft, 4, 1.1}, {shaft, 5, 1.0}, {shaft, 6, 0.9}, {shaft, 8, 0.8}},
		ring:  [bands]float64{0.4, 1.4, 0.8, 0.2}, ultra: 5, temp: 4},
		jitter: 0.20, oil: -0.1},
	"false_brinelling": {at: casing, skew: 0.15, grows: stages{ultra: 0.7, ring: 0.9, lines: 1.3}, main: effect{
		lines: []line{{outer, 1, 0.5}, {outer, 2, 0.4}}, ring: [bands]float64{0, 0.3, 2.3, 0.7}, ultra: 9, temp: 0.5},
		jitter: 0.05},
	"electrical_fluting": {at: motorCasing, skew: 0.3, grows: stages{ultra: 0.7, ring: 0.9, lines: 1.3, temp: 1.5}, main: effect{
		lines: []line{{outer, 1, 0.4}, {outer, 2, 0.4}, {inner, 2, 0.3}}, ring: [bands]float64{0, 0.4, 4.0, 2.6}, ultra: 14, temp: 5},
		jitter: 0.06},

	// Rotor and shaft.
	"rotor_unbalance": {at: casing, skew: 0.2, main: effect{
		lines: []line{{shaft, 1, 6.5}, {shaft, 2, 0.3}}, temp: 1},
		jitter: 0.03, speedPower: 2},
	"angular_misalignment": {at: couplingSide, skew: 0.15, main: effect{
		lines: []line{{shaft, 1, 4.6}, {shaft, 2, 1.4}, {shaft, 3, 0.6}}, ring: [bands]float64{0, 0.3, 0.2, 0}, ultra: 2, temp: 9},
		far:    &effect{lines: []line{{shaft, 1, 3.6}, {shaft, 2, 0.7}}, temp: 1},
		jitter: 0.05, loadPower: 0.7},
	"parallel_misalignment": {at: couplingSide, skew: 0.15, main: effect{
		lines: []line{{shaft, 1, 1.6}, {shaft, 2, 3.8}, {shaft, 3, 1.6}, {shaft, 4, 1.4}, {shaft, 5, 1.1}, {shaft, 6, 0.9}, {shaft, 8, 0.7}},
		ring:  [bands]float64{0, 0.4, 0.4, 0}, ultra: 3, temp: 9},
		far:    &effect{lines: []line{{shaft, 1, 0.4}, {shaft, 2, 0.7}}},
		jitter: 0.05, loadPower: 0.7},
	"bent_shaft": {at: casing, skew: 0.1, main: effect{
		lines: []line{{shaft, 1, 4.8}, {shaft, 2, 2.4}}, ring: [bands]float64{0, 0.1, 0.1, 0}, ultra: 1, temp: 9},
		jitter: 0.04},
	"shaft_crack": {at: casing, skew: 0.55, main: effect{
		lines: []line{{shaft, 1, 3.2}, {shaft, 2, 3.6}, {shaft, 3, 1.2}}, ring: [bands]float64{0, 0.1, 0.2, 0}, ultra: 1, temp: 1},
		jitter: 0.08, swing: 0.40, period: 16, loadPower: 1.5},
	"mechanical_looseness": {at: casing, skew: 0.2, main: effect{
		lines: []line{{shaft, 0.5, 1.3}, {shaft, 1, 3.4}, {shaft, 2, 2.4}, {shaft, 3, 1.7}, {shaft, 4, 1.3}, {shaft, 5, 1.1}, {shaft, 6, 0.9}, {shaft, 8, 0.8}},
		ring:  [bands]float64{0.3, 0.8, 0.5, 0.1}, ultra: 3, temp: 1},
		jitter: 0.30, spikes: 0.05},
	"soft_foot": {at: motorCasing, skew: 0.7, main: effect{
		lines: []line{{shaft, 1, 2.2}, {shaft, 2, 1.0}, {twice, 1, 2.9}}, temp: 2},
		jitter: 0.03, current: 0.03},
	"structural_resonance": {at: casing, skew: 0.6, main: effect{
		lines: []line{{shaft, 1, 8.5}, {shaft, 2, 0.2}}},
		jitter: 0.14, swing: 0.25, period: 12, speedPower: 6},
	"coupling_wear": {at: couplingSide, skew: 0.1, main: effect{
		lines: []line{{shaft, 1, 1.3}, {shaft, 2, 1.2}, {shaft, 3, 1.4}, {shaft, 4, 0.9}, {shaft, 6, 0.8}}, ring: [bands]float64{0.2, 1.0, 0.9, 0.3}, ultra: 7, temp: 4},
		far:    &effect{lines: []line{{shaft, 1, 0.2}, {shaft, 3, 0.3}}},
		jitter: 0.24, spikes: 0.06},

	// Electrical: twice the frequency of the grid, and heat.
	"phase_unbalance": {at: motorCasing, skew: 0.05, main: effect{
		lines: []line{{twice, 1, 3.0}, {twice, 2, 0.6}}, ring: [bands]float64{0.2, 0.1, 0.1, 0}, ultra: 1, temp: 11},
		jitter: 0.04, current: 0.08},
	"single_phasing": {at: motorCasing, skew: 0.05, main: effect{
		lines: []line{{shaft, 1, 1.2}, {twice, 1, 5.5}, {twice, 2, 1.6}}, ring: [bands]float64{0.3, 0.5, 0.5, 0}, ultra: 3, temp: 36},
		jitter: 0.10, current: 0.65, currentJ: 0.05, slip: 0.02, flow: -0.05, pressure: -0.08},
	"broken_rotor_bar": {at: motorCasing, skew: 0.1, main: effect{
		lines: []line{{shaft, 1, 2.2}, {shaft, 2, 0.8}, {rotorBar, 1, 0.3}}, ring: [bands]float64{0, 0.4, 0.1, 0}, temp: 6},
		jitter: 0.06, swing: 0.60, period: 4, currentJ: 0.10, slip: 0.01, loadPower: 1},
	"stator_winding_short": {at: motorCasing, skew: 0.35, grows: stages{temp: 0.9}, main: effect{
		lines: []line{{twice, 1, 1.9}, {twice, 2, 0.5}}, ring: [bands]float64{0.2, 0.2, 0.4, 0}, ultra: 6, temp: 44},
		jitter: 0.05, current: 0.14},
	"air_gap_eccentricity": {at: motorCasing, skew: 0.15, main: effect{
		lines: []line{{shaft, 1, 0.5}, {twice, 1, 2.8}, {rotorBar, 1, 1.3}, {rotorBar, 2, 0.4}}, ring: [bands]float64{0, 0.2, 0.3, 0.1}, ultra: 1, temp: 2},
		jitter: 0.05, swing: 0.12, period: 8, current: 0.02},
	"motor_overload": {at: motorCasing, skew: 0.05, main: effect{
		lines: []line{{shaft, 1, 1.7}, {twice, 1, 0.9}}, ring: [bands]float64{0.5, 0.5, 0.3, 0.1}, ultra: 5, temp: 32},
		jitter: 0.05, current: 0.38, slip: 0.012, flow: 0.08, pressure: 0.03},
	"cooling_failure": {at: motorCasing, skew: 0.2, main: effect{temp: 48},
		jitter: 0.02},

	// Pump and hydraulics: vane pass where the hydraulic forces are uneven, noise where
	// the flow breaks up.
	"cavitation": {at: pumpCasing, skew: 0.15, grows: stages{ultra: 0.7}, main: effect{
		lines: []line{{vane, 1, 0.7}}, ring: [bands]float64{0.5, 1.4, 3.2, 3.4}, ultra: 21, temp: 2},
		jitter: 0.18, hydroJ: 0.06, pressure: -0.10, flow: -0.08, current: -0.04},
	"suction_recirculation": {at: pumpCasing, skew: 0.15, main: effect{
		lines: []line{{vane, 1, 0.9}}, ring: [bands]float64{2.2, 2.0, 0.9, 0.2}, ultra: 8, temp: 3},
		jitter: 0.40, hydroJ: 0.08, flow: -0.30, pressure: 0.03, current: -0.10},
	"impeller_wear": {at: pumpCasing, skew: 0.15, main: effect{
		lines: []line{{shaft, 1, 0.9}, {vane, 1, 2.7}, {vane, 2, 1.0}}, ring: [bands]float64{0, 0.4, 0.3, 0}, ultra: 1, temp: 0.5},
		jitter: 0.07, flow: -0.18, pressure: -0.20, current: -0.08},
	"impeller_blockage": {at: pumpCasing, skew: 0.25, main: effect{
		lines: []line{{shaft, 1, 3.1}, {vane, 1, 2.4}, {vane, 2, 0.8}}, ring: [bands]float64{0.5, 1.2, 0.8, 0.1}, ultra: 5, temp: 4},
		jitter: 0.14, hydroJ: 0.03, flow: -0.45, pressure: -0.10, current: -0.16},
	"dry_running": {at: pumpCasing, skew: 0.25, main: effect{
		lines: []line{{shaft, 1, 0.6}}, ring: [bands]float64{0.5, 0.9, 1.3, 1.5}, ultra: 15, temp: 42},
		jitter: 0.12, flow: -0.97, pressure: -0.92, current: -0.38},
	"mechanical_seal_leak": {at: pumpDE, grows: stages{ultra: 0.8}, main: effect{
		ring: [bands]float64{0, 0.1, 0.3, 1.2}, ultra: 13, temp: 13},
		jitter: 0.12, pressure: -0.05, flow: -0.03},
}
