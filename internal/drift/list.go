package drift

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/driftreport"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// ReportFilter chooses reports; zero fields do not narrow.
type ReportFilter struct {
	Version  id.UUID
	Verdicts []enum.DriftVerdict
}

// Reports lists reports, the newest first.
func (s *Service) Reports(ctx context.Context, f ReportFilter, a page.Args) (page.Page[*ent.DriftReport], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.ModelsRead, a, keyset.Newest(driftreport.FieldCreatedAt))
	if err != nil {
		return page.Page[*ent.DriftReport]{}, err
	}
	q := s.Ent.DriftReport.Query()
	if f.Version != id.Nil {
		q.Where(driftreport.ModelVersionID(f.Version))
	}
	if len(f.Verdicts) > 0 {
		q.Where(driftreport.VerdictIn(f.Verdicts...))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.DriftReport) page.Key { return keyset.Key(e.CreatedAt, e.ID) })
}

// ReportsByID loads reports in one statement; ids that the actor does not see are absent.
func (s *Service) ReportsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.DriftReport, error) {
	rows, err := s.Ent.DriftReport.Query().Where(driftreport.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.DriftReport) id.UUID { return e.ID })
}

// ProposalFilter chooses proposals; zero fields do not narrow.
type ProposalFilter struct {
	Model    id.UUID
	Statuses []Status
}

// Proposals lists proposals, the newest first.
func (s *Service) Proposals(ctx context.Context, f ProposalFilter, args page.Args) (page.Page[*Proposal], error) {
	var none page.Page[*Proposal]
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return none, err
	}
	w, err := args.Resolve("retraining_proposals", 2)
	if err != nil {
		return none, err
	}
	var before *time.Time
	var beforeID *id.UUID
	if w.Bound != nil {
		t, terr := time.Parse(time.RFC3339Nano, w.Bound[0])
		u, uerr := id.Parse(w.Bound[1])
		if terr != nil || uerr != nil {
			return none, fault.New(fault.BadInput, "error.page.cursor")
		}
		before, beforeID = &t, &u
	}
	op, dir := "<", "DESC"
	if w.Backward {
		op, dir = ">", "ASC"
	}
	statuses := make([]string, len(f.Statuses))
	for i, v := range f.Statuses {
		statuses[i] = string(v)
	}
	const from = ` FROM retraining_proposals WHERE tenant_id = $1 AND ($2::uuid = $3::uuid OR model_id = $2) AND (cardinality($4::text[]) = 0 OR status = ANY ($4))`
	mine := []any{tenancy.Must(ctx).TenantID, f.Model, id.Nil, statuses}
	total := 0
	if w.Total {
		if err := s.App.QueryRow(ctx, `SELECT count(*)`+from, mine...).Scan(&total); err != nil {
			return none, fmt.Errorf("drift: proposals: %w", err)
		}
	}
	rows, err := s.App.Query(ctx, `SELECT `+proposalColumns+from+` AND ($5::timestamptz IS NULL OR (created_at, id) `+op+` ($5, $6::uuid))
		ORDER BY created_at `+dir+`, id `+dir+` LIMIT $7`, append(mine, before, beforeID, w.Limit())...)
	if err != nil {
		return none, fmt.Errorf("drift: proposals: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanProposal)
	if err != nil {
		return none, fmt.Errorf("drift: proposals: %w", err)
	}
	return page.Of(w, found, total, func(p *Proposal) page.Key { return keyset.Key(p.CreatedAt, p.ID) }), nil
}

// ProposalsByID loads proposals in one statement; ids that the actor does not see are
// absent.
func (s *Service) ProposalsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Proposal, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	rows, err := s.App.Query(ctx, `SELECT `+proposalColumns+` FROM retraining_proposals WHERE tenant_id = $1 AND id = ANY ($2)`, tenancy.Must(ctx).TenantID, ids)
	if err != nil {
		return nil, fmt.Errorf("drift: proposals: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanProposal)
	return keyset.ByID(found, err, func(p *Proposal) id.UUID { return p.ID })
}
