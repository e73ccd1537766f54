package deploy_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// newest is the newest decision, and how many there are.
func (w *world) newest() (*deploy.Decision, int) {
	w.Helper()
	p, err := w.Decisions(w.acme.As(w.Context(), tenancy.Viewer), deploy.DecisionFilter{}, all())
	w.ok(err)
	if len(p.Items) == 0 {
		return nil, 0
	}
	return p.Items[0], p.Total
}

// decides evaluates the model and fails unless the newest decision is as wanted.
func (w *world) decides(verdict deploy.Verdict, acted bool, reason deploy.ReasonCode, before, after int) *deploy.Decision {
	w.Helper()
	w.ok(w.Evaluate(w.rules(), w.acmeModel()))
	d, _ := w.newest()
	if d == nil || d.Verdict != verdict || d.Acted != acted || d.Reasons[0].Code != reason || d.PercentBefore != before || d.PercentAfter != after || d.DecidedBy != nil && reason != deploy.ByHand {
		w.Fatalf("decided %+v, want %s %v for %s, %d to %d", d, verdict, acted, reason, before, after)
	}
	return d
}

// A canary that does well goes into production step by step, by the clock and by what is
// stored of it.
func TestAutomaticPromotion(t *testing.T) {
	w := newWorld(t)
	w.policy(func(p *deploy.Policy) { p.AutoPromote, p.AutoRollback = true, true })
	w.decidesNothing()
	deployed(t)(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 5}))
	step := func() {
		w.predicts(w.v("1.0.1"), telemetry.Production, w.clock.now(), 150, 10, 0)
		w.predicts(w.v("1.0.0"), telemetry.Production, w.clock.now(), 600, 30, 1)
	}
	w.decides(deploy.Hold, false, deploy.NoBaseline, 5, 5)
	step()
	w.clock.pass(30 * time.Minute)
	d := w.decides(deploy.Hold, false, deploy.Young, 5, 5)
	if d.Measures.Candidate.Predictions != 150 || d.Measures.Candidate.Abnormal != 10 || d.Measures.Baseline.Predictions != 600 || d.Measures.Baseline.Alarms != 1 || d.Measures.Hours != 0.5 {
		t.Errorf("measured %+v", d.Measures)
	}
	// The same again is the same decision, seen again.
	_, before := w.newest()
	w.clock.pass(10 * time.Minute)
	again := w.decides(deploy.Hold, false, deploy.Young, 5, 5)
	if _, after := w.newest(); after != before || !again.SeenAt.Equal(w.clock.now()) || !again.MadeAt.Equal(d.MadeAt) || again.Measures.Hours <= 0.5 {
		t.Errorf("%d decisions after %d, the newest %+v", after, before, again)
	}
	w.clock.pass(30 * time.Minute)
	w.written()
	w.decides(deploy.Promote, true, deploy.LimitsMet, 5, 25)
	w.written("promoted fault_classifier:1.0.1 25")
	w.standing("1.0.0 production, 1.0.1 canary, | 1.0.0 production 100, | 1.0.1 canary 25")
	// With the new share the time begins anew.
	w.clock.pass(time.Minute)
	w.decides(deploy.Hold, false, deploy.NoBaseline, 25, 25)
	step()
	w.clock.pass(2 * time.Hour)
	w.news.taken()
	w.decides(deploy.Promote, true, deploy.LimitsMet, 25, 100)
	w.written("promoted fault_classifier:1.0.1 100")
	w.standing("1.0.0 archived, 1.0.1 production, | 1.0.1 production 100")
	if told, _ := w.news.taken(); !slices.Contains(told, "decided") || !slices.Contains(told, "opened") {
		t.Errorf("told %v", told)
	}
	p, err := w.Deployments()
	w.ok(err)
	if last := p[len(p)-1]; last != "1.0.1 by nobody" {
		t.Errorf("deployments %v", p)
	}
}

