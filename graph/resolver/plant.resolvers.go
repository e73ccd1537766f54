package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/plant"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"time"

	"github.com/google/uuid"
)

func (r *assetResolver) Site(ctx context.Context, obj *ent.Asset) (*ent.Site, error) {
	return required(ctx, loader.From(ctx).Site, obj.SiteID, "Site")
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
	v, found, err := loader.From(ctx).AssetLoad.Load(ctx, obj.ID)
	if err != nil || !found {
		return nil, err
	}
	return &v.Worst, nil
}

func (r *assetResolver) LatestPrediction(ctx context.Context, obj *ent.Asset) (*telemetry.FaultPrediction, error) {
	return orNilPointer(loader.From(ctx).Latest.Load(ctx, obj.ID))
}

func (r *assetResolver) LastSeenAt(ctx context.Context, obj *ent.Asset) (*time.Time, error) {
	return orNil(loader.From(ctx).AssetSeen.Load(ctx, obj.ID))
}

func (r *gatewayResolver) Site(ctx context.Context, obj *ent.Gateway) (*ent.Site, error) {
	return required(ctx, loader.From(ctx).Site, obj.SiteID, "Site")
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

func (r *parameterResolver) IsBuiltIn(ctx context.Context, obj *ent.Parameter) (bool, error) {
	return obj.TenantID == nil, nil
}

func (r *queryResolver) Sites(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.Site], error) {
	return model.NewConnection(r.Plant.Sites(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) Gateways(ctx context.Context, first *int, after *string, last *int, before *string, siteID *uuid.UUID) (*model.Connection[*ent.Gateway], error) {
	return model.NewConnection(r.Plant.Gateways(ctx, pageArgs(ctx, first, after, last, before), siteID))
}

func (r *queryResolver) Assets(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.AssetFilter, orderBy *model.AssetOrder) (*model.Connection[*ent.Asset], error) {
	by, desc := assetOrder(orderBy)
	return model.NewConnection(r.Plant.Assets(ctx, pageArgs(ctx, first, after, last, before), assetFilter(filter), by, desc))
}

func (r *queryResolver) Asset(ctx context.Context, id *uuid.UUID, code *string) (*ent.Asset, error) {
	e, err := r.Plant.Asset(ctx, id, code)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return e, err
}

func (r *queryResolver) Sensors(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.SensorFilter) (*model.Connection[*ent.Sensor], error) {
	var f plant.SensorFilter
	if filter != nil {
		f = plant.SensorFilter{Search: filter.Search.Value(), Site: filter.SiteID.Value(), Asset: filter.AssetID.Value()}
	}
	return model.NewConnection(r.Plant.Sensors(ctx, pageArgs(ctx, first, after, last, before), f))
}

func (r *queryResolver) Parameters(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.Parameter], error) {
	return model.NewConnection(r.Plant.Parameters(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) Dashboard(ctx context.Context, siteID *uuid.UUID) (*model.Dashboard, error) {
	return r.dashboard(ctx, siteID)
}

func (r *sensorResolver) SensorType(ctx context.Context, obj *ent.Sensor) (string, error) {
	return string(obj.SensorType), nil
}

func (r *sensorResolver) Asset(ctx context.Context, obj *ent.Sensor) (*ent.Asset, error) {
	return required(ctx, loader.From(ctx).Asset, obj.AssetID, "Asset")
}

func (r *sensorResolver) Gateway(ctx context.Context, obj *ent.Sensor) (*ent.Gateway, error) {
	return optional(ctx, loader.From(ctx).Gateway, obj.GatewayID)
}

func (r *sensorResolver) LastSeenAt(ctx context.Context, obj *ent.Sensor) (*time.Time, error) {
	return orNil(loader.From(ctx).SensorSeen.Load(ctx, obj.ID))
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
