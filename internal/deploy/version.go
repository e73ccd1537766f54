package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// version is what deploying needs to know of one.
type version struct {
	ID        id.UUID
	Model     id.UUID
	Type      enum.ModelType
	Label     string
	Artifact  string
	Stage     enum.ModelStage
	Threshold float64
}

const selectVersion = `SELECT v.id, v.model_id, m.type, v.full_version_label, v.artifact_path, v.stage, v.decision_threshold
	FROM ml_model_versions v JOIN ml_models m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
	WHERE v.tenant_id = $1 AND v.id = $2 AND NOT v.is_deleted AND NOT m.is_deleted`

// version reads one of the tenant; another's is missing.
func (s *Service) version(ctx context.Context, q querier, which id.UUID, suffix string) (version, error) {
	var v version
	err := q.QueryRow(ctx, selectVersion+suffix, tenancy.Must(ctx).TenantID, which).
		Scan(&v.ID, &v.Model, &v.Type, &v.Label, &v.Artifact, &v.Stage, &v.Threshold)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, fault.Missing("ModelVersion").At("input.modelVersionId")
	}
	if err != nil {
		return v, fmt.Errorf("deploy: version: %w", err)
	}
	return v, nil
}

// model checks that the tenant has the model.
func (s *Service) model(ctx context.Context, q querier, which id.UUID, lock string) error {
	var found id.UUID
	err := q.QueryRow(ctx, `SELECT id FROM ml_models WHERE tenant_id = $1 AND id = $2 AND NOT is_deleted`+lock, tenancy.Must(ctx).TenantID, which).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Missing("Model").At("input.modelId")
	}
	if err != nil {
		return fmt.Errorf("deploy: model: %w", err)
	}
	return nil
}

// activate refuses a version that could not answer.
func (s *Service) activate(ctx context.Context, v version) error {
	err := s.Gate.Activate(ctx, v.Type, Artifact{v.ID, v.Label, v.Artifact})
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	return fault.Invalid("input.modelVersionId", "error.deploy.notLoadable").With("Label", v.Label).Because(err)
}

// restage gives a version the stage that follows from what is open for it; nothing: the
// archive when it was in production, else the stage that it falls back to.
const restage = `UPDATE ml_model_versions v SET stage = n.stage, version = v.version + 1, updated_at = $4, updated_by = $5
	FROM ml_model_versions old, (
		SELECT CASE WHEN bool_or(stage = 'production') THEN 'production' WHEN bool_or(stage = 'canary') THEN 'canary'
			WHEN EXISTS (SELECT FROM ml_model_deployments WHERE tenant_id = $1 AND model_version_id = $2 AND is_production AND deployment_end IS NOT NULL) THEN 'archived'
			ELSE $3::text END AS stage FROM (
			SELECT stage FROM ml_model_deployments WHERE tenant_id = $1 AND model_version_id = $2 AND deployment_end IS NULL
			UNION ALL SELECT stage FROM asset_model_versions WHERE tenant_id = $1 AND model_version_id = $2 AND is_active) open) n
	WHERE v.tenant_id = $1 AND v.id = $2 AND old.tenant_id = v.tenant_id AND old.id = v.id AND v.stage <> n.stage
	RETURNING old.stage, v.stage`

// restage has the version follow what is open for it, on record.
func (s *Service) restage(ctx context.Context, tx execer, which id.UUID, otherwise enum.ModelStage) error {
	var before, after enum.ModelStage
	err := tx.QueryRow(ctx, restage, tenancy.Must(ctx).TenantID, which, string(otherwise), s.now(), person(ctx)).Scan(&before, &after)
	if errors.Is(err, pgx.ErrNoRows) { // it is there already
		return nil
	}
	if err != nil {
		return fmt.Errorf("deploy: stage: %w", err)
	}
	changes, err := audit.Diff(audit.Values{"stage": before}, audit.Values{"stage": after})
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: audit.Update, Entity: "MLModelVersion", ID: which, Changes: changes})
}
