package modelops

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// allowance is what the versions of a tenant's models may come to, all together.
type allowance struct {
	versions int
	bytes    int64 // of their artifacts
}

// allowances by plan: a model that is trained anew each week makes some fifty versions a
// year, of a few megabytes each.
var allowances = map[enum.Plan]allowance{
	enum.PlanFree:       {versions: 50, bytes: 512 << 20},
	enum.PlanStandard:   {versions: 1_000, bytes: 16 << 30},
	enum.PlanEnterprise: {versions: 10_000, bytes: 160 << 30},
}

// allowanceOf is that of the plan; of an unknown one the least.
func allowanceOf(p enum.Plan) allowance {
	if a, ok := allowances[p]; ok {
		return a
	}
	return allowances[enum.PlanFree]
}

// Room is a fault.Conflict when the plan of the actor's tenant allows no further version.
// It is for callers who would work long for one; Register asks by itself.
func (v *Versions) Room(ctx context.Context) error {
	return postgres.InTx(ctx, v.db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error { return room(ctx, c, tx, 0) })
}

// room refuses a version whose artifact has so many bytes when that is beyond what the
// tenant's plan allows. Archived versions count, since what they said can be explained
// from their artifacts; those that share an artifact count its bytes once.
func room(ctx context.Context, c *ent.Client, tx pgx.Tx, bytes int64) error {
	tenant := tenancy.Must(ctx).TenantID
	t, err := c.Tenant.Get(ctx, tenant)
	if err != nil {
		return err
	}
	var have allowance
	err = tx.QueryRow(ctx, `SELECT coalesce(sum(n), 0), coalesce(sum(bytes), 0)::bigint FROM (
		SELECT count(*) AS n, max((card ->> 'bytes')::bigint) AS bytes FROM ml_model_versions WHERE tenant_id = $1 AND NOT is_deleted GROUP BY artifact_path) a`,
		tenant).Scan(&have.versions, &have.bytes)
	if err != nil {
		return fmt.Errorf("modelops: %w", err)
	}
	if may := allowanceOf(t.Plan); have.versions >= may.versions || have.bytes+bytes > may.bytes {
		return fault.New(fault.Conflict, "error.version.room").With("Versions", may.versions).With("MiB", may.bytes>>20)
	}
	return nil
}
