package plant

import (
	"context"
	"strings"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/ent/gateway"
	"foresight/ent/mixin"
	"foresight/ent/parameter"
	"foresight/ent/sensor"
	"foresight/ent/site"
	"foresight/ent/user"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/tenancy"
)

// SitesByID loads sites in one statement; ids that are not there are absent. It is
// written by hand, as almost every list shows the sites of its items.
func (s *Service) SitesByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Site, error) {
	rows, err := s.pool.Query(ctx, selectSites, tenancy.Must(ctx).TenantID, ids, list(sites(ctx)), mixin.SeesDeleted(ctx))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[id.UUID]*ent.Site, len(ids))
	for rows.Next() {
		e := &ent.Site{}
		if err := rows.Scan(&e.ID, &e.TenantID, &e.IsActive, &e.CreatedAt, &e.CreatedBy, &e.UpdatedAt, &e.UpdatedBy, &e.Version,
			&e.IsDeleted, &e.DeletedAt, &e.DeletedBy, &e.SiteCode, &e.Name, &e.Location, &e.Latitude, &e.Longitude, &e.TimeZone); err != nil {
			return nil, err
		}
		out[e.ID] = e
	}
	return out, rows.Err()
}

var selectSites = `SELECT ` + strings.Join(site.Columns, ", ") + ` FROM sites
	WHERE tenant_id = $1 AND id = ANY($2) AND (NOT is_deleted OR $4) AND (cardinality($3::uuid[]) = 0 OR id = ANY($3))`

// GatewaysByID loads gateways in one statement.
func (s *Service) GatewaysByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Gateway, error) {
	rows, err := s.ent.Gateway.Query().Where(gateway.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Gateway) id.UUID { return e.ID })
}

// AssetsByID loads assets in one statement.
func (s *Service) AssetsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Asset, error) {
	rows, err := s.ent.Asset.Query().Where(asset.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Asset) id.UUID { return e.ID })
}

// SensorsByID loads sensors in one statement.
func (s *Service) SensorsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Sensor, error) {
	rows, err := s.ent.Sensor.Query().Where(sensor.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Sensor) id.UUID { return e.ID })
}

// ParametersByID loads parameters in one statement.
func (s *Service) ParametersByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Parameter, error) {
	rows, err := s.ent.Parameter.Query().Where(parameter.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Parameter) id.UUID { return e.ID })
}

// UsersByID loads people in one statement. Deleted ones are among them: history
// must still name who acted.
func (s *Service) UsersByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.User, error) {
	rows, err := s.ent.User.Query().Where(user.IDIn(ids...)).All(mixin.WithDeleted(ctx))
	return keyset.ByID(rows, err, func(e *ent.User) id.UUID { return e.ID })
}

// SensorsOf loads the sensors of assets, by code.
func (s *Service) SensorsOf(ctx context.Context, assets []id.UUID) (map[id.UUID][]*ent.Sensor, error) {
	rows, err := s.ent.Sensor.Query().Where(sensor.AssetIDIn(assets...)).Order(sensor.BySensorCode()).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[id.UUID][]*ent.Sensor, len(assets))
	for _, r := range rows {
		out[r.AssetID] = append(out[r.AssetID], r)
	}
	return out, nil
}

// AlarmLoad is how many active alarms something has and how bad the worst is.
type AlarmLoad struct {
	Active int
	Worst  enum.Severity // "" when there is none
}

// AlarmLoadOfAssets counts the active alarms of assets.
func (s *Service) AlarmLoadOfAssets(ctx context.Context, assets []id.UUID) (map[id.UUID]AlarmLoad, error) {
	return s.alarmLoad(ctx, "asset_id", assets)
}

// AlarmLoadOfSites counts the active alarms of sites.
func (s *Service) AlarmLoadOfSites(ctx context.Context, at []id.UUID) (map[id.UUID]AlarmLoad, error) {
	return s.alarmLoad(ctx, "site_id", at)
}

func (s *Service) alarmLoad(ctx context.Context, column string, ids []id.UUID) (map[id.UUID]AlarmLoad, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+column+`, count(*), max(`+rankOf("severity")+`)
		FROM alarm_events
		WHERE tenant_id = $1 AND `+column+` = ANY($2) AND status IN ('open', 'acknowledged', 'cleared')
			AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3))
		GROUP BY 1`, tenancy.Must(ctx).TenantID, ids, list(sites(ctx)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[id.UUID]AlarmLoad, len(ids))
	for rows.Next() {
		var of id.UUID
		var n int
		var rank int64
		if err := rows.Scan(&of, &n, &rank); err != nil {
			return nil, err
		}
		out[of] = AlarmLoad{n, severities[rank]}
	}
	return out, rows.Err()
}

// severities by rank.
var severities = [...]enum.Severity{"", enum.SeverityLow, enum.SeverityMedium, enum.SeverityHigh, enum.SeverityCritical}

// AssetCounts counts the assets of sites.
func (s *Service) AssetCounts(ctx context.Context, at []id.UUID) (map[id.UUID]int, error) {
	var rows []struct {
		SiteID id.UUID `json:"site_id"`
		Count  int     `json:"count"`
	}
	if err := s.ent.Asset.Query().Where(asset.SiteIDIn(at...)).GroupBy(asset.FieldSiteID).Aggregate(ent.Count()).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := make(map[id.UUID]int, len(rows))
	for _, r := range rows {
		out[r.SiteID] = r.Count
	}
	return out, nil
}

// list is never nil, so that it is an empty array in SQL and not a null.
func list(ids []id.UUID) []id.UUID {
	if ids == nil {
		return []id.UUID{}
	}
	return ids
}
