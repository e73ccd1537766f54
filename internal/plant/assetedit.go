package plant

import (
	"context"
	"math"
	"strings"
	"time"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// AssetSpec is what people say of a machine. Gateway and parent stand on its site.
type AssetSpec struct {
	Site                id.UUID
	Gateway             *id.UUID // that serves it
	Parent              *id.UUID // assembly that it is part of
	Code, Name          string
	Type                enum.AssetType
	Criticality         enum.Criticality
	Manufacturer        *string
	Model               *string
	SerialNumber        *string
	InstalledOn         *time.Time // the time of day is dropped
	Location            *string
	RatedPowerKW        *float64
	ISOMachineGroup     *int // 1 or 2
	ISOSupportType      *enum.SupportType
	ReplacementCost     *float64 // in the tenant's currency
	DowntimeCostPerHour *float64 // in the tenant's currency
	ExternalRef         *string  // `source:id`
	IsActive            bool     // readings of machines out of use are refused
}

// CreateAsset adds a machine. Mistakes come as a fault.List with the fields to mend.
func (s *Service) CreateAsset(ctx context.Context, spec AssetSpec) (*ent.Asset, error) {
	return created(ctx, s, assetKind, spec)
}

// UpdateAsset changes a machine of the expected version. Its code stays. A machine
// that moves to another site takes along its parts and their sensors; gateways, and an
// assembly that is not named anew, stay behind.
func (s *Service) UpdateAsset(ctx context.Context, which id.UUID, expected int, change func(*AssetSpec)) (*ent.Asset, error) {
	return changed(ctx, s, assetKind, which, expected, change)
}

// DeleteAsset deletes a machine with its sensors, rules and work orders. Its parts
// stay, as machines of their own.
func (s *Service) DeleteAsset(ctx context.Context, which id.UUID, expected *int) (*ent.Asset, error) {
	return removed(ctx, s, assetKind, which, expected)
}

var assetKind = kind[ent.Asset, AssetSpec]{
	entity: "Asset", table: asset.Table,
	spec: func(e *ent.Asset) AssetSpec {
		return AssetSpec{Site: e.SiteID, Gateway: e.GatewayID, Parent: e.ParentID, Code: e.AssetCode, Name: e.Name, Type: e.AssetType,
			Criticality: e.Criticality, Manufacturer: e.Manufacturer, Model: e.Model, SerialNumber: e.SerialNumber, InstalledOn: e.InstalledOn,
			Location: e.Location, RatedPowerKW: e.RatedPowerKw, ISOMachineGroup: e.IsoMachineGroup, ISOSupportType: e.IsoSupportType,
			ReplacementCost: e.ReplacementCost, DowntimeCostPerHour: e.DowntimeCostPerHour, ExternalRef: e.ExternalRef, IsActive: e.IsActive}
	},
	version: func(e *ent.Asset) int { return e.Version },
	find: func(ctx context.Context, c *ent.Client, of id.UUID) (*ent.Asset, error) {
		return c.Asset.Query().Where(asset.ID(of)).Only(ctx)
	},
	check: func(ctx context.Context, w work, old *ent.Asset, spec *AssetSpec) error {
		if old != nil && spec.Site != old.SiteID { // what is not named anew stays behind
			if same(spec.Gateway, old.GatewayID) {
				spec.Gateway = nil
			}
			if same(spec.Parent, old.ParentID) {
				spec.Parent = nil
			}
		}
		// Before rows are locked: two changes must not hold what the other one needs.
		if old != nil && spec.Parent != nil && !same(spec.Parent, old.ParentID) {
			if err := noCircle(ctx, w.tx, old.ID, *spec.Parent); err != nil {
				return err
			}
		}
		return spec.check(ctx, w, old)
	},
	create: func(ctx context.Context, c *ent.Client, spec AssetSpec) (*ent.Asset, error) {
		q := c.Asset.Create().SetAssetCode(spec.Code)
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	save: func(ctx context.Context, w work, old *ent.Asset, spec AssetSpec) (*ent.Asset, error) {
		q := w.client.Asset.UpdateOneID(old.ID).Where(asset.Version(old.Version))
		spec.write(q.Mutation())
		e, err := q.Save(ctx)
		if err == nil && spec.Site != old.SiteID {
			err = moveAlong(ctx, w, old.ID, spec.Site)
		}
		return e, err
	},
	remove: func(ctx context.Context, w work, e *ent.Asset) error {
		if err := w.client.Asset.Update().Where(asset.ParentID(e.ID)).ClearParentID().Exec(ctx); err != nil {
			return err
		}
		return w.client.Asset.DeleteOneID(e.ID).Exec(ctx)
	},
	violated: func(constraint string) *fault.Error {
		if strings.Contains(constraint, "external_ref") {
			return fault.New(fault.Conflict, "error.asset.externalRefTaken").At("input.externalRef")
		}
		return fault.New(fault.Conflict, "error.asset.codeTaken").At("input.code")
	},
}

func (s *AssetSpec) check(ctx context.Context, w work, old *ent.Asset) error {
	var p problems
	p.code(s.Code)
	p.name(&s.Name)
	p.check(s.Type != "", "type", "error.required")
	p.check(s.Criticality != "", "criticality", "error.required")
	p.text("manufacturer", s.Manufacturer, maxName)
	p.text("model", s.Model, maxName)
	p.text("serialNumber", s.SerialNumber, maxCode)
	p.text("location", s.Location, maxName)
	p.text("externalRef", s.ExternalRef, maxName)
	s.InstalledOn = day(s.InstalledOn)
	p.check(s.RatedPowerKW == nil || *s.RatedPowerKW > 0 && *s.RatedPowerKW <= math.MaxFloat64, "ratedPowerKw", "error.positive")
	p.notNegative("replacementCost", s.ReplacementCost)
	p.notNegative("downtimeCostPerHour", s.DowntimeCostPerHour)
	if err := s.place(ctx, w, old, &p); err != nil {
		return err
	}
	return p.list.Err()
}

// place checks where the machine stands and what it hangs on.
func (s *AssetSpec) place(ctx context.Context, w work, old *ent.Asset, p *problems) error {
	if s.Site == id.Nil {
		p.bad("siteId", "error.required")
		return nil
	}
	if _, err := p.refers(ctx, w, reference{"Site", "siteId", &s.Site}); err != nil {
		return err
	}
	for _, r := range []struct {
		reference
		before *id.UUID
		key    string
	}{
		{reference{"Gateway", "gatewayId", s.Gateway}, gatewayOf(old), "error.gateway.otherSite"},
		{reference{"Asset", "parentId", s.Parent}, parentOf(old), "error.asset.otherSite"},
	} {
		if r.to == nil || old != nil && same(r.to, r.before) {
			continue // as it was
		}
		known := len(p.list)
		at, err := p.refers(ctx, w, r.reference)
		if err != nil {
			return err
		}
		if len(p.list) == known {
			p.check(at == s.Site, r.field, r.key)
		}
	}
	return nil
}

func gatewayOf(e *ent.Asset) *id.UUID {
	if e == nil {
		return nil
	}
	return e.GatewayID
}

func parentOf(e *ent.Asset) *id.UUID {
	if e == nil {
		return nil
	}
	return e.ParentID
}

func (s *AssetSpec) write(m *ent.AssetMutation) {
	m.SetSiteID(s.Site)
	setOrClear(s.Gateway, m.SetGatewayID, m.ClearGatewayID)
	setOrClear(s.Parent, m.SetParentID, m.ClearParentID)
	m.SetName(s.Name)
	m.SetAssetType(s.Type)
	m.SetCriticality(s.Criticality)
	setOrClear(s.Manufacturer, m.SetManufacturer, m.ClearManufacturer)
	setOrClear(s.Model, m.SetModel, m.ClearModel)
	setOrClear(s.SerialNumber, m.SetSerialNumber, m.ClearSerialNumber)
	setOrClear(s.InstalledOn, m.SetInstalledOn, m.ClearInstalledOn)
	setOrClear(s.Location, m.SetLocation, m.ClearLocation)
	setOrClear(s.RatedPowerKW, m.SetRatedPowerKw, m.ClearRatedPowerKw)
	setOrClear(s.ISOMachineGroup, m.SetIsoMachineGroup, m.ClearIsoMachineGroup)
	setOrClear(s.ISOSupportType, m.SetIsoSupportType, m.ClearIsoSupportType)
	setOrClear(s.ReplacementCost, m.SetReplacementCost, m.ClearReplacementCost)
	setOrClear(s.DowntimeCostPerHour, m.SetDowntimeCostPerHour, m.ClearDowntimeCostPerHour)
	setOrClear(s.ExternalRef, m.SetExternalRef, m.ClearExternalRef)
	m.SetIsActive(s.IsActive)
}
