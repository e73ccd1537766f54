package daily

import "time"

// The kinds of maintenance that features tell apart. Any other is maintenance like a
// preventive one.
const (
	Corrective = "corrective"
	Inspection = "inspection" // changes nothing at the machine, and so is left out
)

// Alarm is an alarm event of the machine.
type Alarm struct {
	At    time.Time // its beginning, event time
	Known time.Time // when it was raised; zero: at once
}

// Maintenance is work that was done on the machine.
type Maintenance struct {
	At    time.Time // when it was done
	Known time.Time // when it was recorded; zero: at once
	Kind  string
}

// Description is what was known of the machine from a time on.
type Description struct {
	Known       time.Time // from when on; zero: always
	Type        string    // `pump`
	Criticality string    // `high`
	InstalledOn time.Time // zero: unknown
}

// Inputs is what the features of one machine are made from. Entries of a list are in
// any order, and more than is needed does no harm: what lies outside of the windows, or
// was not known in time, is left out.
type Inputs struct {
	// Days of the last 90, at most one a day and time at which it became known; of
	// several the one that was known last counts.
	Days         []Day
	Alarms       []Alarm       // of the last 30 days
	Maintenance  []Maintenance // ever; at least of the last 365 days
	Descriptions []Description // the one that was known last counts
}
