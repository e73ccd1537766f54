package drift

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/id"
)

// reference reads the labels that reports on the version compare with, nil when there
// are none yet, and since when the version has predicted, as far as deployments tell.
func (s *Service) reference(ctx context.Context, tenant id.UUID, v *version) (labels map[string]document.LabelShare, since time.Time, err error) {
	var begun *time.Time
	err = s.App.QueryRow(ctx, `SELECT (SELECT labels FROM drift_reports WHERE tenant_id = $1 AND model_version_id = $2 AND is_reference ORDER BY created_at LIMIT 1),
		least((SELECT min(deployment_start) FROM ml_model_deployments WHERE tenant_id = $1 AND model_version_id = $2 AND stage <> 'shadow'),
			(SELECT min(deployment_start) FROM asset_model_versions WHERE tenant_id = $1 AND model_version_id = $2 AND stage <> 'shadow'))`,
		tenant, v.ID).Scan(&labels, &begun)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, since, fmt.Errorf("drift: reference: %w", err)
	}
	if begun != nil {
		since = *begun
	}
	return labels, since, nil
}

// keep stores a report, and proposes to train the model anew when a version that serves
// has drifted severely and no proposal is open. It returns the new proposal, Nil when
// there is none, and whether the report was not there before.
func (s *Service) keep(ctx context.Context, tenant id.UUID, r *Report) (proposal id.UUID, isNew bool, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO drift_reports (id, tenant_id, model_version_id, window_start, window_end, samples, machines, psi, drifted,
				label_shift, labels, is_reference, coverage, telemetry_coverage, out_of_distribution, label_sets, verdict, reasons)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
			ON CONFLICT (id) DO NOTHING`,
			r.ID, tenant, r.Version, r.From, r.To, r.Rows, r.Machines, r.PSI, r.Drifted,
			r.LabelShift, r.Labels, r.Reference, r.Coverage, r.TelemetryCoverage, r.OutOfDistribution, r.LabelSets, string(r.Verdict), r.Reasons)
		if err != nil {
			return fmt.Errorf("drift: write report: %w", err)
		}
		if isNew = tag.RowsAffected() > 0; !isNew || r.Verdict != enum.DriftSevere || !r.serves {
			return nil
		}
		p := id.New(id.RetrainingProposal)
		// One that somebody has just dismissed is not made again for the same reason.
		tag, err = tx.Exec(ctx, `INSERT INTO retraining_proposals (id, tenant_id, model_id, model_version_id, drift_report_id)
			SELECT $1, $2, $3, $4, $5
			WHERE NOT EXISTS (SELECT FROM retraining_proposals WHERE tenant_id = $2 AND model_version_id = $4 AND status <> 'open' AND decided_at > now() - $6::interval)
			ON CONFLICT DO NOTHING`, p, tenant, r.Model, r.Version, r.ID, quiet)
		if err != nil {
			return fmt.Errorf("drift: propose: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		proposal = p
		if s.Letters != nil {
			return s.Letters.Drifted(ctx, tx, r.Label)
		}
		return nil
	})
	return proposal, isNew, err
}

// How long reports and checks are kept.
const (
	keepReports = 400 * 24 * time.Hour
	keepChecks  = 90 * 24 * time.Hour
)

// forget deletes what is old, but for reports that others refer to.
func (s *Service) forget(ctx context.Context, tenant id.UUID) error {
	var b pgx.Batch
	b.Queue(`DELETE FROM drift_reports r WHERE tenant_id = $1 AND created_at < now() - $2::interval AND NOT is_reference
		AND NOT EXISTS (SELECT FROM retraining_proposals p WHERE p.tenant_id = r.tenant_id AND p.drift_report_id = r.id)`, tenant, keepReports)
	b.Queue(`DELETE FROM drift_checks WHERE tenant_id = $1 AND created_at < now() - $2::interval AND status IN ('succeeded', 'failed')`, tenant, keepChecks)
	if err := s.App.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("drift: forget: %w", err)
	}
	return nil
}

// quiet is how long after a decision about a version nothing is proposed for it.
const quiet = 14 * 24 * time.Hour

// record adds an entry to the audit log.
func record(ctx context.Context, tx pgx.Tx, action, entity string, which id.UUID, was, is audit.Values) error {
	changes, err := audit.Diff(was, is)
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: action, Entity: entity, ID: which, Changes: changes})
}
