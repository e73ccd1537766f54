package modelops

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent/enum"
	"foresight/internal/id"
)

// Assignment is a version that serves a tenant, or one asset of it.
type Assignment struct {
	ID        id.UUID // of the deployment or binding
	Tenant    id.UUID
	Asset     id.UUID // Nil: the whole tenant
	Type      enum.ModelType
	Stage     enum.BindingStage
	Percent   int // of the assets that a canary or shadow serves
	Version   id.UUID
	Label     string
	Artifact  string
	Threshold float64 // probability from which on a binary model says yes
}

// Assignments reads which versions serve whom: the open deployments and the active
// bindings of all tenants, the newest first. The pool is the role foresight_worker's,
// which may read them.
func Assignments(ctx context.Context, worker *pgxpool.Pool) ([]Assignment, error) {
	rows, err := worker.Query(ctx, `
		SELECT s.id, s.tenant_id, s.asset_id, m.type, s.stage, s.traffic_percent, v.id, v.full_version_label, v.artifact_path, v.decision_threshold
		FROM (
			SELECT id, tenant_id, $1::uuid AS asset_id, stage, traffic_percent, model_id, model_version_id, deployment_start
			FROM ml_model_deployments WHERE deployment_end IS NULL
			UNION ALL
			SELECT id, tenant_id, asset_id, stage, traffic_percent, model_id, model_version_id, deployment_start
			FROM asset_model_versions WHERE is_active) s
		JOIN ml_model_versions v ON v.tenant_id = s.tenant_id AND v.id = s.model_version_id
		JOIN ml_models m ON m.tenant_id = s.tenant_id AND m.id = s.model_id
		WHERE NOT v.is_deleted AND NOT m.is_deleted
		ORDER BY s.deployment_start DESC, s.id DESC`, id.Nil)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Assignment])
}
