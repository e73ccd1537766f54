package resolver

import (
	"context"
	"time"

	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/telemetry/series"
	"foresight/internal/tenancy"
)

func (r *Resolver) series(ctx context.Context, in model.ScopeInput, parameters []string, from, to time.Time, resolution series.Resolution) (*series.Answer, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryRead); err != nil {
		return nil, err
	}
	scope, err := r.scope(ctx, &in)
	if err != nil {
		return nil, err
	}
	if in.AssetID.Value() == nil && in.SensorID.Value() == nil {
		return nil, fault.Invalid("scope", "error.scope.assetOrSensor")
	}
	return series.Read(ctx, r.Store, series.Query{Tenant: tenancy.Must(ctx).TenantID, Scope: scope, Parameters: parameters,
		From: from, To: to, Resolution: resolution, Now: time.Now()})
}
