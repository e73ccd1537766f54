package plant

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/gateway"
	"foresight/ent/sensor"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// SensorState is what is known of a sensor that has spoken.
type SensorState struct {
	Sensor     id.UUID
	LatestAt   time.Time // event time of its newest reading
	IsOnline   bool
	WindowFill int // readings in the model's window, 0-14
}

// SensorStates returns the states of sensors; of silent ones there is none.
func (s *Service) SensorStates(ctx context.Context, sensors []id.UUID) (map[id.UUID]SensorState, error) {
	rows, err := s.pool.Query(ctx, `SELECT sensor_id, latest_at, is_online, window_fill FROM sensor_states
		WHERE tenant_id = $1 AND sensor_id = ANY($2) AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3))`,
		tenancy.Must(ctx).TenantID, sensors, list(sites(ctx)))
	return byID(rows, err, func(st SensorState) id.UUID { return st.Sensor })
}

// GatewayState is what is known of a gateway that has been heard of.
type GatewayState struct {
	Gateway     id.UUID
	LastSeenAt  time.Time
	IsOnline    bool
	ConnectedAt *time.Time // when its present connection began; nil while it has none
}

// GatewayStates returns the states of gateways; of those that were never heard of
// there is none.
func (s *Service) GatewayStates(ctx context.Context, gateways []id.UUID) (map[id.UUID]GatewayState, error) {
	rows, err := s.pool.Query(ctx, `SELECT gateway_id, last_seen_at, is_online, connected_at FROM gateway_states
		WHERE tenant_id = $1 AND gateway_id = ANY($2) AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3))`,
		tenancy.Must(ctx).TenantID, gateways, list(sites(ctx)))
	return byID(rows, err, func(st GatewayState) id.UUID { return st.Gateway })
}

// GatewaysIn returns the gateways of a site, or those that serve an asset or a sensor,
// by code; with an empty scope all of them.
func (s *Service) GatewaysIn(ctx context.Context, scope telemetry.Scope, limit int) ([]*ent.Gateway, error) {
	q := s.ent.Gateway.Query().Order(gateway.ByGatewayCode()).Limit(limit)
	switch {
	case scope.Sensor != id.Nil:
		q.Where(gateway.HasSensorsWith(sensor.ID(scope.Sensor)))
	case scope.Asset != id.Nil:
		q.Where(gateway.Or(gateway.HasAssetsWith(asset.ID(scope.Asset)), gateway.HasSensorsWith(sensor.AssetID(scope.Asset))))
	case scope.Site != id.Nil:
		q.Where(gateway.SiteID(scope.Site))
	}
	return q.All(ctx)
}

func byID[T any](rows pgx.Rows, err error, key func(T) id.UUID) (map[id.UUID]T, error) {
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	return keyset.ByID(found, err, key)
}

// LastSeenOfAssets returns when any sensor of assets last spoke, by event time.
func (s *Service) LastSeenOfAssets(ctx context.Context, assets []id.UUID) (map[id.UUID]time.Time, error) {
	rows, err := s.pool.Query(ctx, `SELECT asset_id, max(latest_at) FROM sensor_states
		WHERE tenant_id = $1 AND asset_id = ANY($2) AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3)) GROUP BY 1`,
		tenancy.Must(ctx).TenantID, assets, list(sites(ctx)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[id.UUID]time.Time, len(assets))
	for rows.Next() {
		var of id.UUID
		var at time.Time
		if err := rows.Scan(&of, &at); err != nil {
			return nil, err
		}
		out[of] = at.UTC()
	}
	return out, rows.Err()
}
