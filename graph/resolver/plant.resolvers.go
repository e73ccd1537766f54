package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"time"

	"github.com/google/uuid"
)

func (r *assetResolver) Site(ctx context.Context, obj *ent.Asset) (*ent.Site, error) {
	return required(ctx, loader.From(ctx).SiteEver, obj.SiteID, "Site")
}

func (r *assetResolver) Gateway(ctx context.Context, obj *ent.Asset) (*ent.Gateway, error) {
	return optional(ctx, loader.From(ctx).Gateway, obj.GatewayID)
}

func (r *assetResolver) Parent(ctx context.Context, obj *ent.Asset) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).Asset, obj.ParentID)
}

func (r *assetResolver) IsoMachineGroup(ctx context.Context, obj *ent.Asset) (*model.IsoMachineGroup, error) {
	return machineGroup(obj.IsoMachineGroup), nil
}

func (r *assetResolver) Sensors(ctx context.Context, obj *ent.Asset) ([]*ent.Sensor, error) {
	v, _, err := loader.From(ctx).Sensors.Load(ctx, obj.ID)
	return listed(v), err
}

func (r *assetResolver) ActiveAlarmCount(ctx context.Context, obj *ent.Asset) (int, error) {
	v, _, err := loader.From(ctx).AssetLoad.Load(ctx, obj.ID)
	return v.Active, err
}

func (r *assetResolver) WorstSeverity(ctx context.Context, obj *ent.Asset) (*rules.Severity, error) {
	v, _, err := loader.From(ctx).AssetLoad.Load(ctx, obj.ID)
	if err != nil || v.Worst == "" {
		return nil, err
	}
	return &v.Worst, nil
}

func (r *assetResolver) LatestPrediction(ctx context.Context, obj *ent.Asset) (*telemetry.FaultPrediction, error) {
	return orNilPointer(loader.From(ctx).Latest.Load(ctx, obj.ID))
}

func (r *assetResolver) LastSeenAt(ctx context.Context, obj *ent.Asset) (*time.Time, error) {
	v, found, err := loader.From(ctx).AssetSeen.Load(ctx, obj.ID)
	return orNil(v, found && !v.IsZero(), err)
}

func (r *gatewayResolver) Site(ctx context.Context, obj *ent.Gateway) (*ent.Site, error) {
	return required(ctx, loader.From(ctx).SiteEver, obj.SiteID, "Site")
}

func (r *gatewayResolver) IsOnline(ctx context.Context, obj *ent.Gateway) (bool, error) {
	st, _, err := loader.From(ctx).GatewayState.Load(ctx, obj.ID)
	return st.IsOnline, err
}

func (r *gatewayResolver) LastSeenAt(ctx context.Context, obj *ent.Gateway) (*time.Time, error) {
	st, found, err := loader.From(ctx).GatewayState.Load(ctx, obj.ID)
	return orNil(st.LastSeenAt, found, err)
}

func (r *gatewayResolver) ConnectedAt(ctx context.Context, obj *ent.Gateway) (*time.Time, error) {
	st, _, err := loader.From(ctx).GatewayState.Load(ctx, obj.ID)
	return st.ConnectedAt, err
}

