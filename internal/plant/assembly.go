package plant

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent/asset"
	"foresight/ent/gateway"
	"foresight/ent/sensor"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// noCircle refuses a parent that is the machine itself or a part of it. Changes of
// assemblies of one tenant wait for each other until their transactions end, so that
// two of them do not close a circle together.
func noCircle(ctx context.Context, tx pgx.Tx, self, parent id.UUID) error {
	tenant := tenancy.Must(ctx).TenantID
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('assemblies of ' || $1::text, 0))`, tenant.String()); err != nil {
		return err
	}
	var circle bool
	if err := tx.QueryRow(ctx, `
		WITH RECURSIVE above (id, parent_id) AS (
			SELECT id, parent_id FROM assets WHERE tenant_id = $1 AND id = $2
			UNION
			SELECT a.id, a.parent_id FROM above JOIN assets a ON a.tenant_id = $1 AND a.id = above.parent_id
		)
		SELECT EXISTS (SELECT FROM above WHERE id = $3)`, tenant, parent, self).Scan(&circle); err != nil {
		return err
	}
	if circle {
		return fault.Invalid("input.parentId", "error.asset.circle")
	}
	return nil
}

// moveAlong brings what hangs on a machine to its new site: its parts with their
// sensors. Gateways of the former site serve them no more. Alarms keep the site where
// they were raised.
func moveAlong(ctx context.Context, w work, machine, to id.UUID) error {
	tenant := tenancy.Must(ctx).TenantID
	rows, err := w.tx.Query(ctx, `
		WITH RECURSIVE parts (id) AS (
			SELECT id FROM assets WHERE tenant_id = $1 AND parent_id = $2 AND NOT is_deleted
			UNION
			SELECT a.id FROM parts JOIN assets a ON a.tenant_id = $1 AND a.parent_id = parts.id AND NOT a.is_deleted
		)
		SELECT id FROM parts WHERE id <> $2`, tenant, machine)
	if err != nil {
		return err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return err
	}
	if err := w.client.Asset.Update().Where(asset.IDIn(parts...)).SetSiteID(to).ClearGatewayID().Exec(ctx); err != nil {
		return err
	}
	return w.client.Sensor.Update().Where(sensor.AssetIDIn(append(parts, machine)...), sensor.HasGatewayWith(gateway.SiteIDNEQ(to))).
		ClearGatewayID().Exec(ctx)
}
