package deploy

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/assetmodelversion"
	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Binding is a version for one machine.
type Binding struct {
	Asset   id.UUID
	Version id.UUID
	Stage   enum.BindingStage
	Percent int // 1-100, 0: 100. Below 100 the machine may be drawn or not, once for the binding.
}

// Bind lets a version serve one machine, in place of the machine's binding of the same
// model and stage. The errors are those of Deploy, and fault.NotFound for a machine that
// the actor does not see.
func (s *Service) Bind(ctx context.Context, b Binding) (*ent.AssetModelVersion, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	p := Plan{Version: b.Version, Stage: b.Stage, Percent: b.Percent}
	if err := p.check(); err != nil {
		return nil, err
	}
	v, err := s.version(ctx, s.App, b.Version, "")
	if err != nil {
		return nil, err
	}
	if seen, err := s.Ent.Asset.Query().Where(asset.ID(b.Asset)).Exist(ctx); err != nil {
		return nil, fmt.Errorf("deploy: asset: %w", err)
	} else if !seen {
		return nil, fault.Missing("Asset").At("input.assetId")
	}
	if v.Stage == enum.StageArchived {
		return nil, archived(v)
	}
	if err := s.activate(ctx, v); err != nil {
		return nil, err
	}
	made := id.New(id.AssetModelVersion)
	err = s.tx(ctx, func(tx pgx.Tx) error {
		// Two that bind the same machine wait for each other here.
		if err := s.model(ctx, tx, v.Model, " FOR NO KEY UPDATE"); err != nil {
			return err
		}
		now, err := s.version(ctx, tx, v.ID, " FOR NO KEY UPDATE OF v")
		if err != nil {
			return err
		}
		if now.Stage == enum.StageArchived {
			return archived(now)
		}
		if err := s.unbind(ctx, tx, `asset_id = $2 AND model_id = $3 AND (stage = $4 OR model_version_id = $5)`, b.Asset, v.Model, string(p.Stage), v.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO asset_model_versions (id, tenant_id, asset_id, model_id, model_version_id, stage, traffic_percent, deployment_start, deployed_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			made, tenancy.Must(ctx).TenantID, b.Asset, v.Model, v.ID, string(p.Stage), p.Percent, s.now(), person(ctx)); err != nil {
			return fmt.Errorf("deploy: bind: %w", err)
		}
		changes, err := audit.Diff(nil, audit.Values{"asset_id": b.Asset, "model_id": v.Model, "model_version_id": v.ID, "stage": p.Stage, "traffic_percent": p.Percent})
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Entry{Action: "bind", Entity: "AssetModelVersion", ID: made, Changes: changes}); err != nil {
			return err
		}
		return s.restage(ctx, tx, v.ID, enum.StageStaging)
	})
	if _, gone := postgres.ForeignKey(err); gone {
		return nil, fault.Missing("Asset").At("input.assetId")
	}
	if err != nil {
		return nil, err
	}
	return s.Binding(ctx, made)
}

// Unbind ends a binding: the tenant's deployments serve the machine again.
func (s *Service) Unbind(ctx context.Context, which id.UUID) (*ent.AssetModelVersion, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	b, err := s.Binding(ctx, which)
	if err != nil {
		return nil, err
	}
	if err := s.tx(ctx, func(tx pgx.Tx) error {
		if err := s.model(ctx, tx, b.ModelID, " FOR NO KEY UPDATE"); err != nil {
			return err
		}
		var active bool
		if err := tx.QueryRow(ctx, `SELECT is_active FROM asset_model_versions WHERE tenant_id = $1 AND id = $2`,
			tenancy.Must(ctx).TenantID, which).Scan(&active); err != nil {
			return fmt.Errorf("deploy: unbind: %w", err)
		}
		if !active {
			return fault.New(fault.Conflict, "error.deploy.ended").At("input.id")
		}
		return s.unbind(ctx, tx, `id = $2`, which)
	}); err != nil {
		return nil, err
	}
	return s.Binding(ctx, which)
}

// unbind ends the active bindings that the condition chooses, on record.
func (s *Service) unbind(ctx context.Context, tx execer, condition string, args ...any) error {
	rows, err := tx.Query(ctx, `SELECT id, model_version_id FROM asset_model_versions WHERE tenant_id = $1 AND is_active AND `+condition+` ORDER BY id`,
		append([]any{tenancy.Must(ctx).TenantID}, args...)...)
	if err != nil {
		return fmt.Errorf("deploy: unbind: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ ID, Version id.UUID }])
	if err != nil {
		return fmt.Errorf("deploy: unbind: %w", err)
	}
	at := s.now()
	for _, b := range found {
		if _, err := tx.Exec(ctx, `UPDATE asset_model_versions SET is_active = false, deployment_end = greatest($3, deployment_start)
			WHERE tenant_id = $1 AND id = $2`, tenancy.Must(ctx).TenantID, b.ID, at); err != nil {
			return fmt.Errorf("deploy: unbind: %w", err)
		}
		changes, err := audit.Diff(audit.Values{"is_active": true}, audit.Values{"is_active": false, "deployment_end": at})
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Entry{Action: "unbind", Entity: "AssetModelVersion", ID: b.ID, Changes: changes}); err != nil {
			return err
		}
		if err := s.restage(ctx, tx, b.Version, enum.StageStaging); err != nil {
			return err
		}
	}
	return nil
}

// Binding returns one that the actor sees.
func (s *Service) Binding(ctx context.Context, which id.UUID) (*ent.AssetModelVersion, error) {
	b, err := s.Ent.AssetModelVersion.Query().Where(assetmodelversion.ID(which)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("AssetModelBinding")
	}
	if err != nil {
		return nil, fmt.Errorf("deploy: binding: %w", err)
	}
	return b, nil
}

// BindingsByID loads bindings in one statement; those that the actor does not see are
// absent.
func (s *Service) BindingsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.AssetModelVersion, error) {
	rows, err := s.Ent.AssetModelVersion.Query().Where(assetmodelversion.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.AssetModelVersion) id.UUID { return e.ID })
}

// BindingFilter chooses bindings; zero fields do not narrow.
type BindingFilter struct {
	Asset, Model *id.UUID
	Ended        bool // those that have ended, too
}

// Bindings lists the bindings of machines that the actor sees, the newest first.
func (s *Service) Bindings(ctx context.Context, f BindingFilter, a page.Args) (page.Page[*ent.AssetModelVersion], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.ModelsRead, a, keyset.Newest(assetmodelversion.FieldDeploymentStart))
	if err != nil {
		return page.Page[*ent.AssetModelVersion]{}, err
	}
	q := s.Ent.AssetModelVersion.Query()
	if f.Asset != nil {
		q.Where(assetmodelversion.AssetID(*f.Asset))
	}
	if f.Model != nil {
		q.Where(assetmodelversion.ModelID(*f.Model))
	}
	if !f.Ended {
		q.Where(assetmodelversion.IsActive(true))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.AssetModelVersion) page.Key { return keyset.Key(e.DeploymentStart, e.ID) })
}