// Deployments tells acme's with who made them, oldest first.
func (w *world) Deployments() (out []string, err error) {
	rows, err := w.owner.Query(w.Context(), `SELECT v.semantic_version || CASE WHEN d.deployed_by IS NULL THEN ' by nobody' ELSE ' by somebody' END
		FROM ml_model_deployments d JOIN ml_model_versions v ON v.id = d.model_version_id WHERE d.tenant_id = $1 ORDER BY d.deployment_start, d.id`, w.acme.TenantID)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func (w *world) decidesNothing() {
	w.Helper()
	_, before := w.newest()
	w.ok(w.Evaluate(w.rules(), w.acmeModel()))
	if _, after := w.newest(); after != before {
		w.Errorf("%d decisions, there were %d", after, before)
	}
}

// A canary whose alarms explode is taken back at once, however young it is, and does not
// come back.
func TestAutomaticRollbackOfACanary(t *testing.T) {
	w := newWorld(t)
	w.policy(func(p *deploy.Policy) { p.AutoRollback = true })
	deployed(t)(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 5}))
	w.predicts(w.v("1.0.0"), telemetry.Production, w.clock.now(), 500, 20, 2)
	w.predicts(w.v("1.0.1"), telemetry.Production, w.clock.now(), 60, 50, 30)
	w.clock.pass(10 * time.Minute)
	d := w.decides(deploy.RollBack, true, deploy.AlarmsHigh, 5, 0)
	if d.Version != w.v("1.0.1") || d.Measures.Candidate.Alarms != 30 || d.Measures.Baseline.Alarms != 2 || d.Reasons[0].Limit != 2 {
		t.Errorf("decided %+v", d)
	}
	w.written("rolled_back fault_classifier:1.0.1 0")
	w.standing("1.0.0 production, 1.0.1 archived, | 1.0.0 production 100")
	_, err := w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 5})
	w.refused(err, fault.Conflict, "error.deploy.archived")
	var actor string
	w.ok(w.owner.QueryRow(t.Context(), `SELECT actor_kind FROM audit_logs WHERE tenant_id = $1 AND action = 'end' AND entity = 'MLModelDeployment'`, w.acme.TenantID).Scan(&actor))
	if actor != "system" {
		t.Errorf("ended by %s", actor)
	}
}

// Where the policy only lets it propose, nothing is done.
func TestProposals(t *testing.T) {
	w := newWorld(t)
	w.policy(nil)
	canary := deployed(t)(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 5}))
	w.predicts(w.v("1.0.0"), telemetry.Production, w.clock.now(), 500, 20, 2)
	w.predicts(w.v("1.0.1"), telemetry.Production, w.clock.now(), 60, 50, 30)
	w.clock.pass(10 * time.Minute)
	w.decides(deploy.RollBack, false, deploy.AlarmsHigh, 5, 5)
	w.ok(w.Evaluate(w.rules(), w.acmeModel())) // the same again is not written again
	w.written("advised_rollback fault_classifier:1.0.1 5")
	w.standing("1.0.0 production, 1.0.1 canary, | 1.0.0 production 100, | 1.0.1 canary 5")
	// A person raises the share all the same: that is kept, and the time begins anew.
	if _, err := w.SetPercent(w.admin(), canary.ID, 50); err != nil {
		t.Fatal(err)
	}
	w.written()
	d, _ := w.newest()
	if d.Verdict != deploy.Promote || d.Reasons[0].Code != deploy.ByHand || d.DecidedBy == nil || *d.DecidedBy != w.acme.Users[tenancy.Admin] || d.PercentAfter != 50 || d.Measures != (deploy.Measures{}) {
		t.Errorf("by hand %+v", d)
	}
	w.clock.pass(time.Minute)
	w.decides(deploy.Hold, false, deploy.NoBaseline, 50, 50)
	// Another tenant sees none of it.
	if p, err := w.Decisions(w.globex.As(t.Context(), tenancy.Admin), deploy.DecisionFilter{}, all()); err != nil || p.Total != 0 {
		t.Errorf("another tenant sees %v, %v", p.Items, err)
	}
	if found, err := w.DecisionsByID(w.globex.As(t.Context(), tenancy.Admin), []id.UUID{d.ID}); err != nil || len(found) != 0 {
		t.Errorf("another tenant sees %v, %v", found, err)
	}
}