func (r *mutationResolver) CreateAsset(ctx context.Context, input model.CreateAssetInput) (*model.AssetPayload, error) {
	e, err := r.Plant.CreateAsset(ctx, newAsset(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetPayload{Asset: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateAsset(ctx context.Context, input model.UpdateAssetInput) (*model.AssetPayload, error) {
	e, err := r.Plant.UpdateAsset(ctx, input.ID, input.ExpectedVersion, assetChange(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetPayload{Asset: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteAsset(ctx context.Context, input model.DeleteAssetInput) (*model.AssetPayload, error) {
	e, err := r.Plant.DeleteAsset(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetPayload{Asset: e, UserErrors: mistakes}, err
}

func (r *parameterResolver) IsBuiltIn(ctx context.Context, obj *ent.Parameter) (bool, error) {
	return obj.TenantID == nil, nil
}

func (r *queryResolver) Sites(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.SiteFilter, orderBy *model.SiteOrder) (*model.Connection[*ent.Site], error) {
	by, desc := siteOrder(orderBy)
	return model.NewConnection(r.Plant.Sites(ctx, pageArgs(ctx, first, after, last, before), siteFilter(filter), by, desc))
}

func (r *queryResolver) Gateways(ctx context.Context, first *int, after *string, last *int, before *string, siteID *uuid.UUID, filter *model.GatewayFilter, orderBy *model.CodeOrder) (*model.Connection[*ent.Gateway], error) {
	f, err := gatewayFilter(siteID, filter)
	if err != nil {
		return nil, err
	}
	by, desc := codeOrder(orderBy)
	return model.NewConnection(r.Plant.Gateways(ctx, pageArgs(ctx, first, after, last, before), f, by, desc))
}

func (r *queryResolver) Assets(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.AssetFilter, orderBy *model.AssetOrder) (*model.Connection[*ent.Asset], error) {
	by, desc := assetOrder(orderBy)
	with := beside(ctx)
	p, neighbours, err := r.Plant.Assets(ctx, pageArgs(ctx, first, after, last, before), assetFilter(filter), by, desc, with)
	loader.From(ctx).Know(neighbours, with)
	return model.NewConnection(p, err)
}

func (r *queryResolver) Asset(ctx context.Context, id *uuid.UUID, code *string) (*ent.Asset, error) {
	e, err := r.Plant.Asset(ctx, id, code)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return e, err
}

func (r *queryResolver) Sensors(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.SensorFilter, orderBy *model.CodeOrder) (*model.Connection[*ent.Sensor], error) {
	by, desc := codeOrder(orderBy)
	return model.NewConnection(r.Plant.Sensors(ctx, pageArgs(ctx, first, after, last, before), sensorFilter(filter), by, desc))
}

func (r *queryResolver) Parameters(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.ParameterFilter) (*model.Connection[*ent.Parameter], error) {
	return model.NewConnection(r.Plant.Parameters(ctx, pageArgs(ctx, first, after, last, before), parameterFilter(filter)))
}

func (r *queryResolver) Dashboard(ctx context.Context, siteID *uuid.UUID) (*model.Dashboard, error) {
	return r.dashboard(ctx, siteID)
}

func (r *sensorResolver) SensorType(ctx context.Context, obj *ent.Sensor) (string, error) {
	return string(obj.SensorType), nil
}

func (r *sensorResolver) Asset(ctx context.Context, obj *ent.Sensor) (*ent.Asset, error) {
	return required(ctx, loader.From(ctx).AssetEver, obj.AssetID, "Asset")
}

func (r *sensorResolver) Gateway(ctx context.Context, obj *ent.Sensor) (*ent.Gateway, error) {
	return optional(ctx, loader.From(ctx).Gateway, obj.GatewayID)
}

func (r *sensorResolver) Calibration(ctx context.Context, obj *ent.Sensor) (string, error) {
	return calibration(obj.ValidationData)
}

func (r *sensorResolver) LastSeenAt(ctx context.Context, obj *ent.Sensor) (*time.Time, error) {
	st, found, err := loader.From(ctx).SensorState.Load(ctx, obj.ID)
	return orNil(st.LatestAt, found, err)
}

func (r *sensorResolver) IsOnline(ctx context.Context, obj *ent.Sensor) (bool, error) {
	st, _, err := loader.From(ctx).SensorState.Load(ctx, obj.ID)
	return st.IsOnline, err
}

func (r *sensorResolver) WindowFill(ctx context.Context, obj *ent.Sensor) (int, error) {
	st, _, err := loader.From(ctx).SensorState.Load(ctx, obj.ID)
	return st.WindowFill, err
}

func (r *siteResolver) AssetCount(ctx context.Context, obj *ent.Site) (int, error) {
	n, _, err := loader.From(ctx).AssetCount.Load(ctx, obj.ID)
	return n, err
}

func (r *siteResolver) ActiveAlarmCount(ctx context.Context, obj *ent.Site) (int, error) {
	v, _, err := loader.From(ctx).SiteLoad.Load(ctx, obj.ID)
	return v.Active, err
}

func (r *Resolver) Asset() generated.AssetResolver { return &assetResolver{r} }

func (r *Resolver) Gateway() generated.GatewayResolver { return &gatewayResolver{r} }

func (r *Resolver) Parameter() generated.ParameterResolver { return &parameterResolver{r} }

func (r *Resolver) Sensor() generated.SensorResolver { return &sensorResolver{r} }

func (r *Resolver) Site() generated.SiteResolver { return &siteResolver{r} }

type (
	assetResolver     struct{ *Resolver }
	gatewayResolver   struct{ *Resolver }
	parameterResolver struct{ *Resolver }
	sensorResolver    struct{ *Resolver }
	siteResolver      struct{ *Resolver }
)
