package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

type args struct {
	jobs.Behalf
	Backtest id.UUID `json:"backtest_id"`
}

// Kind implements river.JobArgs.
func (args) Kind() string { return "backtest" }

// oneAtWork is the index that lets one backtest of a tenant be at work.
const oneAtWork = "backtests_one_at_work"

// Start adds a backtest and its job. While another one of the tenant is at work it is
// a fault.Conflict.
func (s *Service) Start(ctx context.Context, q Request) (*Backtest, error) {
	p, err := s.plan(ctx, q)
	if err != nil {
		return nil, err
	}
	which := id.New(id.Backtest)
	if err := s.tx(ctx, func(tx pgx.Tx) error {
		if err := p.insert(ctx, tx, which); err != nil {
			return err
		}
		changes, err := audit.Diff(nil, audit.Values{"name": p.Name, "from": p.From, "to": p.To, "site": p.Site, "asset": p.Asset,
			"sensors": p.Sensors, "rules": p.Request.Rules, "active": p.Active, "drafts": len(p.Drafts), "model_version_id": p.Version})
		if err != nil {
			return err
		}
		return errors.Join(audit.Record(ctx, tx, audit.Entry{Action: "start", Entity: "Backtest", ID: which, Changes: changes}),
			s.Queue.Add(ctx, tx, args{p.behalf, which}, time.Time{}),
			s.Queue.Add(ctx, tx, sweepArgs{p.behalf, which}, time.Now().Add(sweepEvery)))
	}); err != nil {
		return nil, err
	}
	return s.Backtest(ctx, which)
}

func (p *plan) insert(ctx context.Context, tx pgx.Tx, which id.UUID) error {
	var by *id.UUID
	if u, ok := tenancy.Must(ctx).UserID(); ok {
		by = &u
	}
	scope, err := json.Marshal(document.BacktestScope{Site: p.Site, Asset: p.Asset, Sensors: p.Sensors})
	if err != nil {
		return err
	}
	of := p.rules
	if of == nil {
		of = []document.BacktestRule{}
	}
	judging, err := json.Marshal(of)
	if err != nil {
		return err
	}
	var sites []byte
	if len(p.sites) > 0 {
		if sites, err = json.Marshal(p.sites); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO backtests (id, tenant_id, name, from_utc, to_utc, scope, sites, rules, predicts, model_version_id, source, "by")
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		which, p.behalf.TenantID, p.Name, p.From, p.To, scope, sites, judging, p.predict, p.Version, string(p.source), by)
	if index, taken := postgres.Unique(err); taken && index == oneAtWork {
		return fault.New(fault.Conflict, "error.backtest.running")
	}
	if err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	return nil
}

// Cancel ends a backtest that has not ended; what it had found up to then stays. One
// that has ended is a fault.Conflict.
func (s *Service) Cancel(ctx context.Context, which id.UUID) (*Backtest, error) {
	if err := tenancy.Require(ctx, tenancy.RulesWrite); err != nil {
		return nil, err
	}
	b, err := s.Backtest(ctx, which)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing("Backtest").At("input.id")
	}
	if err != nil {
		return nil, err
	}
	if err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE backtests SET status = 'cancelled', finished_at = now()
			WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenancy.Must(ctx).TenantID, which)
		if err != nil {
			return fmt.Errorf("backtest: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "error.backtest.ended").At("input.id")
		}
		changes, err := audit.Diff(audit.Values{"status": b.Status}, audit.Values{"status": enum.JobCancelled})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "cancel", Entity: "Backtest", ID: which, Changes: changes})
	}); err != nil {
		return nil, err
	}
	s.Jobs.Announce(ctx, which, enum.JobCancelled, "", 0, -1)
	return s.Backtest(ctx, which)
}
