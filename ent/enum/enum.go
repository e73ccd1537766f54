// Package enum holds the enumerations of columns; their text is what the database
// stores. Entities, services and the graph share them, so that a severity is one
// type everywhere.
package enum

import "foresight/internal/rules"

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

// The enumerations of alarms are those of the rules.
type (
	Severity    = rules.Severity
	Operator    = rules.Operator
	AlarmStatus = rules.Status
)

// Severities, rising.
const (
	SeverityLow      = rules.Low
	SeverityMedium   = rules.Medium
	SeverityHigh     = rules.High
	SeverityCritical = rules.Critical
)

// Operators: > >= < <= ==.
const (
	OperatorGT  = rules.GT
	OperatorGTE = rules.GTE
	OperatorLT  = rules.LT
	OperatorLTE = rules.LTE
	OperatorEQ  = rules.EQ
)

// States of an alarm (ISA-18.2, IEC 62682); the first three are the active ones.
const (
	AlarmOpen         = rules.Open
	AlarmAcknowledged = rules.Acknowledged
	AlarmCleared      = rules.Cleared
	AlarmResolved     = rules.Resolved
)

func list[T ~string](vs ...T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}
