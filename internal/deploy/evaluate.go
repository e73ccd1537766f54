package deploy

import (
	"context"
	"fmt"
	"time"

	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// needs are the permissions under which rules decide: those of whoever set the policy.
var needs = []tenancy.Permission{tenancy.ModelsRead, tenancy.ModelsDeploy, tenancy.PredictionsRead}

type evaluateArgs struct {
	jobs.Behalf
	Model id.UUID `json:"model_id"`
}

// Kind implements river.JobArgs.
func (evaluateArgs) Kind() string { return "evaluate_deployments" }

// Work registers the jobs with a runner, in processes that work them.
func (s *Service) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[evaluateArgs]{Do: func(ctx context.Context, a evaluateArgs) error { return s.Evaluate(ctx, a.Model) }})
}

// Evaluate judges what is open for the model by its policy, and carries out what the
// policy lets it. A change that came first is no error: the next evaluation sees it.
func (s *Service) Evaluate(ctx context.Context, model id.UUID) error {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return err
	}
	p, err := s.policy(ctx, s.App, model)
	if err != nil || p == nil {
		return err
	}
	rests, err := s.state(ctx, s.App, model)
	if err != nil {
		return err
	}
	if canary, serving := rests.of(enum.BindingCanary), rests.of(enum.BindingProduction); canary != nil {
		err = s.judgeCanary(ctx, p, rests, canary, serving)
	} else if serving != nil {
		err = s.watch(ctx, p, rests, serving)
	}
	if fault.Is(err, fault.Conflict) {
		s.Log.InfoContext(ctx, "deployments changed while they were judged", "model", model, "error", err)
		return nil
	}
	return err
}

// judgeCanary holds a canary against production since its share last changed. Where
// production served nobody meanwhile, it is held against as long a time before.
func (s *Service) judgeCanary(ctx context.Context, p *Policy, rests state, canary, serving *open) error {
	since, err := s.since(ctx, canary)
	if err != nil {
		return err
	}
	now := s.now()
	m, v, err := s.measures(ctx, canary, period{from: since, to: now})
	if err != nil {
		return err
	}
	if serving != nil {
		if m.Baseline, err = s.side(ctx, serving.Version, period{from: since, to: now}); err == nil && m.Baseline.Predictions == 0 {
			m.Baseline, err = s.side(ctx, serving.Version, period{from: canary.Since.Add(-now.Sub(since)), to: canary.Since})
		}
		if err != nil {
			return err
		}
	}
	d := Decision{Measures: m}
	d.Verdict, d.Reasons = p.Decide(&m)
	d.Acted = d.Verdict == Promote && p.AutoPromote || d.Verdict == RollBack && p.AutoRollback
	next := p.next(canary.Percent)
	if d.Acted && d.Verdict == Promote && next == 100 {
		if err := s.activate(ctx, v); err != nil {
			return err
		}
	}
	return s.change(ctx, p.Model, rests, func(c *change) error {
		o := c.state.of(enum.BindingCanary)
		switch {
		case !d.Acted:
			return c.note(ctx, o, d)
		case d.Verdict == RollBack:
			if err := c.close(ctx, o, enum.StageArchived); err != nil {
				return err
			}
			d.PercentAfter = 0
		case next == 100:
			if _, err := c.replace(ctx, o.Version, opening{version: o.Version, stage: enum.BindingProduction, percent: 100}); err != nil {
				return err
			}
			d.PercentAfter = 100
		default:
			if err := c.percent(ctx, o, next); err != nil {
				return err
			}
			d.PercentAfter = next
		}
		return c.keep(ctx, o, d)
	})
}

// watch holds a version that has just gone into production against the one before it,
// for as long before as it has served. A roll-back is not watched: what serves then has
// been found good.
func (s *Service) watch(ctx context.Context, p *Policy, rests state, serving *open) error {
	now := s.now()
	served := now.Sub(serving.Since)
	if served <= 0 || served > time.Duration(p.WatchHours)*time.Hour {
		return nil
	}
	var previous *id.UUID
	var rolledBack bool
	if err := s.App.QueryRow(ctx, `SELECT (`+before+`), rollback_from_version_id IS NOT NULL FROM ml_model_deployments WHERE tenant_id = $1 AND id = $4`,
		tenancy.Must(ctx).TenantID, p.Model, serving.Version, serving.ID).Scan(&previous, &rolledBack); err != nil {
		return fmt.Errorf("deploy: watch: %w", err)
	}
	if previous == nil || rolledBack {
		return nil
	}
	m, _, err := s.measures(ctx, serving, period{from: serving.Since, to: now})
	if err != nil {
		return err
	}
	if m.Baseline, err = s.side(ctx, *previous, period{from: serving.Since.Add(-served), to: serving.Since}); err != nil {
		return err
	}
	d := Decision{Measures: m, PercentAfter: 100}
	if d.Verdict, d.Reasons = p.Decide(&m); d.Verdict == Promote {
		d.Verdict = Hold // it serves everybody already
	}
	if d.Acted = d.Verdict == RollBack && p.AutoRollback; d.Acted {
		d.PercentAfter = 0
		_, err := s.rollback(ctx, p.Model, rests, func(c *change, _ id.UUID) error { return c.keep(ctx, c.state.of(enum.BindingProduction), d) })
		return err
	}
	return s.change(ctx, p.Model, rests, func(c *change) error { return c.note(ctx, c.state.of(enum.BindingProduction), d) })
}

// measures are those of a candidate, without what it is held against.
func (s *Service) measures(ctx context.Context, o *open, in period) (Measures, version, error) {
	m := Measures{Hours: in.to.Sub(in.from).Hours()}
	v, err := s.version(ctx, s.App, o.Version, "")
	if err != nil {
		return m, v, err
	}
	found, err := s.measure(ctx, &v, false, in)
	if err != nil {
		return m, v, err
	}
	m.Candidate = found.Side
	m.Drift, err = s.drift(ctx, v.ID)
	return m, v, err
}

func (s *Service) side(ctx context.Context, which id.UUID, in period) (Side, error) {
	v, err := s.version(ctx, s.App, which, "")
	if err != nil {
		return Side{}, err
	}
	m, err := s.measure(ctx, &v, false, in)
	return m.Side, err
}
