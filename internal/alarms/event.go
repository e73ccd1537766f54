package alarms

import (
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// Event is an alarm as it is stored, with the name and parameter of its rule as they
// are now (a deleted rule keeps them). Times are UTC.
type Event struct {
	ID       id.UUID
	TenantID id.UUID
	SiteID   id.UUID
	AssetID  id.UUID
	SensorID *id.UUID // nil where the rule is about the asset
	RuleID   id.UUID

	RuleName  string
	Parameter string

	Severity       rules.Severity
	Status         rules.Status
	TriggeredValue float64 // that raised it, in the parameter's unit

	// Of alarms raised by a prediction; nil otherwise.
	FaultCode      *string
	PredictionID   *id.UUID
	ModelVersionID *id.UUID

	TriggeredAt     time.Time // event time of the sample that raised it
	LastTriggeredAt time.Time // event time of the newest sample that met the condition
	Occurrences     int       // samples that met the condition while the alarm held
	ClearedAt       *time.Time
	AcknowledgedAt  *time.Time
	AcknowledgedBy  *id.UUID
	ResolvedAt      *time.Time
	ResolvedBy      *id.UUID // nil when the product resolved it
	CorrectionPlan  *string
}

// Key places the alarm.
func (e *Event) Key() telemetry.Key {
	return telemetry.Key{Tenant: e.TenantID, Site: e.SiteID, Asset: e.AssetID, Sensor: deref(e.SensorID)}
}

// eventColumns are read by scanEvent from eventTables. The tenant stands in every
// condition beside row-level security.
const (
	eventColumns = `e.id, e.tenant_id, e.site_id, e.asset_id, e.sensor_id, e.rule_id, r.name, r.parameter, e.severity, e.status,
	e.triggered_value, e.fault_code, e.prediction_id, e.model_version_id, e.triggered_at, e.last_triggered_at, e.occurrences,
	e.cleared_at, e.acknowledged_at, e.acknowledged_by, e.resolved_at, e.resolved_by, e.correction_plan`
	eventTables = `alarm_events e JOIN alarm_rules r ON r.tenant_id = e.tenant_id AND r.id = e.rule_id`
)

// fields are the places that eventColumns are scanned into.
func (e *Event) fields() []any {
	return []any{&e.ID, &e.TenantID, &e.SiteID, &e.AssetID, &e.SensorID, &e.RuleID, &e.RuleName, &e.Parameter, &e.Severity, &e.Status,
		&e.TriggeredValue, &e.FaultCode, &e.PredictionID, &e.ModelVersionID, &e.TriggeredAt, &e.LastTriggeredAt, &e.Occurrences,
		&e.ClearedAt, &e.AcknowledgedAt, &e.AcknowledgedBy, &e.ResolvedAt, &e.ResolvedBy, &e.CorrectionPlan}
}

func (e *Event) inUTC() {
	e.TriggeredAt, e.LastTriggeredAt = e.TriggeredAt.UTC(), e.LastTriggeredAt.UTC()
	for _, t := range []**time.Time{&e.ClearedAt, &e.AcknowledgedAt, &e.ResolvedAt} {
		if *t != nil {
			u := (*t).UTC()
			*t = &u
		}
	}
}

func scanEvent(row pgx.CollectableRow) (*Event, error) {
	e := &Event{}
	err := row.Scan(e.fields()...)
	e.inUTC()
	return e, err
}
