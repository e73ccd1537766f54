package drift

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Status says what became of a proposal.
type Status string

// The states.
const (
	Open      Status = "open"
	Accepted  Status = "accepted"
	Dismissed Status = "dismissed"
)

// Proposal is the proposal to train a model anew.
type Proposal struct {
	ID, Model, Version, Report id.UUID
	Status                     Status
	Automatic                  bool // accepted by the model's policy
	Note                       *string
	TrainingRun                *id.UUID
	CreatedAt                  time.Time
	DecidedAt                  *time.Time
	DecidedBy                  *id.UUID // user id
}

// maxNote bounds what people write about a decision, characters.
const maxNote = 1000

const proposalColumns = `id, model_id, model_version_id, drift_report_id, status, is_automatic, note, training_run_id, created_at, decided_at, decided_by`

func scanProposal(r pgx.CollectableRow) (*Proposal, error) {
	var p Proposal
	err := r.Scan(&p.ID, &p.Model, &p.Version, &p.Report, &p.Status, &p.Automatic, &p.Note, &p.TrainingRun, &p.CreatedAt, &p.DecidedAt, &p.DecidedBy)
	return &p, err
}

// Accept starts the training that an open proposal asks for.
func (s *Service) Accept(ctx context.Context, which id.UUID, note string) (*Proposal, error) {
	return s.decide(ctx, which, note, Accepted)
}

// Dismiss closes an open proposal; for 14 days the version is not proposed again.
func (s *Service) Dismiss(ctx context.Context, which id.UUID, note string) (*Proposal, error) {
	return s.decide(ctx, which, note, Dismissed)
}

// decide closes an open proposal, and adds its training in the same transaction: when that
// cannot begin, the proposal stays open.
func (s *Service) decide(ctx context.Context, which id.UUID, note string, to Status) (*Proposal, error) {
	if err := manages(ctx); err != nil {
		return nil, err
	}
	if note = strings.TrimSpace(note); utf8.RuneCountInString(note) > maxNote {
		return nil, fault.Invalid("input.note", "error.tooLong").With("Max", maxNote)
	}
	if to == Accepted && s.Trainer == nil {
		return nil, fault.New(fault.Unavailable, "error.drift.noTrainer")
	}
	a := tenancy.Must(ctx)
	const found = `SELECT ` + proposalColumns + ` FROM retraining_proposals WHERE tenant_id = $1 AND id = $2`
	var training Training
	if to == Accepted { // before the transaction, which then needs no second connection
		p, err := open(one(s.App.Query(ctx, found, a.TenantID, which)))
		if err != nil {
			return nil, err
		}
		if training, err = s.Trainer.Prepare(ctx, p.Model, p.Report); err != nil {
			return nil, err
		}
	}
	var out *Proposal
	err := s.tx(ctx, func(tx pgx.Tx) error {
		_, err := open(one(tx.Query(ctx, found+` FOR UPDATE`, a.TenantID, which)))
		if err != nil {
			return err
		}
		var run *id.UUID
		if training != nil {
			started, err := training.Add(ctx, tx)
			if err != nil {
				return err
			}
			run = &started
		}
		var by *id.UUID
		if u, ok := a.UserID(); ok {
			by = &u
		}
		if out, err = one(tx.Query(ctx, `UPDATE retraining_proposals SET status = $3, note = nullif($4, ''), training_run_id = $5, decided_at = now(), decided_by = $6, is_automatic = $7
			WHERE tenant_id = $1 AND id = $2 RETURNING `+proposalColumns, a.TenantID, which, string(to), note, run, by, a.Kind == tenancy.System)); err != nil {
			return err
		}
		was, is := audit.Values{"status": string(Open)}, audit.Values{"status": string(to)}
		if note != "" {
			is["note"] = note
		}
		verb := "accept"
		if to == Dismissed {
			verb = "dismiss"
		}
		return record(ctx, tx, verb, "RetrainingProposal", which, was, is)
	})
	if err != nil {
		return nil, err
	}
	if training != nil {
		training.Begun(ctx)
	}
	s.metrics.proposals.WithLabelValues(string(to)).Inc()
	return out, nil
}

// open refuses a proposal that was decided.
func open(p *Proposal, err error) (*Proposal, error) {
	if err == nil && p.Status != Open {
		err = fault.New(fault.Conflict, "error.drift.decided").At("input.id")
	}
	return p, err
}

// one reads a proposal.
func one(rows pgx.Rows, err error) (*Proposal, error) {
	if err != nil {
		return nil, fmt.Errorf("drift: proposal: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanProposal)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.Missing("RetrainingProposal")
	}
	if err != nil {
		return nil, fmt.Errorf("drift: proposal: %w", err)
	}
	return p, nil
}

// automatic accepts a proposal when the model's policy says so. Where that fails the
// proposal stays open for people.
func (s *Service) automatic(ctx context.Context, tenant, proposal id.UUID, r *Report) {
	yes, err := s.Automatic(ctx, []id.UUID{r.Model})
	if err == nil && yes[r.Model] {
		_, err = s.Accept(tenancy.AsSystem(ctx, tenant), proposal, "")
	}
	if err != nil {
		s.Log.WarnContext(ctx, "proposal to train anew waits for people", "version", r.Label, "error", err)
	}
}

// Automatic tells of the models whether proposals are accepted by themselves.
func (s *Service) Automatic(ctx context.Context, models []id.UUID) (map[id.UUID]bool, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	rows, err := s.App.Query(ctx, `SELECT model_id, automatic FROM drift_policies WHERE tenant_id = $1 AND model_id = ANY ($2)`, tenancy.Must(ctx).TenantID, models)
	if err != nil {
		return nil, fmt.Errorf("drift: policy: %w", err)
	}
	out := map[id.UUID]bool{}
	var model id.UUID
	var yes bool
	if _, err := pgx.ForEachRow(rows, []any{&model, &yes}, func() error { out[model] = yes; return nil }); err != nil {
		return nil, fmt.Errorf("drift: policy: %w", err)
	}
	return out, nil
}

// SetAutomatic says whether proposals of a model are accepted by themselves.
func (s *Service) SetAutomatic(ctx context.Context, model id.UUID, automatic bool) error {
	if err := manages(ctx); err != nil {
		return err
	}
	tenant := tenancy.Must(ctx).TenantID
	return s.tx(ctx, func(tx pgx.Tx) error {
		var known, was bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ml_models WHERE tenant_id = $1 AND id = $2 AND NOT is_deleted),
			coalesce((SELECT automatic FROM drift_policies WHERE tenant_id = $1 AND model_id = $2), false)`, tenant, model).Scan(&known, &was); err != nil {
			return fmt.Errorf("drift: policy: %w", err)
		}
		if !known {
			return fault.Missing("Model").At("input.modelId")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO drift_policies (tenant_id, model_id, automatic) VALUES ($1, $2, $3)
			ON CONFLICT (tenant_id, model_id) DO UPDATE SET automatic = excluded.automatic, updated_at = now()`, tenant, model, automatic); err != nil {
			return fmt.Errorf("drift: policy: %w", err)
		}
		return record(ctx, tx, "update", "DriftPolicy", model, audit.Values{"automatic": was}, audit.Values{"automatic": automatic})
	})
}

// manages requires the permission to look after models, in the whole tenant: models are
// not of a site.
func manages(ctx context.Context) error {
	if err := tenancy.Require(ctx, tenancy.ModelsWrite); err != nil {
		return err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return fault.Denied(string(tenancy.ModelsWrite))
	}
	return nil
}
