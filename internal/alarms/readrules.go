package alarms

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/rules"
)

// A rule of an inactive or deleted tenant judges nothing.
const activeRules = `
SELECT r.tenant_id, r.id, r.version, r.name, r.site_id, r.asset_type, r.asset_id, r.sensor_id, r.parameter, r.operator,
	r.threshold, r.fault_codes, r.only_in_distribution, r.severity, r.deadband, r.on_delay_sec, r.off_delay_sec,
	r.min_consecutive, r.latching
FROM alarm_rules r JOIN tenants t ON t.id = r.tenant_id AND t.is_active AND NOT t.is_deleted
WHERE r.is_active AND NOT r.is_deleted AND ($1::uuid[] IS NULL OR r.tenant_id = ANY ($1))`

// readRules reads the active rules by tenant, of all tenants when only is nil.
func readRules(ctx context.Context, pool *pgxpool.Pool, only []id.UUID) (map[id.UUID][]*rules.Rule, error) {
	rows, err := pool.Query(ctx, activeRules, only)
	if err != nil {
		return nil, fmt.Errorf("alarms: read rules: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanRule)
	if err != nil {
		return nil, fmt.Errorf("alarms: read rules: %w", err)
	}
	out := map[id.UUID][]*rules.Rule{}
	for _, r := range found {
		out[r.Tenant] = append(out[r.Tenant], r)
	}
	return out, nil
}

func scanRule(row pgx.CollectableRow) (*rules.Rule, error) {
	var r rules.Rule
	var site, asset, sensor *id.UUID
	var kind *string
	var on, off int
	err := row.Scan(&r.Tenant, &r.ID, &r.Version, &r.Name, &site, &kind, &asset, &sensor, &r.Parameter, &r.Operator,
		&r.Threshold, &r.FaultCodes, &r.OnlyInDistribution, &r.Severity, &r.Deadband, &on, &off,
		&r.MinConsecutive, &r.Latching)
	r.Scope = rules.Scope{Site: deref(site), AssetType: deref(kind), Asset: deref(asset), Sensor: deref(sensor)}
	r.OnDelay, r.OffDelay = time.Duration(on)*time.Second, time.Duration(off)*time.Second
	return &r, err
}

// deref returns what p points at, the zero value for nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
