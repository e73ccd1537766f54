package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent/settings"
	"foresight/ingestion/decode"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// The queries take a condition on the tenant, so that the planner sees either all
// rows or one tenant's. Deleted rows are as if they were not there.
const (
	tenantsSQL = `
SELECT t.id, t.code, t.is_active, t.settings
FROM tenants t
WHERE NOT t.is_deleted %s`

	parametersSQL = `
SELECT t.tenant_id, t.name, t.unit, t.min_plausible, t.max_plausible, t.higher_is_worse
FROM parameters t
WHERE t.is_active %s
ORDER BY t.tenant_id NULLS FIRST, t.name`

	gatewaysSQL = `
SELECT t.tenant_id, t.id, t.site_id, t.gateway_code, coalesce(t.mqtt_username, ''), t.version, t.is_active AND s.is_active
FROM gateways t
JOIN sites s ON s.tenant_id = t.tenant_id AND s.id = t.site_id AND NOT s.is_deleted
WHERE NOT t.is_deleted %s`

	sensorsSQL = `
SELECT t.tenant_id, s.id, a.id, t.id, t.sensor_code, s.site_code, a.asset_type, coalesce(t.mqtt_topic, ''),
       t.is_active AND a.is_active AND s.is_active
FROM sensors t
JOIN assets a ON a.tenant_id = t.tenant_id AND a.id = t.asset_id AND NOT a.is_deleted
JOIN sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id AND NOT s.is_deleted
WHERE NOT t.is_deleted %s`
)

// Limits are what a tenant has whose settings do not say otherwise, and the most
// that its settings can give it.
type Limits struct {
	Retention time.Duration
	Rate      float64 // messages per second
	Burst     int
}

// loader reads tenants in one repeatable-read transaction, so that the tables agree.
type loader struct {
	limits  Limits
	builtin []telemetry.Parameter
	own     map[id.UUID][]telemetry.Parameter
	tenants map[id.UUID]*Tenant
	texts   map[string]string // one copy of texts that occur on many sensors
}

// load reads all tenants, or only one when it is not nil.
func load(ctx context.Context, pool *pgxpool.Pool, limits Limits, only id.UUID) ([]*Tenant, error) {
	l := loader{
		limits: limits, own: map[id.UUID][]telemetry.Parameter{},
		tenants: map[id.UUID]*Tenant{}, texts: map[string]string{},
	}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		for _, q := range []struct {
			what, sql, where string
			scan             func(pgx.Rows) error
		}{
			{"tenants", tenantsSQL, "AND t.id = $1", l.tenant},
			{"parameters", parametersSQL, "AND (t.tenant_id IS NULL OR t.tenant_id = $1)", l.parameter},
			{"gateways", gatewaysSQL, "AND t.tenant_id = $1", l.gateway},
			{"sensors", sensorsSQL, "AND t.tenant_id = $1", l.sensor},
		} {
			args := []any{only}
			if only == id.Nil {
				q.where, args = "", nil
			}
			if err := each(ctx, tx, fmt.Sprintf(q.sql, q.where), args, q.scan); err != nil {
				return fmt.Errorf("read %s: %w", q.what, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	return l.finish(), nil
}

func each(ctx context.Context, tx pgx.Tx, sql string, args []any, scan func(pgx.Rows) error) error {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (l *loader) tenant(rows pgx.Rows) error {
	t := &Tenant{
		byID: map[id.UUID]*Sensor{}, byCode: map[string]*Sensor{}, byTopic: map[string]*Sensor{}, gateways: map[string]*Gateway{},
		Retention: l.limits.Retention, Rate: l.limits.Rate, Burst: l.limits.Burst,
	}
	var document []byte
	if err := rows.Scan(&t.ID, &t.Code, &t.Active, &document); err != nil {
		return err
	}
	var s settings.Tenant
	if err := json.Unmarshal(document, &s); err != nil {
		return fmt.Errorf("settings of tenant %s: %w", t.Code, err)
	}
	if d := time.Duration(s.RawRetentionDays) * 24 * time.Hour; d > 0 {
		t.Retention = min(t.Retention, d)
	}
	if s.MessagesPerSecond > 0 {
		t.Rate = min(t.Rate, s.MessagesPerSecond)
	}
	if s.MessageBurst > 0 {
		t.Burst = min(t.Burst, s.MessageBurst)
	}
	l.tenants[t.ID] = t
	return nil
}

func (l *loader) parameter(rows pgx.Rows) error {
	var (
		tenant *id.UUID
		p      telemetry.Parameter
		lo, hi *float64
	)
	if err := rows.Scan(&tenant, &p.Name, &p.Unit, &lo, &hi, &p.HigherIsWorse); err != nil {
		return err
	}
	p.Min, p.Max = math.Inf(-1), math.Inf(1)
	if lo != nil {
		p.Min = *lo
	}
	if hi != nil {
		p.Max = *hi
	}
	if tenant == nil {
		l.builtin = append(l.builtin, p)
	} else {
		l.own[*tenant] = append(l.own[*tenant], p)
	}
	return nil
}

func (l *loader) gateway(rows pgx.Rows) error {
	g := &Gateway{}
	if err := rows.Scan(&g.Tenant, &g.ID, &g.Site, &g.Code, &g.Username, &g.Version, &g.Active); err != nil {
		return err
	}
	if t, ok := l.tenants[g.Tenant]; ok {
		g.Active = g.Active && t.Active
		t.gateways[g.Code] = g
	}
	return nil
}

func (l *loader) sensor(rows pgx.Rows) error {
	s := &Sensor{}
	if err := rows.Scan(&s.Tenant, &s.Site, &s.Asset, &s.Sensor, &s.Code, &s.SiteCode, &s.AssetType, &s.Topic, &s.Active); err != nil {
		return err
	}
	t, ok := l.tenants[s.Tenant]
	if !ok {
		return nil
	}
	s.SiteCode, s.AssetType = l.intern(s.SiteCode), l.intern(s.AssetType)
	t.byID[s.Key.Sensor] = s
	t.byCode[s.Code] = s
	if s.Topic != "" {
		t.byTopic[s.Topic] = s
	}
	return nil
}

func (l *loader) intern(s string) string {
	if one, ok := l.texts[s]; ok {
		return one
	}
	l.texts[s] = s
	return s
}

// finish gives every tenant its catalogue; those without parameters of their own share one.
func (l *loader) finish() []*Tenant {
	common := decode.NewCatalogue(l.builtin...)
	out := make([]*Tenant, 0, len(l.tenants))
	for _, t := range l.tenants {
		t.Catalogue = common
		if own := l.own[t.ID]; len(own) > 0 {
			t.Catalogue = decode.NewCatalogue(append(l.builtin[:len(l.builtin):len(l.builtin)], own...)...)
		}
		out = append(out, t)
	}
	return out
}
