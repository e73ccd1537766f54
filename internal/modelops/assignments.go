package modelops

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
)

// Assignment is a version that serves a tenant, or one asset of it.
type Assignment struct {
	Tenant   id.UUID
	Version  id.UUID
	Label    string
	Artifact string
}

// Production reads which version of fault classifiers serves each tenant. The pool
// is the role foresight_worker's, which reads deployments of all tenants.
func Production(ctx context.Context, worker *pgxpool.Pool) ([]Assignment, error) {
	rows, err := worker.Query(ctx, `
		SELECT d.tenant_id, v.id, v.full_version_label, v.artifact_path
		FROM ml_model_deployments d
		JOIN ml_model_versions v ON v.tenant_id = d.tenant_id AND v.id = d.model_version_id
		JOIN ml_models m ON m.tenant_id = d.tenant_id AND m.id = d.model_id
		WHERE d.is_production AND d.deployment_end IS NULL AND NOT v.is_deleted AND NOT m.is_deleted AND m.type = 'fault_classification'`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Assignment])
}

// Tenants lists the ids of all tenants that are in use.
func Tenants(ctx context.Context, worker *pgxpool.Pool) ([]id.UUID, error) {
	rows, err := worker.Query(ctx, `SELECT id FROM tenants WHERE is_active AND NOT is_deleted ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.UUID])
}
