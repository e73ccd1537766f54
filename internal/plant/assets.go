package plant

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/ent/predicate"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// AssetFilter narrows a list of assets; zero fields do not.
type AssetFilter struct {
	Search                *string // within code, name, maker, serial number, location, without regard to case
	Types                 []enum.AssetType
	Criticalities         []enum.Criticality
	Site, Gateway, Parent *id.UUID
	IsRoot                *bool // is no part of another
	IsActive              *bool // is in use
	IsOnline              *bool // a sensor of it is online
	HasActiveAlarm        *bool
	Health                []enum.HealthStatus // by the newest score
	Risks                 []enum.RiskLevel    // by the newest prediction of failure
}

// AssetOrder is what assets can be ordered by.
type AssetOrder string

// The orders.
const (
	ByCode        AssetOrder = "code"
	ByName        AssetOrder = "name"
	ByCriticality AssetOrder = "criticality"
	ByAlarms      AssetOrder = "alarms" // severity of the worst active alarm, then their number
	ByCreation    AssetOrder = "created_at"
)

const (
	alarmScore      = "alarm_score"
	criticalityRank = "criticality_rank"
)

// allowed checks what a filter and an order tell: those by alarms need the
// permission to read them.
func (f AssetFilter) allowed(ctx context.Context, by AssetOrder) error {
	if f.HasActiveAlarm != nil || by == ByAlarms {
		return tenancy.Require(ctx, tenancy.AlarmsRead)
	}
	return nil
}

// Asset returns one machine by id or, when that is nil, by code.
func (s *Service) Asset(ctx context.Context, by *id.UUID, code *string) (*ent.Asset, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return nil, err
	}
	q := s.ent.Asset.Query()
	switch {
	case by != nil && code == nil:
		q.Where(asset.ID(*by))
	case code != nil && by == nil:
		q.Where(asset.AssetCode(*code))
	default:
		return nil, fault.New(fault.BadInput, "error.asset.idOrCode")
	}
	e, err := q.Only(ctx)
	return e, missing(err, "Asset")
}

func (f AssetFilter) predicates() []predicate.Asset {
	var ps []predicate.Asset
	if f.Search != nil && *f.Search != "" {
		ps = append(ps, asset.Or(asset.AssetCodeContainsFold(*f.Search), asset.NameContainsFold(*f.Search),
			asset.ManufacturerContainsFold(*f.Search), asset.SerialNumberContainsFold(*f.Search), asset.LocationContainsFold(*f.Search)))
	}
	if len(f.Types) > 0 {
		ps = append(ps, asset.AssetTypeIn(f.Types...))
	}
	if len(f.Criticalities) > 0 {
		ps = append(ps, asset.CriticalityIn(f.Criticalities...))
	}
	if f.Site != nil {
		ps = append(ps, asset.SiteID(*f.Site))
	}
	if f.Gateway != nil {
		ps = append(ps, asset.GatewayID(*f.Gateway))
	}
	if f.Parent != nil {
		ps = append(ps, asset.ParentID(*f.Parent))
	}
	if f.IsRoot != nil {
		ps = append(ps, either(*f.IsRoot, asset.ParentIDIsNil()))
	}
	if f.IsActive != nil {
		ps = append(ps, asset.IsActive(*f.IsActive))
	}
	return append(ps, f.states()...)
}

// states are the predicates about tables beside the plant's. The tenant stands in
// each as the first column of the index that it uses.
func (f AssetFilter) states() []predicate.Asset {
	var ps []predicate.Asset
	if f.IsOnline != nil {
		ps = append(ps, online(*f.IsOnline, "sensor_states", "asset_id"))
	}
	if f.HasActiveAlarm != nil {
		ps = append(ps, either(*f.HasActiveAlarm, where(func(s *sql.Selector, b *sql.Builder) { b.WriteString("EXISTS " + activeAlarms(s, "1")) })))
	}
	if len(f.Health) > 0 {
		ps = append(ps, where(func(s *sql.Selector, b *sql.Builder) {
			b.WriteString(newestOf(s, "health_status", "asset_health", "calculated_at")).WriteString(" IN (").Args(anys(f.Health)...).WriteString(")")
		}))
	}
	if len(f.Risks) > 0 {
		ps = append(ps, where(func(s *sql.Selector, b *sql.Builder) {
			b.WriteString(newestOf(s, "risk_level", "failure_predictions", "predicted_at")).WriteString(" IN (").Args(anys(f.Risks)...).WriteString(")")
		}))
	}
	return ps
}

func where(write func(*sql.Selector, *sql.Builder)) predicate.Asset {
	return func(s *sql.Selector) { s.Where(sql.P(func(b *sql.Builder) { write(s, b) })) }
}

// either is the predicate, or what it leaves out.
func either(is bool, p predicate.Asset) predicate.Asset {
	if is {
		return p
	}
	return asset.Not(p)
}

// newestOf is a subquery for a column of the newest row of the selected asset.
func newestOf(s *sql.Selector, column, table, at string) string {
	return "(SELECT nw." + column + " FROM " + table + " AS nw WHERE nw.tenant_id = " + s.C("tenant_id") +
		" AND nw.asset_id = " + s.C("id") + " ORDER BY nw." + at + " DESC LIMIT 1)"
}

// activeAlarms is a subquery over the active alarms of the selected asset. The
// tenant stands in it as the first column of the index that it uses.
func activeAlarms(s *sql.Selector, what string) string {
	return "(SELECT " + what + " FROM alarm_events AS ae WHERE ae.tenant_id = " + s.C("tenant_id") +
		" AND ae.asset_id = " + s.C("id") + " AND ae.status IN ('open', 'acknowledged', 'cleared'))"
}

// assetOrder returns the order and the key of a machine in it. Where the order is by
// something computed, the key is made of its value.
func assetOrder(by AssetOrder) (keyset.Order, func(e *ent.Asset, computed int64) page.Key) {
	last := keyset.Term{Name: "id", Type: keyset.UUID}
	switch by {
	case ByName:
		return keyset.Order{{Name: asset.FieldName}, last}, func(e *ent.Asset, _ int64) page.Key { return keyset.Key(e.Name, e.ID) }
	case ByCreation:
		return keyset.Order{{Name: asset.FieldCreatedAt, Type: keyset.Time}, last},
			func(e *ent.Asset, _ int64) page.Key { return keyset.Key(e.CreatedAt, e.ID) }
	case ByCriticality:
		rank := func(s *sql.Selector) string { return rankOf(s.C(asset.FieldCriticality)) }
		return keyset.Order{{Name: criticalityRank, Expr: rank, Type: keyset.Int}, last}, byComputed
	case ByAlarms:
		score := func(s *sql.Selector) string {
			return "coalesce(" + activeAlarms(s, "max("+rankOf("ae.severity")+") * 100000 + least(count(*), 99999)") + ", 0)"
		}
		return keyset.Order{{Name: alarmScore, Expr: score, Type: keyset.Int}, last}, byComputed
	}
	return keyset.ByText(asset.FieldAssetCode), func(e *ent.Asset, _ int64) page.Key { return keyset.Key(e.AssetCode, e.ID) }
}

func byComputed(e *ent.Asset, computed int64) page.Key { return keyset.Key(computed, e.ID) }

func anys[T any](vs []T) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// rankOf turns low, medium, high, critical into 1-4.
func rankOf(column string) string {
	return "(CASE " + column + " WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 WHEN 'critical' THEN 4 ELSE 0 END)::bigint"
}
