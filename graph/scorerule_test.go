package graph_test

import (
	"testing"

	"foresight/internal/alarms"
	"foresight/internal/rules"
)

// The whole way of a rule on what is said of machines: made in the graph, judged when
// the fleet is scored, and live on the screen.
func TestARuleOnFailureProbability(t *testing.T) {
	r := newRig(t)
	const create = `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id parameter threshold } userErrors { field code message } } }`
	made := func(in map[string]any) any {
		base := map[string]any{"name": "Will fail", "operator": "GTE", "threshold": 0.5, "severity": "CRITICAL", "parameter": rules.FailureProb30}
		for k, v := range in {
			base[k] = v
		}
		return r.data("acme/engineer", create, "in", base)["createAlarmRule"]
	}
	for _, c := range []struct {
		in    map[string]any
		field string
	}{
		{map[string]any{"threshold": 1.2}, "input.threshold"},
		{map[string]any{"parameter": rules.HealthScore, "threshold": 101}, "input.threshold"},
		{map[string]any{"sensorId": r.acme.SensorIDs[0]}, "input.sensorId"},
		{map[string]any{"faultCodes": []string{"cavitation"}}, "input.faultCodes"},
		{map[string]any{"parameter": "failure_prob_90d"}, "input.parameter"},
	} {
		onlyMistake(t, made(c.in), "BAD_USER_INPUT", c.field)
	}
	rule := made(nil)
	if at(rule, "rule", "parameter") != rules.FailureProb30 {
		t.Fatalf("%v", rule)
	}
	if other := made(map[string]any{"name": "Unwell", "parameter": rules.HealthScore, "operator": "LT", "threshold": 1}); at(other, "rule") == nil {
		t.Fatalf("%v", other)
	}

	source := alarms.NewRuleSource(alarms.SourceOptions{Pool: r.worker})
	r.ok(source.Start(t.Context()))
	t.Cleanup(func() { _ = source.Stop(t.Context()) })
	r.health.Alarms = alarms.NewRecorder(source, nil)
	version := r.failureVersion(r.acme, 0)
	r.health.Predictor.(*steep).versions[r.acme.TenantID] = version
	r.vibrated(r.acme.Key(0), 9)
	standing := r.machine(r.acme, 1)
	const fields = `{ snapshot transition { from to } alarm { id status severity ruleName parameter triggeredValue faultLabel sensor { id } asset { code } } }`
	live := r.watch("acme/viewer", `subscription { alarms `+fields+` }`)
	if first := live.next("alarms"); at(first, "snapshot") != true || at(first, "alarm", "id") != standing.alarm.String() {
		t.Fatalf("begins with %v", first)
	}
	r.scored(r.acme)
	item := live.next("alarms")
	if at(item, "snapshot") != false || at(item, "transition", "to") != "OPEN" || at(item, "alarm", "ruleName") != "Will fail" || at(item, "alarm", "severity") != "CRITICAL" ||
		at(item, "alarm", "sensor") != nil || at(item, "alarm", "asset", "code") != "pump-1" || at(item, "alarm", "faultLabel") != nil || at(item, "alarm", "triggeredValue").(float64) < 0.9 {
		t.Fatalf("live %v", item)
	}
	got := r.data("acme/viewer", `{ alarmEvents(filter: {activeOnly: true, assetId: "`+r.acme.AssetID.String()+`"}) { totalCount nodes { id parameter status occurrences } } asset(code: "pump-1") { failurePrediction { within30Days { probability } } } }`)
	if at(got, "alarmEvents", "totalCount") != 1.0 || at(got, "alarmEvents", "nodes", 0, "id") != at(item, "alarm", "id") || at(got, "alarmEvents", "nodes", 0, "occurrences") != 1.0 ||
		at(item, "alarm", "triggeredValue") != at(got, "asset", "failurePrediction", "within30Days", "probability") {
		t.Errorf("%v", got)
	}
	if foreign := r.data("globex/admin", `{ alarmEvents { totalCount } }`); at(foreign, "alarmEvents", "totalCount") != 0.0 {
		t.Errorf("globex sees %v", foreign)
	}
}
