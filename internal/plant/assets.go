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

// Assets lists machines. Filter and order by alarms need the permission to read those.
func (s *Service) Assets(ctx context.Context, a page.Args, f AssetFilter, by AssetOrder, desc bool) (page.Page[*ent.Asset], error) {
	if f.HasActiveAlarm != nil || by == ByAlarms {
		if err := tenancy.Require(ctx, tenancy.AlarmsRead); err != nil {
			return page.Page[*ent.Asset]{}, err
		}
	}
	order, key := assetOrder(by)
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, order.Directed(desc))
	if err != nil {
		return page.Page[*ent.Asset]{}, err
	}
	q := s.ent.Asset.Query().Where(f.predicates()...)
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), key)
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
		ps = append(ps, either(*f.IsOnline, where(func(s *sql.Selector, b *sql.Builder) {
			b.WriteString("EXISTS (SELECT FROM sensor_states AS st WHERE st.tenant_id = " + s.C("tenant_id") + " AND st.asset_id = " + s.C("id") + " AND st.is_online)")
		})))
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

func anys[T ~string](vs []T) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}

// activeAlarms is a subquery over the active alarms of the selected asset. The
// tenant stands in it as the first column of the index that it uses.
func activeAlarms(s *sql.Selector, what string) string {
	return "(SELECT " + what + " FROM alarm_events AS ae WHERE ae.tenant_id = " + s.C("tenant_id") +
		" AND ae.asset_id = " + s.C("id") + " AND ae.status IN ('open', 'acknowledged', 'cleared'))"
}

func assetOrder(by AssetOrder) (keyset.Order, func(*ent.Asset) page.Key) {
	last := keyset.Term{Name: "id", Type: keyset.UUID}
	switch by {
	case ByName:
		return keyset.Order{{Name: asset.FieldName}, last}, func(e *ent.Asset) page.Key { return keyset.Key(e.Name, e.ID) }
	case ByCreation:
		return keyset.Order{{Name: asset.FieldCreatedAt, Type: keyset.Time}, last},
			func(e *ent.Asset) page.Key { return keyset.Key(e.CreatedAt, e.ID) }
	case ByCriticality:
		rank := func(s *sql.Selector) string { return rankOf(s.C(asset.FieldCriticality)) }
		return keyset.Order{{Name: criticalityRank, Expr: rank, Type: keyset.Int}, last}, computed(criticalityRank)
	case ByAlarms:
		score := func(s *sql.Selector) string {
			return "coalesce(" + activeAlarms(s, "max("+rankOf("ae.severity")+") * 100000 + least(count(*), 99999)") + ", 0)"
		}
		return keyset.Order{{Name: alarmScore, Expr: score, Type: keyset.Int}, last}, computed(alarmScore)
	}
	return keyset.ByText(asset.FieldAssetCode), func(e *ent.Asset) page.Key { return keyset.Key(e.AssetCode, e.ID) }
}

func computed(column string) func(*ent.Asset) page.Key {
	return func(e *ent.Asset) page.Key {
		v, err := e.Value(column)
		if err != nil {
			panic("plant: " + column + " was not selected")
		}
		n, ok := v.(int64)
		if !ok {
			panic("plant: " + column + " is no whole number")
		}
		return keyset.Key(n, e.ID)
	}
}

// rankOf turns low, medium, high, critical into 1-4.
func rankOf(column string) string {
	return "(CASE " + column + " WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 WHEN 'critical' THEN 4 ELSE 0 END)::bigint"
}
