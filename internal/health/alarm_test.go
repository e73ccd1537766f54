package health

import (
	"strings"
	"testing"
	"time"

	"foresight/inference/daily"
	"foresight/internal/alarms"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// judged lets the rules judge what the rig scores. Rules are made beforehand.
func (r *rig) judged(specs ...alarms.RuleSpec) (ids []id.UUID) {
	r.Helper()
	orm := postgres.OpenDB(r.app)
	r.Cleanup(func() { _ = orm.Close() })
	editor := alarms.NewRuleService(postgres.Client(orm))
	for _, s := range specs {
		s.Severity, s.IsActive = rules.High, true
		s.MinConsecutive = max(1, s.MinConsecutive)
		made, err := editor.Create(r.acme.As(r.Context(), tenancy.Engineer), s)
		r.ok(err)
		ids = append(ids, made.ID)
	}
	source := alarms.NewRuleSource(alarms.SourceOptions{Pool: r.worker})
	r.ok(source.Start(r.Context()))
	r.ok(source.Stop(r.Context())) // what was loaded stays
	r.service.Alarms = alarms.NewRecorder(source, nil)
	return ids
}

// steps lists the transitions of a rule's alarms as `from>to`.
func (r *rig) steps(p testkit.Plant, rule id.UUID) string {
	r.Helper()
	return one[string](r, p, `SELECT coalesce(string_agg(coalesce(t.from_status, '') || '>' || t.to_status, ' ' ORDER BY t.seq), '')
		FROM alarm_transitions t JOIN alarm_events e ON e.id = t.event_id WHERE e.tenant_id = $1 AND e.rule_id = $2`, p.TenantID, rule)
}

// A machine gets worse from day to day, is mended, and fails again: each score is judged
// once, and raises and clears as the rules say.
func TestScoresRaiseAlarms(t *testing.T) {
	r := newRig(t)
	both := r.judged(
		alarms.RuleSpec{Name: "Will fail", Parameter: rules.FailureProb30, Operator: rules.GTE, Threshold: 0.5, Deadband: 0.2, MinConsecutive: 2},
		alarms.RuleSpec{Name: "Unwell", Parameter: rules.HealthScore, Operator: rules.LT, Threshold: 40})
	first := r.last()
	hear := func(n int, velocity float64) {
		day := first.AddDate(0, 0, n)
		r.hours(r.acme.Key(0), day, 24, velocity)
		r.now = first.AddDate(0, 0, n).Add(30 * time.Hour)
		r.look(r.acme)
	}
	for i := range 6 { // the week before
		r.hours(r.acme.Key(0), first.AddDate(0, 0, -1-i), 24, 1)
	}
	hear(0, 1)
	if n := one[int](r, r.acme, `SELECT count(*) FROM alarm_events`); n != 0 {
		t.Fatalf("%d alarms of a machine that is well", n)
	}
	hear(1, 30)
	if got := r.steps(r.acme, both[0]); got != "" {
		t.Fatalf("alarm %q after one day of two", got)
	}
	if got := r.steps(r.acme, both[1]); got != ">open" {
		t.Fatalf("health: %q", got)
	}
	hear(2, 30)
	if got := r.steps(r.acme, both[0]); got != ">open" {
		t.Fatalf("after the second day: %q", got)
	}
	if n := one[int](r, r.acme, `SELECT count(*) FROM rule_states`); n != 0 {
		t.Errorf("%d states of rules that remember nothing", n)
	}
	var sensor, version, prediction *id.UUID
	var value, said float64
	r.ok(r.app.QueryRow(r.as(r.acme), `SELECT e.sensor_id, e.model_version_id, e.prediction_id, e.triggered_value, p.failure_prob_30d
		FROM alarm_events e JOIN failure_predictions p ON p.asset_id = e.asset_id AND p.predicted_at = e.triggered_at
		WHERE e.tenant_id = $1 AND e.rule_id = $2`, r.acme.TenantID, both[0]).Scan(&sensor, &version, &prediction, &value, &said))
	if sensor != nil || version == nil || *version != r.version || prediction != nil || value != said {
		t.Errorf("sensor %v, version %v, prediction %v, value %v of %v", sensor, version, prediction, value, said)
	}
	if hints := r.told.of(event.Alarm); len(hints) != 2 || hints[0].Key.Asset != r.acme.AssetID {
		t.Errorf("told of %d changes of alarms, want 2: %+v", len(hints), hints)
	}

	// The same day again: nothing is judged twice.
	was := one[string](r, r.acme, `SELECT string_agg(e::text, ';' ORDER BY id) || coalesce((SELECT string_agg(s::text, ';') FROM rule_states s), '') FROM alarm_events e`)
	r.sql(`UPDATE scoring_jobs SET status = 'queued' WHERE tenant_id = $1`, r.acme.TenantID)
	r.look(r.acme)
	if is := one[string](r, r.acme, `SELECT string_agg(e::text, ';' ORDER BY id) || coalesce((SELECT string_agg(s::text, ';') FROM rule_states s), '') FROM alarm_events e`); is != was {
		t.Errorf("judged twice: %s, was %s", is, was)
	}
	// Mended. The week's mean falls slowly, and so does the probability.
	for n := 3; n < 11; n++ {
		hear(n, 0.1)
	}
	if got := r.steps(r.acme, both[0]); got != ">open open>cleared" {
		t.Errorf("after a week: %q", got)
	}
	if n := one[int](r, r.globex, `SELECT count(*) FROM alarm_events`); n != 0 {
		t.Errorf("%d alarms in the other tenant", n)
	}
}

// Days that are made up after newer ones raise nothing.
func TestOldDaysRaiseNothing(t *testing.T) {
	r := newRig(t)
	rule := r.judged(alarms.RuleSpec{Name: "Will fail", Parameter: rules.FailureProb7, Operator: rules.GT, Threshold: 0.3})[0]
	day := r.last()
	for i := range 7 {
		r.hours(r.acme.Key(0), day.AddDate(0, 0, -i), 24, 30)
	}
	r.hours(r.acme.Key(0), day.AddDate(0, 0, 1), 24, 0.1)
	r.model.off = true
	r.look(r.acme) // the day has features and no score
	r.model.off = false
	r.now = r.now.AddDate(0, 0, 1)
	// The next day is scored before the one that waits.
	r.ok(r.schedule.Look(t.Context()))
	newest := one[id.UUID](r, r.acme, `SELECT id FROM scoring_jobs ORDER BY day DESC LIMIT 1`)
	r.run(r.acme, newest)
	before := r.steps(r.acme, rule)
	r.sql(`UPDATE scoring_jobs SET status = 'queued' WHERE tenant_id = $1`, r.acme.TenantID)
	r.run(r.acme, one[id.UUID](r, r.acme, `SELECT id FROM scoring_jobs ORDER BY day LIMIT 1`))
	if n := one[int](r, r.acme, `SELECT count(*) FROM failure_predictions WHERE failure_prob_7d > 0.3`); n == 0 {
		t.Fatal("the old day's score would not raise an alarm: the test shows nothing")
	}
	if got := r.steps(r.acme, rule); got != before {
		t.Errorf("the old day raised %q", got)
	}
}

// A health that waits for its prediction is not judged; when it comes, it is.
func TestAProvisionalHealthIsNotJudged(t *testing.T) {
	r := newRig(t)
	r.sql(`UPDATE assets SET iso_machine_group = 2, iso_support_type = 'rigid' WHERE tenant_id = $1`, r.acme.TenantID)
	rule := r.judged(alarms.RuleSpec{Name: "Unwell", Parameter: rules.HealthScore, Operator: rules.LT, Threshold: 60, MinConsecutive: 2})[0]
	r.hours(r.acme.Key(0), r.last(), 24, 30)
	r.model.off = true
	r.look(r.acme)
	if n := one[int](r, r.acme, `SELECT count(*) FROM rule_states`); n != 0 {
		t.Error("judged without a prediction")
	}
	r.model.off = false
	r.look(r.acme)
	if run := one[int](r, r.acme, `SELECT run FROM rule_states WHERE rule_id = $1 AND sensor_id IS NULL`, rule); run != 1 {
		t.Errorf("a run of %d days, want 1", run)
	}
}

// An alarm on health is no evidence against health, nor a feature: it would keep itself.
func TestAlarmsOfScoresAreNoEvidence(t *testing.T) {
	r := newRig(t)
	rule := r.judged(alarms.RuleSpec{Name: "Unwell", Parameter: rules.HealthScore, Operator: rules.LTE, Threshold: 100})[0]
	for i := range 3 {
		r.hours(r.acme.Key(0), r.last().AddDate(0, 0, i), 24, 1)
	}
	r.look(r.acme)
	r.now = r.now.AddDate(0, 0, 1)
	r.look(r.acme)
	if got := r.steps(r.acme, rule); got != ">open" {
		t.Fatalf("steps %q", got)
	}
	inputs := one[string](r, r.acme, `SELECT inputs::text FROM asset_health ORDER BY calculated_at DESC LIMIT 1`)
	if strings.Contains(inputs, `"alarm"`) {
		t.Errorf("the alarm is evidence: %s", inputs)
	}
	if n := r.features(r.acme, r.last())["alert_count_7d"]; n != 0 {
		t.Errorf("the alarm is a feature: %v", n)
	}
	// One that a reading raised is both.
	other := id.New(id.AlarmRule)
	r.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, 'flow', 'flow', 'gt', 1, 'high')`, other, r.acme.TenantID)
	event := id.New(id.AlarmEvent)
	r.sql(`INSERT INTO alarm_events (tenant_id, id, site_id, asset_id, rule_id, severity, triggered_value, triggered_at, last_triggered_at) VALUES ($1, $2, $3, $4, $5, 'high', 2, $6, $6)`,
		r.acme.TenantID, event, r.acme.SiteID, r.acme.AssetID, other, daily.End(r.last()).Add(6*time.Hour))
	r.sql(`INSERT INTO alarm_transitions (tenant_id, id, event_id, seq, to_status, at) VALUES ($1, $2, $3, 1000, 'open', $4)`, r.acme.TenantID, id.New(id.AlarmTransition), event, daily.End(r.last()).Add(6*time.Hour))
	r.now = r.now.AddDate(0, 0, 1)
	r.look(r.acme)
	if n := r.features(r.acme, r.last())["alert_count_7d"]; n != 1 {
		t.Errorf("the other alarm is no feature: %v", n)
	}
	if inputs := one[string](r, r.acme, `SELECT inputs::text FROM asset_health ORDER BY calculated_at DESC LIMIT 1`); !strings.Contains(inputs, `"alarm": "high"`) {
		t.Errorf("the other alarm is no evidence: %s", inputs)
	}
}
