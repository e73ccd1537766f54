package plant

import (
	"context"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Dashboard is the fleet, or one site, at a glance.
type Dashboard struct {
	Assets         int
	Reporting      int // a sensor spoke within the last five minutes
	InAlarm        int // assets with an active alarm
	BySeverity     map[enum.Severity]int
	Unacknowledged int          // active alarms that nobody has seen
	Worst          []*ent.Asset // by their active alarms, at most ten
}

const worst = 10

// Dashboard sums up what the actor sees of plant and alarms; a nil site does not limit.
func (s *Service) Dashboard(ctx context.Context, at *id.UUID) (*Dashboard, error) {
	for _, p := range []tenancy.Permission{tenancy.PlantRead, tenancy.AlarmsRead} {
		if err := tenancy.Require(ctx, p); err != nil {
			return nil, err
		}
	}
	limit := list(sites(ctx))
	if at != nil {
		found, err := s.SitesByID(ctx, []id.UUID{*at})
		if err != nil {
			return nil, err
		}
		if found[*at] == nil {
			return nil, fault.Missing("Site")
		}
		limit = []id.UUID{*at}
	}
	d := &Dashboard{BySeverity: map[enum.Severity]int{}}
	err := s.pool.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE EXISTS (
			SELECT 1 FROM sensor_states st
			WHERE st.tenant_id = a.tenant_id AND st.asset_id = a.id AND st.last_seen_at > now() - interval '5 minutes'))
		FROM assets a
		WHERE a.tenant_id = $1 AND NOT a.is_deleted AND (cardinality($2::uuid[]) = 0 OR a.site_id = ANY($2))`,
		tenancy.Must(ctx).TenantID, limit).Scan(&d.Assets, &d.Reporting)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT severity, count(*), count(*) FILTER (WHERE status IN ('open', 'cleared'))
		FROM alarm_events
		WHERE tenant_id = $1 AND status IN ('open', 'acknowledged', 'cleared') AND (cardinality($2::uuid[]) = 0 OR site_id = ANY($2))
		GROUP BY 1`, tenancy.Must(ctx).TenantID, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var severity string
		var n, unseen int
		if err := rows.Scan(&severity, &n, &unseen); err != nil {
			return nil, err
		}
		d.BySeverity[enum.Severity(severity)] = n
		d.Unacknowledged += unseen
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	has, size := true, worst
	p, _, err := s.Assets(ctx, page.Args{First: &size, Total: true}, AssetFilter{Site: at, HasActiveAlarm: &has}, ByAlarms, true, Beside{})
	if err != nil {
		return nil, err
	}
	d.Worst, d.InAlarm = p.Items, p.Total
	return d, nil
}
