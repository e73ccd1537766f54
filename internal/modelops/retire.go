package modelops

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/ent/mlmodelversion"
	"foresight/inference/champion"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Archive retires a version that serves nobody: neither the tenant nor an asset, in
// production or on trial. A nil version of the row is any.
func (v *Versions) Archive(ctx context.Context, which id.UUID, expected *int) (*ent.MLModelVersion, error) {
	return v.retire(ctx, which, expected, func(ctx context.Context, c *ent.Client, tx pgx.Tx, e *ent.MLModelVersion) (*ent.MLModelVersion, error) {
		var serves bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ml_model_deployments WHERE tenant_id = $1 AND model_version_id = $2 AND deployment_end IS NULL)
			OR EXISTS (SELECT FROM asset_model_versions WHERE tenant_id = $1 AND model_version_id = $2 AND is_active)`, e.TenantID, which).Scan(&serves); err != nil {
			return nil, fmt.Errorf("modelops: %w", err)
		}
		if serves {
			return nil, fault.New(fault.Conflict, "error.version.serves").At("input.id").With("Label", e.FullVersionLabel)
		}
		if e.Stage == enum.StageArchived {
			return e, nil
		}
		return c.MLModelVersion.UpdateOneID(which).SetStage(enum.StageArchived).Save(ctx)
	})
}

// Delete takes an archived version out of the register, and its artifact with it unless
// another version shares that: neither can it serve again, nor can what it said be
// explained. Its number stays taken, and what refers to it still names it. What ships with
// the product stays. A nil version of the row is any.
func (v *Versions) Delete(ctx context.Context, which id.UUID, expected *int) (*ent.MLModelVersion, error) {
	return v.retire(ctx, which, expected, func(ctx context.Context, c *ent.Client, tx pgx.Tx, e *ent.MLModelVersion) (*ent.MLModelVersion, error) {
		ships := func(c *champion.Champion) bool { return c.Hash() == e.ArtifactPath }
		switch {
		case slices.ContainsFunc(champion.All(), ships):
			return nil, fault.New(fault.Conflict, "error.version.ships").At("input.id").With("Label", e.FullVersionLabel)
		case e.Stage != enum.StageArchived:
			return nil, fault.New(fault.Conflict, "error.version.notArchived").At("input.id").With("Label", e.FullVersionLabel)
		}
		if err := c.MLModelVersion.DeleteOneID(which).Exec(ctx); err != nil {
			return nil, err
		}
		shared, err := c.MLModelVersion.Query().Where(mlmodelversion.ArtifactPath(e.ArtifactPath)).Exist(ctx)
		if err != nil {
			return nil, err
		}
		// The last one of those that share it takes the artifact along. A commit that fails leaves an archived version without its artifact, which can be
		// deleted once more.
		if !shared {
			if err := v.artifacts.Delete(ctx, e.ArtifactPath); err != nil {
				return nil, err
			}
		}
		return c.MLModelVersion.Query().Where(mlmodelversion.ID(which)).Only(mixin.WithDeleted(ctx))
	})
}

// retire has f change a version that it holds, so that a deployment that is being made is
// waited for, and one that comes later finds what f made of it.
func (v *Versions) retire(ctx context.Context, which id.UUID, expected *int,
	f func(context.Context, *ent.Client, pgx.Tx, *ent.MLModelVersion) (*ent.MLModelVersion, error)) (out *ent.MLModelVersion, err error) {
	if err := mayWrite(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	err = postgres.InTx(ctx, v.db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT FROM ml_model_versions WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tenancy.Must(ctx).TenantID, which); err != nil {
			return fmt.Errorf("modelops: %w", err)
		}
		e, err := c.MLModelVersion.Query().Where(mlmodelversion.ID(which)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return fault.Missing("ModelVersion").At("input.id")
		case err != nil:
			return err
		case expected != nil && e.Version != *expected:
			return fault.Stale("ModelVersion")
		}
		out, err = f(ctx, c, tx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// lockVersions has registrations and retirements of one tenant wait for each other: no two
// take the last room, and of those that share an artifact the last one takes it along.
func lockVersions(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('versions of ' || $1::text, 0))`, tenancy.Must(ctx).TenantID.String()); err != nil {
		return fmt.Errorf("modelops: %w", err)
	}
	return nil
}
