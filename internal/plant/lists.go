package plant

import (
	"context"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/gateway"
	"foresight/ent/parameter"
	"foresight/ent/sensor"
	"foresight/ent/site"
	"foresight/ent/user"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Sites lists the sites by code.
func (s *Service) Sites(ctx context.Context, a page.Args) (page.Page[*ent.Site], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, keyset.ByText(site.FieldSiteCode))
	if err != nil {
		return page.Page[*ent.Site]{}, err
	}
	q := s.ent.Site.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Site) page.Key { return keyset.Key(e.SiteCode, e.ID) })
}

// Gateways lists the gateways by code; a nil site does not limit.
func (s *Service) Gateways(ctx context.Context, a page.Args, at *id.UUID) (page.Page[*ent.Gateway], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, keyset.ByText(gateway.FieldGatewayCode))
	if err != nil {
		return page.Page[*ent.Gateway]{}, err
	}
	q := s.ent.Gateway.Query()
	if at != nil {
		q.Where(gateway.SiteID(*at))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Gateway) page.Key { return keyset.Key(e.GatewayCode, e.ID) })
}

// SensorFilter narrows a list of sensors; nil fields do not.
type SensorFilter struct {
	Search      *string // within the code, without regard to case
	Site, Asset *id.UUID
}

// Sensors lists the sensors by code.
func (s *Service) Sensors(ctx context.Context, a page.Args, f SensorFilter) (page.Page[*ent.Sensor], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, keyset.ByText(sensor.FieldSensorCode))
	if err != nil {
		return page.Page[*ent.Sensor]{}, err
	}
	q := s.ent.Sensor.Query()
	if f.Search != nil {
		q.Where(sensor.SensorCodeContainsFold(*f.Search))
	}
	if f.Asset != nil {
		q.Where(sensor.AssetID(*f.Asset))
	}
	if f.Site != nil {
		q.Where(sensor.HasAssetWith(asset.SiteID(*f.Site)))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Sensor) page.Key { return keyset.Key(e.SensorCode, e.ID) })
}

// Parameters lists the catalogue by name, built-in and own.
func (s *Service) Parameters(ctx context.Context, a page.Args) (page.Page[*ent.Parameter], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, keyset.ByText(parameter.FieldName))
	if err != nil {
		return page.Page[*ent.Parameter]{}, err
	}
	q := s.ent.Parameter.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Parameter) page.Key { return keyset.Key(e.Name, e.ID) })
}

// Users lists the people of the tenant by username.
func (s *Service) Users(ctx context.Context, a page.Args) (page.Page[*ent.User], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.UsersRead, a, keyset.ByText(user.FieldUsername))
	if err != nil {
		return page.Page[*ent.User]{}, err
	}
	q := s.ent.User.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.User) page.Key { return keyset.Key(e.Username, e.ID) })
}
