package resolver

import (
	"context"

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
	set := 0
	for _, f := range []struct {
		id     *id.UUID
		target *id.UUID
		entity string
		exists func() (bool, error)
	}{
		{in.SiteID.Value(), &s.Site, "Site", finder(ctx, in.SiteID.Value(), r.Plant.SitesByID)},
		{in.AssetID.Value(), &s.Asset, "Asset", finder(ctx, in.AssetID.Value(), r.Plant.AssetsByID)},
		{in.SensorID.Value(), &s.Sensor, "Sensor", finder(ctx, in.SensorID.Value(), r.Plant.SensorsByID)},
	} {
		if f.id == nil {
			continue
		}
		if set++; set > 1 {
			return s, fault.New(fault.BadInput, "error.scope.one")
		}
		switch ok, err := f.exists(); {
		case err != nil:
			return s, err
		case !ok:
			return s, fault.Missing(f.entity)
		}
		*f.target = *f.id
	}
	return s, nil
}

// finder looks for one id by a batch of one.
func finder[T any](ctx context.Context, of *id.UUID, find func(context.Context, []id.UUID) (map[id.UUID]T, error)) func() (bool, error) {
	return func() (bool, error) {
		found, err := find(ctx, []id.UUID{*of})
		_, ok := found[*of]
		return ok, err
	}
}

// siteLimit returns the actor's sites, nil for the whole tenant.
func siteLimit(ctx context.Context) []id.UUID {
	if a := tenancy.From(ctx); a != nil && len(a.SiteIDs) > 0 {
		return a.SiteIDs
	}
	return nil
}
