package resolver

import (
	"context"

	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// scope verifies a scope: at most one field is set, what it names exists for the
// actor, and the actor's sites limit it. A nil input is the whole tenant.
func (r *Resolver) scope(ctx context.Context, in *model.ScopeInput) (telemetry.Scope, error) {
	s := telemetry.Scope{Sites: siteLimit(ctx)}
	if in == nil {
		return s, nil
	}
	l := loader.New(r.Sources)
	set := 0
	for _, f := range []struct {
		id     *id.UUID
		target *id.UUID
		entity string
		exists func(id.UUID) (bool, error)
	}{
		{in.SiteID.Value(), &s.Site, "Site", func(u id.UUID) (bool, error) { _, ok, err := l.Site.Load(ctx, u); return ok, err }},
		{in.AssetID.Value(), &s.Asset, "Asset", func(u id.UUID) (bool, error) { _, ok, err := l.Asset.Load(ctx, u); return ok, err }},
		{in.SensorID.Value(), &s.Sensor, "Sensor", func(u id.UUID) (bool, error) { _, ok, err := l.Sensor.Load(ctx, u); return ok, err }},
	} {
		if f.id == nil {
			continue
		}
		set++
		ok, err := f.exists(*f.id)
		if err != nil {
			return s, err
		}
		if !ok {
			return s, fault.Missing(f.entity)
		}
		*f.target = *f.id
	}
	if set > 1 {
		return s, fault.New(fault.BadInput, "error.scope.one")
	}
	return s, nil
}

// siteLimit returns the actor's sites, nil for the whole tenant.
func siteLimit(ctx context.Context) []id.UUID {
	if a := tenancy.From(ctx); a != nil && len(a.SiteIDs) > 0 {
		return a.SiteIDs
	}
	return nil
}
