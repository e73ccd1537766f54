package plant

import (
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/ent/gateway"
	"foresight/ent/parameter"
	"foresight/ent/predicate"
	"foresight/ent/sensor"
	"foresight/ent/site"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// SiteFilter narrows a list of sites; nil fields do not.
type SiteFilter struct {
	Search   *string // within code, name and location, without regard to case
	IsActive *bool
}

// Sites lists the sites by code, or by name.
func (s *Service) Sites(ctx context.Context, a page.Args, f SiteFilter, by Order, desc bool) (page.Page[*ent.Site], error) {
	order, key := ordered(by, desc, site.FieldSiteCode, site.FieldName,
		func(e *ent.Site) row { return row{e.SiteCode, e.Name, e.CreatedAt, e.ID} })
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, order)
	if err != nil {
		return page.Page[*ent.Site]{}, err
	}
	q := s.ent.Site.Query()
	if f.Search != nil && *f.Search != "" {
		q.Where(site.Or(site.SiteCodeContainsFold(*f.Search), site.NameContainsFold(*f.Search), site.LocationContainsFold(*f.Search)))
	}
	if f.IsActive != nil {
		q.Where(site.IsActive(*f.IsActive))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), key)
}

// GatewayFilter narrows a list of gateways; nil fields do not.
type GatewayFilter struct {
	Search   *string // within the code, without regard to case
	Site     *id.UUID
	IsOnline *bool
	IsActive *bool
}

// Gateways lists the gateways by code.
func (s *Service) Gateways(ctx context.Context, a page.Args, f GatewayFilter, by Order, desc bool) (page.Page[*ent.Gateway], error) {
	order, key := ordered(by, desc, gateway.FieldGatewayCode, gateway.FieldGatewayCode,
		func(e *ent.Gateway) row { return row{e.GatewayCode, e.GatewayCode, e.CreatedAt, e.ID} })
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, order)
	if err != nil {
		return page.Page[*ent.Gateway]{}, err
	}
	q := s.ent.Gateway.Query()
	if f.Search != nil && *f.Search != "" {
		q.Where(gateway.GatewayCodeContainsFold(*f.Search))
	}
	if f.Site != nil {
		q.Where(gateway.SiteID(*f.Site))
	}
	if f.IsActive != nil {
		q.Where(gateway.IsActive(*f.IsActive))
	}
	if f.IsOnline != nil {
		q.Where(predicate.Gateway(online(*f.IsOnline, "gateway_states", "gateway_id")))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), key)
}

// SensorFilter narrows a list of sensors; nil fields do not.
type SensorFilter struct {
	Search               *string // within code and mount location, without regard to case
	Types                []enum.SensorType
	Site, Asset, Gateway *id.UUID
	IsOnline             *bool
	IsActive             *bool
}

// Sensors lists the sensors by code.
func (s *Service) Sensors(ctx context.Context, a page.Args, f SensorFilter, by Order, desc bool) (page.Page[*ent.Sensor], error) {
	order, key := ordered(by, desc, sensor.FieldSensorCode, sensor.FieldSensorCode,
		func(e *ent.Sensor) row { return row{e.SensorCode, e.SensorCode, e.CreatedAt, e.ID} })
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, order)
	if err != nil {
		return page.Page[*ent.Sensor]{}, err
	}
	for _, t := range f.Types {
		if !slices.Contains(t.Values(), string(t)) {
			return page.Page[*ent.Sensor]{}, fault.Invalid("filter.types", "error.sensor.type")
		}
	}
	q := s.ent.Sensor.Query()
	if f.Search != nil && *f.Search != "" {
		q.Where(sensor.Or(sensor.SensorCodeContainsFold(*f.Search), sensor.MountLocationContainsFold(*f.Search)))
	}
	if len(f.Types) > 0 {
		q.Where(sensor.SensorTypeIn(f.Types...))
	}
	if f.Asset != nil {
		q.Where(sensor.AssetID(*f.Asset))
	}
	if f.Gateway != nil {
		q.Where(sensor.GatewayID(*f.Gateway))
	}
	if f.Site != nil {
		q.Where(sensor.HasAssetWith(asset.SiteID(*f.Site)))
	}
	if f.IsActive != nil {
		q.Where(sensor.IsActive(*f.IsActive))
	}
	if f.IsOnline != nil {
		q.Where(predicate.Sensor(online(*f.IsOnline, "sensor_states", "sensor_id")))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), key)
}

// online matches rows whose state says that they are online, or not.
func online(is bool, states, column string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			if !is {
				b.WriteString("NOT ")
			}
			b.WriteString("EXISTS (SELECT FROM " + states + " AS st WHERE st.tenant_id = " + s.C("tenant_id") +
				" AND st." + column + " = " + s.C("id") + " AND st.is_online)")
		}))
	}
}

// Order is what the lists of sites, gateways and sensors can be ordered by.
type Order string

// The orders.
const (
	OrderCode    Order = "code"
	OrderName    Order = "name"
	OrderCreated Order = "created_at"
)

// row is what rows are ordered by.
type row struct {
	code, name string
	created    time.Time
	id         id.UUID
}

func ordered[E any](by Order, desc bool, code, name string, of func(*E) row) (keyset.Order, func(*E) page.Key) {
	switch by {
	case OrderName:
		return keyset.ByText(name).Directed(desc), func(e *E) page.Key { return keyset.Key(of(e).name, of(e).id) }
	case OrderCreated:
		order := keyset.Order{{Name: "created_at", Type: keyset.Time}, {Name: "id", Type: keyset.UUID}}
		return order.Directed(desc), func(e *E) page.Key { return keyset.Key(of(e).created, of(e).id) }
	}
	return keyset.ByText(code).Directed(desc), func(e *E) page.Key { return keyset.Key(of(e).code, of(e).id) }
}

// ParameterFilter narrows the catalogue; nil fields do not.
type ParameterFilter struct {
	Search    *string // within the name, without regard to case
	IsBuiltIn *bool
}

// Parameters lists the catalogue by name, built-in and own.
func (s *Service) Parameters(ctx context.Context, a page.Args, f ParameterFilter) (page.Page[*ent.Parameter], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, keyset.ByText(parameter.FieldName))
	if err != nil {
		return page.Page[*ent.Parameter]{}, err
	}
	q := s.ent.Parameter.Query()
	if f.Search != nil && *f.Search != "" {
		q.Where(parameter.NameContainsFold(*f.Search))
	}
	if f.IsBuiltIn != nil {
		if *f.IsBuiltIn {
			q.Where(parameter.TenantIDIsNil())
		} else {
			q.Where(parameter.TenantIDNotNil())
		}
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Parameter) page.Key { return keyset.Key(e.Name, e.ID) })
}
