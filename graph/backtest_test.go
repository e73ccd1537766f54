package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"foresight/ent"
	"foresight/internal/backtest"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
)

// A draft over stored readings, from the mutation to its pages: by the graph alone.
func TestBacktestsInTheGraph(t *testing.T) {
	r := newRig(t)
	const engineer = "acme/engineer"
	start := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	var raws []telemetry.Raw
	for i, flow := range []float64{1, 9, 9, 1, 9, 1} {
		raws = append(raws, telemetry.Raw{Reading: telemetry.Reading{Key: r.acme.Key(0), Timestamp: start.Add(time.Duration(i) * time.Minute), Channels: telemetry.NoChannels(),
			Values: []telemetry.Value{{Name: "flow", Value: flow}}}, IngestID: telemetry.IngestID{byte(i + 1)}, LogSeq: uint64(i + 1), ReceivedAt: start, Payload: []byte("{}")})
	}
	_, err := r.store.WriteReadings(t.Context(), raws)
	r.ok(err)
	rule := map[string]any{"name": "Flow", "parameter": "flow", "operator": "GT", "threshold": 5.0, "severity": "HIGH"}
	stored := at(r.do(engineer, "createAlarmRule", "CreateAlarmRuleInput", "rule { id version }", rule), "rule")
	stamp := func(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z") }
	input := map[string]any{"name": "Try", "from": stamp(start), "to": stamp(start.Add(time.Hour)), "ruleIds": []any{at(stored, "id")},
		"drafts": []any{map[string]any{"rule": rule, "ruleId": at(stored, "id")}}}
	const fields = `backtest { id name status source predicts modelVersion { id } agreement { windows } by { fullName } rules { number name version rule { id } raised reopened real { raised } } }`
	begun := r.do(engineer, "startBacktest", "StartBacktestInput", fields, input)
	b := at(begun, "backtest")
	if at(b, "status") != "QUEUED" || at(b, "source") != "STORE" || at(b, "by", "fullName") != "engineer" || at(b, "predicts") != false || at(b, "agreement") != nil ||
		at(b, "rules", 0, "rule", "id") != at(stored, "id") || at(b, "rules", 1, "rule") != nil || at(b, "rules", 1, "version") != nil || at(b, "rules", 0, "version") != at(stored, "version") {
		t.Fatalf("%v", begun)
	}
	onlyMistake(t, r.do(engineer, "startBacktest", "StartBacktestInput", fields, input), "CONFLICT", "")
	onlyMistake(t, r.do("globex/engineer", "cancelBacktest", "CancelBacktestInput", fields, map[string]any{"id": at(b, "id")}), "NOT_FOUND", "input.id")
	if got := r.do(engineer, "cancelBacktest", "CancelBacktestInput", fields, map[string]any{"id": at(b, "id")}); at(got, "backtest", "status") != "CANCELLED" {
		t.Errorf("cancelled %v", got)
	}
	b = at(r.do(engineer, "startBacktest", "StartBacktestInput", fields, input), "backtest")

	runner := jobs.NewRunner(jobs.Options{Pool: r.worker, Log: slog.New(slog.DiscardHandler)})
	r.options.Resolver.Backtests.Work(runner)
	r.ok(runner.Start(t.Context()))
	t.Cleanup(func() { r.ok(runner.Stop(context.WithoutCancel(t.Context()))) })
	done := r.ended(engineer, at(b, "id"), `... on Backtest { readings isTruncated finishedAt rules { raised reopened real { raised missed additional confirmed } } } ... on Job { failure }`, "en")
	found := r.data(engineer, `query($id: UUID!) {
		backtestAlarms(backtestId: $id, first: 2, ruleNumber: 1) { totalCount pageInfo { hasNextPage } nodes { ruleNumber sensor { code } asset { code } site { code } severity triggeredValue triggeredAt lastTriggeredAt clearedAt occurrences reopened faultCode realAlarm { id } } }
		backtestPredictions(backtestId: $id) { totalCount nodes { faultCode } } }`, "id", at(b, "id"))
	if at(done, "status") != "SUCCEEDED" || at(done, "failure") != nil || at(done, "readings") != 6.0 || at(done, "isTruncated") != false || at(found, "backtestPredictions", "totalCount") != 0.0 {
		t.Fatalf("%v", done)
	}
	for i := range 2 {
		if x := at(done, "rules", i); at(x, "raised") != 1.0 || at(x, "reopened") != 1.0 || at(x, "real", "raised") != 0.0 || at(x, "real", "additional") != 2.0 {
			t.Errorf("rule %d: %v", i, x)
		}
	}
	a := at(found, "backtestAlarms")
	want := fmt.Sprint(stamp(start.Add(time.Minute)), stamp(start.Add(2*time.Minute)), stamp(start.Add(3*time.Minute)), 2, 9, false)
	if got := fmt.Sprint(at(a, "nodes", 0, "triggeredAt"), at(a, "nodes", 0, "lastTriggeredAt"), at(a, "nodes", 0, "clearedAt"), at(a, "nodes", 0, "occurrences"), at(a, "nodes", 0, "triggeredValue"), at(a, "nodes", 0, "reopened")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if at(a, "totalCount") != 2.0 || at(a, "nodes", 1, "reopened") != true || at(a, "nodes", 0, "sensor", "code") != "pump-1-a" || at(a, "nodes", 0, "realAlarm") != nil || at(a, "pageInfo", "hasNextPage") != false {
		t.Errorf("%v", a)
	}

	onlyMistake(t, r.do(engineer, "cancelBacktest", "CancelBacktestInput", fields, map[string]any{"id": at(b, "id")}), "CONFLICT", "input.id")
	if got := r.data("acme/viewer", `query($id: UUID!) { backtest(id: $id) { name } backtests { totalCount nodes { id } } }`, "id", at(b, "id")); at(got, "backtest", "name") != "Try" || at(got, "backtests", "totalCount") != 2.0 {
		t.Errorf("%v", got)
	}
	if got := r.data("globex/admin", `query($id: UUID!) { backtest(id: $id) { name } backtests { totalCount } node(id: $id) { id } }`, "id", at(b, "id")); at(got, "backtest") != nil || at(got, "backtests", "totalCount") != 0.0 || at(got, "node") != nil {
		t.Errorf("another tenant sees %v", got)
	}
	for name, c := range map[string]struct {
		change      map[string]any
		code, blame string
	}{
		"a bad draft":           {map[string]any{"drafts": []any{map[string]any{"rule": map[string]any{"name": "x", "parameter": "flow", "operator": "GT", "threshold": 5.0, "severity": "LOW", "minConsecutive": 0}}}}, "BAD_USER_INPUT", "input.drafts.0.rule.minConsecutive"},
		"another tenant's site": {map[string]any{"siteId": r.globex.SiteID}, "NOT_FOUND", "input.siteId"},
	} {
		in := map[string]any{"from": input["from"], "to": input["to"], "activeRules": true}
		for k, v := range c.change {
			in[k] = v
		}
		t.Log(name)
		onlyMistake(t, r.do(engineer, "startBacktest", "StartBacktestInput", fields, in), c.code, c.blame)
	}
}

// backtests are on the rig's store, without a model.
func (r *rig) backtests(client *ent.Client, queue *jobs.Queue, log *slog.Logger) *backtest.Service {
	return backtest.New(backtest.Options{ORM: client, App: r.app, Queue: queue, Jobs: r.bulk, Rules: r.rules, Store: r.store, Log: log,
		Retention: func(id.UUID) (time.Duration, bool) { return 30 * 24 * time.Hour, true }})
}
