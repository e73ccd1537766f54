package resolver

import (
	"context"

	"foresight/graph/model"
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

func assetFilter(f *model.AssetFilter) plant.AssetFilter {
	if f == nil {
		return plant.AssetFilter{}
	}
	return plant.AssetFilter{Search: f.Search.Value(), Types: f.Types.Value(), Criticalities: f.Criticalities.Value(),
		Site: f.SiteID.Value(), Parent: f.ParentID.Value(), HasActiveAlarm: f.HasActiveAlarm.Value()}
}

func newAsset(in model.CreateAssetInput) plant.AssetChange {
	return plant.AssetChange{
		Site: &in.SiteID, Parent: in.ParentID.Value(), Code: &in.Code, Name: &in.Name, Type: &in.Type, Criticality: &in.Criticality,
		Manufacturer: in.Manufacturer.Value(), Model: in.Model.Value(), SerialNumber: in.SerialNumber.Value(),
		InstalledOn: in.InstalledOn.Value(), Location: in.Location.Value(), RatedPowerKW: in.RatedPowerKw.Value(),
		ISOMachineGroup: machineGroupNumber(in.IsoMachineGroup.Value()), ISOSupportType: in.IsoSupportType.Value(),
		DowntimeCostPerHour: in.DowntimeCostPerHour.Value(),
	}
}

func assetChange(in model.UpdateAssetInput) plant.AssetChange {
	return plant.AssetChange{
		Site: in.SiteID.Value(), Parent: in.ParentID.Value(), Name: in.Name.Value(), Type: in.Type.Value(), Criticality: in.Criticality.Value(),
		Manufacturer: in.Manufacturer.Value(), Model: in.Model.Value(), SerialNumber: in.SerialNumber.Value(),
		InstalledOn: in.InstalledOn.Value(), Location: in.Location.Value(), RatedPowerKW: in.RatedPowerKw.Value(),
		ISOMachineGroup: machineGroupNumber(in.IsoMachineGroup.Value()), ISOSupportType: in.IsoSupportType.Value(),
		DowntimeCostPerHour: in.DowntimeCostPerHour.Value(),
		Set: map[string]bool{
			"siteId": in.SiteID.IsSet(), "parentId": in.ParentID.IsSet(), "name": in.Name.IsSet(), "type": in.Type.IsSet(),
			"criticality": in.Criticality.IsSet(), "manufacturer": in.Manufacturer.IsSet(), "model": in.Model.IsSet(),
			"serialNumber": in.SerialNumber.IsSet(), "installedOn": in.InstalledOn.IsSet(), "location": in.Location.IsSet(),
			"ratedPowerKw": in.RatedPowerKw.IsSet(), "isoMachineGroup": in.IsoMachineGroup.IsSet(),
			"isoSupportType": in.IsoSupportType.IsSet(), "downtimeCostPerHour": in.DowntimeCostPerHour.IsSet(),
		},
	}
}
