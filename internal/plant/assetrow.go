package plant

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"foresight/ent"
	"foresight/ent/enum"
)

// Seen is the event time of the newest reading of a machine; zero when there is none.
type Seen = time.Time

// assetRow is a row of the statement of Assets.
type assetRow struct {
	asset        ent.Asset
	rank         int64 // what the list is ordered by, when that is no column
	score        *float64
	status       *enum.HealthStatus
	method       *string
	calculatedAt *time.Time
	active       int
	worst        int64
	seen         *time.Time
}

// targets is where the columns of a row go: those of the machine in the order of
// asset.Columns, what the list is ordered by, then what was asked for beside.
func (r *assetRow) targets(into []any, ranked bool, with Beside) []any {
	e := &r.asset
	into = append(into, &e.ID, &e.TenantID, &e.IsActive, &e.CreatedAt, &e.CreatedBy, &e.UpdatedAt, &e.UpdatedBy, &e.Version,
		&e.IsDeleted, &e.DeletedAt, &e.DeletedBy, &e.SiteID, &e.GatewayID, &e.ParentID, &e.AssetCode, &e.Name, &e.AssetType,
		&e.Criticality, &e.Manufacturer, &e.Model, &e.SerialNumber, &e.InstalledOn, &e.Location, &e.ImagePath,
		&e.IsoMachineGroup, &e.IsoSupportType, &e.RatedPowerKw, &e.ReplacementCost, &e.DowntimeCostPerHour, &e.ExternalRef)
	if ranked {
		into = append(into, &r.rank)
	}
	if with.Health {
		into = append(into, &r.score, &r.status, &r.method, &r.calculatedAt)
	}
	if with.Alarms {
		into = append(into, &r.active, &r.worst)
	}
	if with.Seen {
		into = append(into, &r.seen)
	}
	return into
}

func (r *assetRow) neighbour() Neighbour {
	n := Neighbour{Asset: &r.asset, Alarms: AlarmLoad{r.active, severities[r.worst]}}
	if r.score != nil {
		n.Health = &Health{*r.score, *r.status, *r.method, *r.calculatedAt}
	}
	if r.seen != nil {
		n.Seen = r.seen.UTC()
	}
	return n
}

// assetRows reads the machines that the selector selects, with what stands beside
// them. The selector is a subquery, so that the rest is looked up for its rows alone.
func (s *Service) assetRows(ctx context.Context, q *sql.Selector, order string, ranked bool, limit int, with Beside) ([]assetRow, error) {
	inner, args := q.Query()
	columns, joins := "p.*", ""
	beside := func(wanted bool, name, list, lookup string) {
		if wanted {
			columns += ", " + list
			joins += " LEFT JOIN LATERAL (" + lookup + ") AS " + name + " ON true"
		}
	}
	beside(with.Health, "h", "h.health_score, h.health_status, h.method, h.calculated_at",
		`SELECT * FROM asset_health WHERE tenant_id = p.tenant_id AND asset_id = p.id ORDER BY calculated_at DESC LIMIT 1`)
	beside(with.Alarms, "l", "l.active, l.worst", `SELECT count(*) AS active, coalesce(max(`+rankOf("severity")+`), 0) AS worst FROM alarm_events
		WHERE tenant_id = p.tenant_id AND asset_id = p.id AND status IN ('open', 'acknowledged', 'cleared')`)
	beside(with.Seen, "n", "n.seen", `SELECT max(latest_at) AS seen FROM sensor_states WHERE tenant_id = p.tenant_id AND asset_id = p.id`)

	rows, err := s.pool.Query(ctx, strings.Join([]string{"SELECT", columns, "FROM (" + inner + ") AS p", joins, "ORDER BY", order}, " "), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	read := make([]assetRow, 0, limit)
	into := make([]any, 0, 40)
	for rows.Next() {
		read = append(read, assetRow{})
		into = read[len(read)-1].targets(into[:0], ranked, with)
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
	}
	return read, rows.Err()
}
