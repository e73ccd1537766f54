// Package enum holds the enumerations of columns; their text is what the database
// stores. Entities, services and the graph share them, so that a severity is one
// type everywhere.
package enum

// Plan is the commercial plan of a tenant; limits follow from it.
type Plan string

// The plans.
const (
	PlanFree       Plan = "free"
	PlanStandard   Plan = "standard"
	PlanEnterprise Plan = "enterprise"
)

// Values lists the plans.
func (Plan) Values() []string { return list(PlanFree, PlanStandard, PlanEnterprise) }

// UserStatus says whether a person may log in.
type UserStatus string

// The states of a user.
const (
	UserActive   UserStatus = "active"
	UserInvited  UserStatus = "invited"  // has not set a password yet
	UserDisabled UserStatus = "disabled" // may not log in until an admin says so
)

// Values lists the states.
func (UserStatus) Values() []string { return list(UserActive, UserInvited, UserDisabled) }

// Severity ranks alarms and faults, rising from low to critical.
type Severity string

// The severities.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// Values lists the severities, rising.
func (Severity) Values() []string {
	return list(SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical)
}

// Operator compares a measured value with a rule's threshold.
type Operator string

// The operators: > >= < <= ==.
const (
	OperatorGT  Operator = "gt"
	OperatorGTE Operator = "gte"
	OperatorLT  Operator = "lt"
	OperatorLTE Operator = "lte"
	OperatorEQ  Operator = "eq"
)

// Values lists the operators.
func (Operator) Values() []string {
	return list(OperatorGT, OperatorGTE, OperatorLT, OperatorLTE, OperatorEQ)
}

// AlarmStatus is the state of an alarm event (ISA-18.2, IEC 62682).
type AlarmStatus string

// The states; the first three are the active ones.
const (
	AlarmOpen         AlarmStatus = "open"         // the condition holds, nobody has seen it
	AlarmAcknowledged AlarmStatus = "acknowledged" // the condition holds, seen
	AlarmCleared      AlarmStatus = "cleared"      // the condition is gone, not yet acknowledged
	AlarmResolved     AlarmStatus = "resolved"     // closed
)

// Values lists the states.
func (AlarmStatus) Values() []string {
	return list(AlarmOpen, AlarmAcknowledged, AlarmCleared, AlarmResolved)
}

// Active reports whether an event in this state is the one that further samples
// of its rule and sensor belong to.
func (s AlarmStatus) Active() bool { return s != AlarmResolved }

func list[T ~string](vs ...T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}
