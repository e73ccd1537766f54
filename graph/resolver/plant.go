package resolver

import (
	"context"
	"encoding/json"

	"foresight/ent/enum"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// newest is how many abnormal predictions a dashboard shows.
const newest = 10

func (r *Resolver) dashboard(ctx context.Context, site *id.UUID) (*model.Dashboard, error) {
	d, err := r.Plant.Dashboard(ctx, site)
	if err != nil {
		return nil, err
	}
	out := &model.Dashboard{AssetCount: d.Assets, ReportingAssetCount: d.Reporting, AssetsInAlarm: d.InAlarm,
		UnacknowledgedCount: d.Unacknowledged, WorstAssets: listed(d.Worst)}
	for _, s := range severities {
		out.ActiveAlarms = append(out.ActiveAlarms, &model.SeverityCount{Severity: s, Count: d.BySeverity[s]})
	}
	q := telemetry.PredictionQuery{OnlyAbnormal: true, RangeQuery: telemetry.RangeQuery{
		Tenant: tenancy.Must(ctx).TenantID, Scope: telemetry.Scope{Sites: siteLimit(ctx)}, Limit: newest}}
	if site != nil {
		q.Scope.Site = *site
	}
	found, err := r.Store.Predictions(ctx, q)
	out.LatestAbnormal = pointers(found)
	return out, err
}

// pointers shows values of a slice where the graph has pointers.
func pointers[T any](vs []T) []*T {
	out := make([]*T, len(vs))
	for i := range vs {
		out[i] = &vs[i]
	}
	return out
}

func assetOrder(o *model.AssetOrder) (plant.AssetOrder, bool) {
	if o == nil {
		return plant.ByCode, false
	}
	by := map[model.AssetOrderField]plant.AssetOrder{
		model.AssetOrderFieldCode: plant.ByCode, model.AssetOrderFieldName: plant.ByName,
		model.AssetOrderFieldCriticality: plant.ByCriticality, model.AssetOrderFieldAlarms: plant.ByAlarms,
		model.AssetOrderFieldCreatedAt: plant.ByCreation,
	}[o.Field]
	return by, o.Direction == model.OrderDirectionDesc
}

func siteOrder(o *model.SiteOrder) (plant.Order, bool) {
	if o == nil {
		return plant.OrderCode, false
	}
	by := map[model.SiteOrderField]plant.Order{model.SiteOrderFieldCode: plant.OrderCode, model.SiteOrderFieldName: plant.OrderName,
		model.SiteOrderFieldCreatedAt: plant.OrderCreated}[o.Field]
	return by, o.Direction == model.OrderDirectionDesc
}

func codeOrder(o *model.CodeOrder) (plant.Order, bool) {
	if o == nil {
		return plant.OrderCode, false
	}
	by := map[model.CodeOrderField]plant.Order{model.CodeOrderFieldCode: plant.OrderCode, model.CodeOrderFieldCreatedAt: plant.OrderCreated}[o.Field]
	return by, o.Direction == model.OrderDirectionDesc
}

func siteFilter(f *model.SiteFilter) plant.SiteFilter {
	if f == nil {
		return plant.SiteFilter{}
	}
	return plant.SiteFilter{Search: f.Search.Value(), IsActive: f.IsActive.Value()}
}

// gatewayFilter takes the site from the argument beside the filter, too.
func gatewayFilter(site *id.UUID, f *model.GatewayFilter) (plant.GatewayFilter, error) {
	if f == nil {
		return plant.GatewayFilter{Site: site}, nil
	}
	out := plant.GatewayFilter{Search: f.Search.Value(), Site: f.SiteID.Value(), IsOnline: f.IsOnline.Value(), IsActive: f.IsActive.Value()}
	switch {
	case out.Site == nil:
		out.Site = site
	case site != nil && *site != *out.Site:
		return out, fault.Invalid("siteId", "error.scope.one")
	}
	return out, nil
}

func sensorFilter(f *model.SensorFilter) plant.SensorFilter {
	if f == nil {
		return plant.SensorFilter{}
	}
	out := plant.SensorFilter{Search: f.Search.Value(), Site: f.SiteID.Value(), Asset: f.AssetID.Value(), Gateway: f.GatewayID.Value(),
		IsOnline: f.IsOnline.Value(), IsActive: f.IsActive.Value()}
	for _, t := range f.Types.Value() {
		out.Types = append(out.Types, enum.SensorType(t))
	}
	return out
}

func parameterFilter(f *model.ParameterFilter) plant.ParameterFilter {
	if f == nil {
		return plant.ParameterFilter{}
	}
	return plant.ParameterFilter{Search: f.Search.Value(), IsBuiltIn: f.IsBuiltIn.Value()}
}

func assetFilter(f *model.AssetFilter) plant.AssetFilter {
	if f == nil {
		return plant.AssetFilter{}
	}
	return plant.AssetFilter{Search: f.Search.Value(), Types: f.Types.Value(), Criticalities: f.Criticalities.Value(),
		Site: f.SiteID.Value(), Gateway: f.GatewayID.Value(), Parent: f.ParentID.Value(), IsRoot: f.IsRoot.Value(),
		IsActive: f.IsActive.Value(), IsOnline: f.IsOnline.Value(), HasActiveAlarm: f.HasActiveAlarm.Value(),
		Health: f.HealthStatuses.Value(), Risks: f.RiskLevels.Value()}
}

// calibration shows a JSON object as text.
func calibration(v map[string]any) (string, error) {
	if v == nil {
		return "{}", nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}
