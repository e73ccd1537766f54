package presence

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const (
	setTenant = `SELECT set_config('app.tenant_id', $1, true)`

	// A later connection, of another process, is not written over. Returned are those
	// that were offline or came by another connection, not those that were heard of only.
	setOnline = `
WITH was AS (
	SELECT gateway_id, connected_at FROM gateway_states WHERE tenant_id = $1 AND gateway_id = ANY ($2::uuid[])
), now AS (
	INSERT INTO gateway_states AS g (tenant_id, gateway_id, site_id, last_seen_at, is_online, connected_at, ip_address)
	SELECT $1, n.gateway, n.site, $5, true, n.since, nullif(n.address, '')
	FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $6::text[]) AS n (gateway, site, since, address)
	ON CONFLICT (tenant_id, gateway_id) DO UPDATE SET site_id = excluded.site_id, last_seen_at = excluded.last_seen_at, is_online = true,
		connected_at = excluded.connected_at, ip_address = excluded.ip_address
	WHERE g.connected_at IS NULL OR g.connected_at <= excluded.connected_at
	RETURNING g.gateway_id, g.site_id, g.last_seen_at, g.connected_at
)
SELECT now.* FROM now LEFT JOIN was USING (gateway_id) WHERE was.connected_at IS DISTINCT FROM now.connected_at ORDER BY gateway_id`

	setOffline = `
UPDATE gateway_states g SET is_online = false, connected_at = NULL, last_seen_at = greatest(g.last_seen_at, n.ended)
FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS n (gateway, since, ended)
WHERE g.tenant_id = $1 AND g.gateway_id = n.gateway AND g.connected_at = n.since
RETURNING g.gateway_id, g.site_id, g.last_seen_at, g.connected_at`

	findStale = `SELECT DISTINCT tenant_id FROM gateway_states WHERE is_online AND last_seen_at < $1 ORDER BY tenant_id`

	takeBackStale = `
UPDATE gateway_states SET is_online = false, connected_at = NULL WHERE tenant_id = $1 AND is_online AND last_seen_at < $2
RETURNING gateway_id, site_id, last_seen_at, connected_at`
)

// write brings the table up to date, a transaction for each tenant, and returns what
// has changed, with an error too.
func (r *Recorder) write(ctx context.Context, came, gone []*connection) ([]event.Event, error) {
	var changes []event.Event
	for len(came)+len(gone) > 0 {
		var tenant id.UUID
		switch {
		case len(gone) == 0 || len(came) > 0 && string(came[0].tenant[:]) <= string(gone[0].tenant[:]):
			tenant = came[0].tenant
		default:
			tenant = gone[0].tenant
		}
		var mine, left []*connection
		mine, came = of(tenant, came)
		left, gone = of(tenant, gone)
		told, err := r.writeTenant(ctx, tenant, mine, left)
		if err != nil {
			return changes, fmt.Errorf("presence: tenant %s: %w", tenant, err)
		}
		changes = append(changes, told...)
	}
	return changes, nil
}

// of splits off the tenant's connections, which are the first.
func of(tenant id.UUID, sorted []*connection) (mine, others []*connection) {
	n := 0
	for n < len(sorted) && sorted[n].tenant == tenant {
		n++
	}
	return sorted[:n], sorted[n:]
}

func (r *Recorder) writeTenant(ctx context.Context, tenant id.UUID, came, gone []*connection) (changes []event.Event, err error) {
	err = pgx.BeginFunc(ctx, r.opt.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setTenant, tenant.String()); err != nil {
			return err
		}
		// Ends before beginnings: a gateway that came again at once is online.
		if len(gone) > 0 {
			gateways, since, ended := make([]id.UUID, len(gone)), make([]time.Time, len(gone)), make([]time.Time, len(gone))
			for i, c := range gone {
				gateways[i], since[i], ended[i] = c.gateway, c.since, c.ended
			}
			if changes, err = changed(ctx, tx, tenant, setOffline, tenant, gateways, since, ended); err != nil {
				return err
			}
		}
		if len(came) == 0 {
			return nil
		}
		gateways, sites, since, addresses := make([]id.UUID, len(came)), make([]id.UUID, len(came)), make([]time.Time, len(came)), make([]string, len(came))
		for i, c := range came {
			gateways[i], sites[i], since[i], addresses[i] = c.gateway, c.site, c.since, c.address
		}
		online, err := changed(ctx, tx, tenant, setOnline, tenant, gateways, sites, since, now(), addresses)
		changes = append(changes, online...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// takeBack sets gateways offline that nobody has heard of for long at the time.
func (r *Recorder) takeBack(ctx context.Context, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	limit := at.Add(-staleAfter * r.opt.Heartbeat)
	rows, err := r.opt.Pool.Query(ctx, findStale, limit)
	if err != nil {
		return fmt.Errorf("presence: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return fmt.Errorf("presence: %w", err)
	}
	for _, tenant := range tenants {
		var changes []event.Event
		if err := pgx.BeginFunc(ctx, r.opt.Pool, func(tx pgx.Tx) (err error) {
			if _, err := tx.Exec(ctx, setTenant, tenant.String()); err != nil {
				return err
			}
			changes, err = changed(ctx, tx, tenant, takeBackStale, tenant, limit)
			return err
		}); err != nil {
			return fmt.Errorf("presence: tenant %s: %w", tenant, err)
		}
		r.tell(ctx, changes)
	}
	return nil
}

// changed runs a statement that returns the gateways whose state is another now: without
// the time of a connection they are offline.
func changed(ctx context.Context, tx pgx.Tx, tenant id.UUID, statement string, args ...any) ([]event.Event, error) {
	rows, err := tx.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []event.Event
	for rows.Next() {
		var g event.GatewayChange
		var site id.UUID
		var connected *time.Time
		if err := rows.Scan(&g.ID, &site, &g.LastSeenAt, &connected); err != nil {
			return nil, err
		}
		if connected != nil {
			g.IsOnline, g.ConnectedAt = true, *connected
		}
		out = append(out, event.Event{Kind: event.Gateway, Key: telemetry.Key{Tenant: tenant, Site: site}, Gateway: &g})
	}
	return out, rows.Err()
}