// A version that has just gone into production is held against what the one before did,
// and taken back when it does harm; what serves then is not watched.
func TestAutomaticRollbackOfProduction(t *testing.T) {
	w := newWorld(t)
	w.policy(func(p *deploy.Policy) { p.AutoRollback = true })
	w.predicts(w.v("1.0.0"), telemetry.Production, w.clock.now().Add(-time.Hour), 500, 20, 2)
	deployed(t)(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction}))
	w.predicts(w.v("1.0.1"), telemetry.Production, w.clock.now(), 60, 3, 0)
	w.clock.pass(time.Hour)
	w.decides(deploy.Hold, false, deploy.FewPredictions, 100, 100)
	w.predicts(w.v("1.0.1"), telemetry.Production, w.clock.now().Add(-time.Minute), 50, 50, 30)
	w.decides(deploy.RollBack, true, deploy.AlarmsHigh, 100, 0)
	w.written("rolled_back fault_classifier:1.0.1 0")
	w.standing("1.0.0 production, 1.0.1 archived, | 1.0.0 production 100")
	w.clock.pass(time.Hour)
	w.decidesNothing()
	// Nor is what has served for long.
	deployed(t)(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.2"), Stage: enum.BindingProduction}))
	w.clock.pass(25 * time.Hour)
	w.decidesNothing()
}

// Whoever sets the clock going: the schedule adds one job for each model that is due,
// in however many processes, and the runner works it.
func TestEvaluationIsScheduled(t *testing.T) {
	w := newWorld(t)
	w.policy(func(p *deploy.Policy) { p.AutoRollback = true })
	deployed(t)(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 5}))
	w.predicts(w.v("1.0.0"), telemetry.Production, w.clock.now(), 500, 20, 2)
	w.predicts(w.v("1.0.1"), telemetry.Production, w.clock.now(), 60, 50, 30)
	w.clock.pass(10 * time.Minute)
	count := func() (n int) {
		w.ok(w.owner.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE kind = 'evaluate_deployments'`).Scan(&n))
		return n
	}
	one, other := deploy.NewSchedule(w.Service, w.worker, deploy.ScheduleOptions{}), deploy.NewSchedule(w.Service, w.worker, deploy.ScheduleOptions{})
	for _, s := range []*deploy.Schedule{one, other, one} {
		w.ok(s.Look(t.Context()))
	}
	if n := count(); n != 1 {
		t.Fatalf("%d jobs", n)
	}
	r := jobs.NewRunner(jobs.Options{Pool: w.worker, Log: slog.New(slog.DiscardHandler)})
	w.Work(r)
	w.ok(r.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
		defer cancel()
		w.ok(r.Stop(ctx))
	})
	testkit.Eventually(t, testkit.Patience, func() bool { return w.stands() == "1.0.0 production, 1.0.1 archived, | 1.0.0 production 100" })
	w.clock.pass(11 * time.Minute)
	w.ok(other.Look(t.Context()))
	if n := count(); n != 2 {
		t.Errorf("%d jobs after the next time", n)
	}
	// It looks by itself, too.
	w.clock.pass(11 * time.Minute)
	w.ok(one.Start(t.Context()))
	testkit.Eventually(t, testkit.Patience, func() bool { return count() == 3 })
	w.ok(one.Stop(t.Context()))
}

// Only a person who may deploy, or the rules, evaluate.
func TestEvaluationNeedsThePermission(t *testing.T) {
	w := newWorld(t)
	if err := w.Evaluate(w.acme.As(t.Context(), tenancy.Operator), w.acmeModel()); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an operator evaluated: %v", err)
	}
}
