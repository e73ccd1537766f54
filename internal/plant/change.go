package plant

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// AssetChange is what to set of a machine. In a creation every field counts; in an
// update only those that Set names.
type AssetChange struct {
	Site                *id.UUID
	Parent              *id.UUID
	Code                *string // creation only
	Name                *string
	Type                *enum.AssetType
	Criticality         *enum.Criticality
	Manufacturer        *string
	Model               *string
	SerialNumber        *string
	InstalledOn         *time.Time
	Location            *string
	RatedPowerKW        *float64
	ISOMachineGroup     *int
	ISOSupportType      *enum.SupportType
	DowntimeCostPerHour *float64
	// Set holds the names of the fields that an update names, as the graph writes them.
	Set map[string]bool
}

// stored brings values into the form in which they are kept: names without space
// around them, dates without a time of day.
func (c AssetChange) stored() AssetChange {
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name = &name
	}
	if c.InstalledOn != nil {
		day := c.InstalledOn.UTC().Truncate(24 * time.Hour)
		c.InstalledOn = &day
	}
	return c
}

// CreateAsset adds a machine. Mistakes come as a fault.List with the fields to mend.
func (s *Service) CreateAsset(ctx context.Context, c AssetChange) (*ent.Asset, error) {
	if err := tenancy.Require(ctx, tenancy.PlantWrite); err != nil {
		return nil, err
	}
	c = c.stored()
	c.Set = nil
	if err := s.check(ctx, c, true); err != nil {
		return nil, err
	}
	e, err := s.ent.Asset.Create().SetSiteID(*c.Site).SetAssetCode(*c.Code).SetName(*c.Name).SetAssetType(*c.Type).
		SetCriticality(*c.Criticality).SetNillableParentID(c.Parent).SetNillableManufacturer(c.Manufacturer).
		SetNillableModel(c.Model).SetNillableSerialNumber(c.SerialNumber).SetNillableInstalledOn(c.InstalledOn).
		SetNillableLocation(c.Location).SetNillableRatedPowerKw(c.RatedPowerKW).SetNillableIsoMachineGroup(c.ISOMachineGroup).
		SetNillableIsoSupportType(c.ISOSupportType).SetNillableDowntimeCostPerHour(c.DowntimeCostPerHour).Save(ctx)
	return e, violated(err)
}

// UpdateAsset changes the named fields of a machine whose version is the expected one.
// The result is a value: its query methods belong to a transaction that has ended.
func (s *Service) UpdateAsset(ctx context.Context, which id.UUID, expected int, c AssetChange) (*ent.Asset, error) {
	if err := tenancy.Require(ctx, tenancy.PlantWrite); err != nil {
		return nil, err
	}
	switch found, err := s.ent.Asset.Query().Where(asset.ID(which)).Exist(ctx); {
	case err != nil:
		return nil, err
	case !found:
		return nil, fault.Missing("Asset").At("input.id")
	}
	c = c.stored()
	if c.Set == nil {
		c.Set = map[string]bool{}
	}
	if err := s.check(ctx, c, false); err != nil {
		return nil, err
	}
	var e *ent.Asset
	err := postgres.InTx(ctx, s.db, func(ctx context.Context, client *ent.Client, tx pgx.Tx) error {
		if c.Set["parentId"] && c.Parent != nil {
			if err := noCircle(ctx, tx, which, *c.Parent); err != nil {
				return err
			}
		}
		q := client.Asset.UpdateOneID(which).Where(asset.Version(expected))
		c.apply(q)
		var err error
		e, err = q.Save(ctx)
		if ent.IsNotFound(err) { // it was there a moment ago, under another version
			return fault.Stale("Asset")
		}
		return violated(err)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// apply sets the named fields, or clears them where they are null.
func (c AssetChange) apply(q *ent.AssetUpdateOne) {
	for field, set := range map[string]func(){
		"siteId":              func() { q.SetSiteID(*c.Site) },
		"parentId":            func() { change(c.Parent, q.SetParentID, q.ClearParentID) },
		"name":                func() { q.SetName(*c.Name) },
		"type":                func() { q.SetAssetType(*c.Type) },
		"criticality":         func() { q.SetCriticality(*c.Criticality) },
		"manufacturer":        func() { change(c.Manufacturer, q.SetManufacturer, q.ClearManufacturer) },
		"model":               func() { change(c.Model, q.SetModel, q.ClearModel) },
		"serialNumber":        func() { change(c.SerialNumber, q.SetSerialNumber, q.ClearSerialNumber) },
		"installedOn":         func() { change(c.InstalledOn, q.SetInstalledOn, q.ClearInstalledOn) },
		"location":            func() { change(c.Location, q.SetLocation, q.ClearLocation) },
		"ratedPowerKw":        func() { change(c.RatedPowerKW, q.SetRatedPowerKw, q.ClearRatedPowerKw) },
		"isoMachineGroup":     func() { change(c.ISOMachineGroup, q.SetIsoMachineGroup, q.ClearIsoMachineGroup) },
		"isoSupportType":      func() { change(c.ISOSupportType, q.SetIsoSupportType, q.ClearIsoSupportType) },
		"downtimeCostPerHour": func() { change(c.DowntimeCostPerHour, q.SetDowntimeCostPerHour, q.ClearDowntimeCostPerHour) },
	} {
		if c.Set[field] {
			set()
		}
	}
}

// change sets an optional field, or clears it when the value is null.
func change[V, Q any](v *V, set func(V) Q, unset func() Q) {
	if v != nil {
		set(*v)
	} else {
		unset()
	}
}

// violated tells which unique or foreign key a change broke: another one took the
// code, or deleted what is referred to, since it was looked at.
func violated(err error) error {
	if _, taken := postgres.Unique(err); taken {
		return fault.New(fault.Conflict, "error.asset.codeTaken").At("input.code").Because(err)
	}
	if key, broken := postgres.ForeignKey(err); broken {
		if strings.Contains(key, "parent") || strings.Contains(key, "children") {
			return fault.Missing("Asset").At("input.parentId").Because(err)
		}
		return fault.Missing("Site").At("input.siteId").Because(err)
	}
	return err
}

// noCircle refuses a parent that is the machine itself or a part of it. Changes of
// assemblies of one tenant wait for each other until their transactions end, so that
// two of them do not close a circle together.
func noCircle(ctx context.Context, tx pgx.Tx, self, parent id.UUID) error {
	tenant := tenancy.Must(ctx).TenantID
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('assemblies of ' || $1::text, 0))`, tenant.String()); err != nil {
		return err
	}
	var circle bool
	if err := tx.QueryRow(ctx, `
		WITH RECURSIVE above (id, parent_id) AS (
			SELECT id, parent_id FROM assets WHERE tenant_id = $1 AND id = $2
			UNION
			SELECT a.id, a.parent_id FROM above JOIN assets a ON a.tenant_id = $1 AND a.id = above.parent_id
		)
		SELECT EXISTS (SELECT FROM above WHERE id = $3)`, tenant, parent, self).Scan(&circle); err != nil {
		return err
	}
	if circle {
		return fault.Invalid("input.parentId", "error.asset.circle")
	}
	return nil
}
