package backtest

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/backtest"
	"foresight/ent/backtestalarm"
	"foresight/ent/backtestprediction"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Backtest is a backtest as it stands.
type Backtest struct {
	bulk.Common
	Name     string
	From, To time.Time // event times, the end exclusive
	Scope    document.BacktestScope
	Sites    []id.UUID // what it is confined to; nil: the whole tenant
	Rules    []document.BacktestRule
	Predicts bool
	Version  *id.UUID // that judges windows; nil: the one that serves each asset
	Source   enum.BacktestSource
	Outcome  document.BacktestOutcome
	place    document.BacktestPlace
}

// Span is how long the spans are by which predictions are counted: an hour up to a
// week, a day beyond.
func (b *Backtest) Span() time.Duration {
	if b.To.Sub(b.From) <= 7*24*time.Hour {
		return time.Hour
	}
	return 24 * time.Hour
}

// IsTruncated reports whether some of its alarms were counted only.
func (b *Backtest) IsTruncated() bool {
	var all uint64
	for _, r := range b.Outcome.Rules {
		all += r.Raised + r.Reopened
	}
	return all > b.Outcome.Kept
}

// Rule is what the rule at a place has come to up to now.
func (b *Backtest) Rule(number int) document.BacktestRuleOutcome {
	if number < len(b.Outcome.Rules) {
		return b.Outcome.Rules[number]
	}
	return document.BacktestRuleOutcome{}
}

// ByID loads backtests; those that the actor does not see are absent.
func (s *Service) ByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Backtest, error) {
	if err := tenancy.Require(ctx, tenancy.RulesRead); err != nil {
		return nil, err
	}
	found, err := s.ORM.Backtest.Query().Where(backtest.IDIn(ids...), seen(ctx)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	all, err := s.withProgress(ctx, found)
	return keyset.ByID(all, err, func(b *Backtest) id.UUID { return b.ID })
}

// Backtest returns a backtest of the actor's tenant and sites.
func (s *Service) Backtest(ctx context.Context, which id.UUID) (*Backtest, error) {
	found, err := s.ByID(ctx, []id.UUID{which})
	if err != nil {
		return nil, err
	}
	if b := found[which]; b != nil {
		return b, nil
	}
	return nil, fault.Missing("Backtest")
}

// List lists the backtests that the actor sees, the newest first.
func (s *Service) List(ctx context.Context, a page.Args) (page.Page[*Backtest], error) {
	var none page.Page[*Backtest]
	w, apply, err := keyset.Begin(ctx, tenancy.RulesRead, a, keyset.Newest(backtest.FieldCreatedAt))
	if err != nil {
		return none, err
	}
	q := s.ORM.Backtest.Query().Where(seen(ctx))
	total := 0
	if w.Total {
		if total, err = q.Clone().Count(ctx); err != nil {
			return none, fmt.Errorf("backtest: %w", err)
		}
	}
	found, err := q.Where(apply).All(ctx)
	if err != nil {
		return none, fmt.Errorf("backtest: %w", err)
	}
	all, err := s.withProgress(ctx, found)
	if err != nil {
		return none, err
	}
	return page.Of(w, all, total, func(b *Backtest) page.Key { return keyset.Key(b.CreatedAt, b.ID) }), nil
}

// withProgress puts what is stored apart of jobs that run beside them.
func (s *Service) withProgress(ctx context.Context, found []*ent.Backtest) ([]*Backtest, error) {
	out := make([]*Backtest, len(found))
	ids, by := make([]id.UUID, len(found)), make(map[id.UUID]*Backtest, len(found))
	for i, e := range found {
		out[i] = of(e)
		ids[i], by[e.ID] = e.ID, out[i]
	}
	if len(out) == 0 {
		return out, nil
	}
	rows, err := s.App.Query(ctx, `SELECT job_id, phase, done, total FROM job_progress WHERE tenant_id = $1 AND job_id = ANY ($2)`,
		tenancy.Must(ctx).TenantID, ids)
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	var of id.UUID
	var phase bulk.Phase
	var done uint64
	var total *uint64
	if _, err := pgx.ForEachRow(rows, []any{&of, &phase, &done, &total}, func() error {
		b, p := by[of], phase
		b.Done, b.Total = done, total
		if b.Status == enum.JobRunning {
			b.Phase = &p
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	return out, nil
}

func of(e *ent.Backtest) *Backtest {
	b := &Backtest{Common: bulk.Common{ID: e.ID, Status: e.Status, By: e.By, CreatedAt: e.CreatedAt, FinishedAt: e.FinishedAt},
		Name: e.Name, From: e.FromUtc.UTC(), To: e.ToUtc.UTC(), Scope: e.Scope, Sites: e.Sites, Rules: e.Rules, Predicts: e.Predicts,
		Version: e.ModelVersionID, Source: e.Source, Outcome: e.Outcome, place: e.Place}
	if e.Error != nil {
		b.Failure = jobs.ToldFailure([]byte(*e.Error))
	}
	return b
}

// AlarmFilter narrows the alarms of a backtest; zero fields do not.
type AlarmFilter struct {
	Rule  *int // place of the rule
	Asset *id.UUID
	// Matched: a real alarm stood meanwhile, or none did.
	Matched *bool
}

// Alarms lists what a backtest would have raised, the oldest first; nothing of one that
// the actor does not see.
func (s *Service) Alarms(ctx context.Context, which id.UUID, f AlarmFilter, a page.Args) (page.Page[*ent.BacktestAlarm], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.AlarmsRead, a, oldest(backtestalarm.FieldTriggeredAt))
	if err != nil {
		return page.Page[*ent.BacktestAlarm]{}, err
	}
	if seen, err := s.ByID(ctx, []id.UUID{which}); err != nil || len(seen) == 0 {
		return page.Page[*ent.BacktestAlarm]{}, err
	}
	q := s.ORM.BacktestAlarm.Query().Where(backtestalarm.BacktestID(which))
	if f.Rule != nil {
		q.Where(backtestalarm.RuleNumber(*f.Rule))
	}
	if f.Asset != nil {
		q.Where(backtestalarm.AssetID(*f.Asset))
	}
	switch {
	case f.Matched == nil:
	case *f.Matched:
		q.Where(backtestalarm.AlarmEventIDNotNil())
	default:
		q.Where(backtestalarm.AlarmEventIDIsNil())
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.BacktestAlarm) page.Key { return keyset.Key(e.TriggeredAt, e.ID) })
}

// PredictionFilter narrows the predictions of a backtest; zero fields do not.
type PredictionFilter struct {
	Asset *id.UUID
	// Changed: the fault is another than the stored one, or the same.
	Changed *bool
}

// Predictions lists what a backtest says of windows, by span, the oldest first; nothing
// of one that the actor does not see.
func (s *Service) Predictions(ctx context.Context, which id.UUID, f PredictionFilter, a page.Args) (page.Page[*ent.BacktestPrediction], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PredictionsRead, a, oldest(backtestprediction.FieldBeginsAt))
	if err != nil {
		return page.Page[*ent.BacktestPrediction]{}, err
	}
	if seen, err := s.ByID(ctx, []id.UUID{which}); err != nil || len(seen) == 0 {
		return page.Page[*ent.BacktestPrediction]{}, err
	}
	q := s.ORM.BacktestPrediction.Query().Where(backtestprediction.BacktestID(which))
	if f.Asset != nil {
		q.Where(backtestprediction.AssetID(*f.Asset))
	}
	if f.Changed != nil {
		q.Where(changed(*f.Changed))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.BacktestPrediction) page.Key { return keyset.Key(e.BeginsAt, e.ID) })
}
