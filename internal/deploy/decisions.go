package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Decision is what the rules, or a person, decided about a deployment.
type Decision struct {
	ID, Model, Version, Deployment id.UUID
	Verdict                        Verdict
	Acted                          bool // carried out, and not only proposed
	Reasons                        []Reason
	Measures                       Measures // zero where a person decided
	PercentBefore                  int      // of the tenant's machines
	PercentAfter                   int      // the same when nothing was done; 0: it ended; 100 of a canary: production
	DecidedBy                      *id.UUID // nil: the rules
	MadeAt                         time.Time
	SeenAt                         time.Time // when the rules last came to the same
}

var decisions = list[Decision]{
	name: "deployment decisions", table: "deployment_decisions", at: "made_at",
	columns: `id, model_id, model_version_id, deployment_id, verdict, acted, reasons, measures, percent_before, percent_after, decided_by, made_at, seen_at`,
	scan: func(row pgx.CollectableRow) (*Decision, error) {
		var d Decision
		err := row.Scan(&d.ID, &d.Model, &d.Version, &d.Deployment, &d.Verdict, &d.Acted, &d.Reasons, &d.Measures, &d.PercentBefore, &d.PercentAfter,
			&d.DecidedBy, &d.MadeAt, &d.SeenAt)
		return &d, err
	},
	key: func(d *Decision) (time.Time, id.UUID) { return d.MadeAt, d.ID },
}

// keep writes a decision in the transaction of what it does.
func (c *change) keep(ctx context.Context, o *open, d Decision) error {
	reasons, err := json.Marshal(d.Reasons)
	if err != nil {
		return err
	}
	measures, err := json.Marshal(d.Measures)
	if err != nil {
		return err
	}
	d.ID = id.New(id.DeploymentDecision)
	if _, err := c.tx.Exec(ctx, `INSERT INTO deployment_decisions (id, tenant_id, model_id, model_version_id, deployment_id, verdict, acted, reasons, measures,
			percent_before, percent_after, decided_by, made_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)`,
		d.ID, tenancy.Must(ctx).TenantID, c.model, o.Version, o.ID, string(d.Verdict), d.Acted, reasons, measures,
		o.Percent, d.PercentAfter, person(ctx), c.at); err != nil {
		return fmt.Errorf("deploy: decision: %w", err)
	}
	c.told = append(c.told, told{d.ID, Decided})
	return c.writeOf(ctx, o, &d)
}

// byHand keeps that a person changed the share: the time of a candidate begins anew.
func (c *change) byHand(ctx context.Context, o *open, percent int) error {
	verdict := Promote
	if percent < o.Percent {
		verdict = RollBack
	}
	return c.keep(ctx, o, Decision{Verdict: verdict, Acted: true, Reasons: []Reason{{Code: ByHand}}, PercentAfter: percent})
}

// note keeps a decision that is not carried out; one that only repeats the newest is
// written into that.
func (c *change) note(ctx context.Context, o *open, d Decision) error {
	rows, err := c.tx.Query(ctx, `SELECT `+decisions.columns+` FROM deployment_decisions WHERE tenant_id = $1 AND deployment_id = $2
		ORDER BY made_at DESC, id DESC LIMIT 1`, tenancy.Must(ctx).TenantID, o.ID)
	if err != nil {
		return fmt.Errorf("deploy: decision: %w", err)
	}
	newest, err := pgx.CollectRows(rows, decisions.scan)
	if err != nil {
		return fmt.Errorf("deploy: decision: %w", err)
	}
	if len(newest) == 0 || newest[0].Acted || newest[0].Verdict != d.Verdict || !slices.Equal(codes(newest[0].Reasons), codes(d.Reasons)) {
		d.PercentAfter = o.Percent
		return c.keep(ctx, o, d)
	}
	reasons, err := json.Marshal(d.Reasons)
	if err != nil {
		return err
	}
	measures, err := json.Marshal(d.Measures)
	if err != nil {
		return err
	}
	if _, err := c.tx.Exec(ctx, `UPDATE deployment_decisions SET reasons = $3, measures = $4, seen_at = greatest($5, made_at) WHERE tenant_id = $1 AND id = $2`,
		tenancy.Must(ctx).TenantID, newest[0].ID, reasons, measures, c.at); err != nil {
		return fmt.Errorf("deploy: decision: %w", err)
	}
	return nil
}

func codes(reasons []Reason) []ReasonCode {
	out := make([]ReasonCode, len(reasons))
	for i, r := range reasons {
		out[i] = r.Code
	}
	return out
}

// since is when the deployment got its present share.
func (s *Service) since(ctx context.Context, o *open) (time.Time, error) {
	var at *time.Time
	if err := s.App.QueryRow(ctx, `SELECT max(made_at) FROM deployment_decisions WHERE tenant_id = $1 AND deployment_id = $2 AND percent_after <> percent_before`,
		tenancy.Must(ctx).TenantID, o.ID).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("deploy: since: %w", err)
	}
	if at != nil && at.After(o.Since) {
		return at.UTC(), nil
	}
	return o.Since.UTC(), nil
}

// DecisionFilter chooses decisions; nil fields do not narrow.
type DecisionFilter struct {
	Model, Deployment *id.UUID
}

// Decisions lists what was decided, the newest first.
func (s *Service) Decisions(ctx context.Context, f DecisionFilter, a page.Args) (page.Page[*Decision], error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return page.Page[*Decision]{}, err
	}
	return decisions.page(ctx, s.App, a, `tenant_id = $1 AND ($2::uuid IS NULL OR model_id = $2) AND ($3::uuid IS NULL OR deployment_id = $3)`,
		[]any{tenancy.Must(ctx).TenantID, f.Model, f.Deployment})
}

// DecisionsByID loads decisions in one statement.
func (s *Service) DecisionsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Decision, error) {
	return decisions.byID(ctx, s.App, tenancy.Must(ctx).TenantID, ids)
}
