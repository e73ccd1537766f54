package plant

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/ent/site"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

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

// CreateAsset adds a machine. Mistakes come as a fault.List with the fields to mend.
func (s *Service) CreateAsset(ctx context.Context, c AssetChange) (*ent.Asset, error) {
	if err := tenancy.Require(ctx, tenancy.PlantWrite); err != nil {
		return nil, err
	}
	c.Set = nil
	if err := s.check(ctx, c, id.Nil); err != nil {
		return nil, err
	}
	q := s.ent.Asset.Create().SetSiteID(*c.Site).SetAssetCode(*c.Code).SetName(strings.TrimSpace(*c.Name)).SetAssetType(*c.Type).
		SetNillableParentID(c.Parent).SetNillableCriticality(c.Criticality).SetNillableManufacturer(c.Manufacturer).
		SetNillableModel(c.Model).SetNillableSerialNumber(c.SerialNumber).SetNillableInstalledOn(c.InstalledOn).
		SetNillableLocation(c.Location).SetNillableRatedPowerKw(c.RatedPowerKW).SetNillableIsoMachineGroup(c.ISOMachineGroup).
		SetNillableIsoSupportType(c.ISOSupportType).SetNillableDowntimeCostPerHour(c.DowntimeCostPerHour)
	e, err := q.Save(ctx)
	if err != nil {
		return nil, constraint(err, fault.New(fault.Conflict, "error.asset.codeTaken").At("input.code"), fault.Missing("Site").At("input.siteId"))
	}
	return e, nil
}

// UpdateAsset changes the named fields of a machine whose version is the expected one.
func (s *Service) UpdateAsset(ctx context.Context, which id.UUID, expected int, c AssetChange) (*ent.Asset, error) {
	if err := tenancy.Require(ctx, tenancy.PlantWrite); err != nil {
		return nil, err
	}
	if _, err := s.Asset(ctx, &which, nil); err != nil {
		return nil, err
	}
	if c.Set == nil {
		c.Set = map[string]bool{}
	}
	if err := s.check(ctx, c, which); err != nil {
		return nil, err
	}
	q := s.ent.Asset.UpdateOneID(which).Where(asset.Version(expected))
	for field, set := range map[string]func(){
		"siteId":              func() { q.SetSiteID(*c.Site) },
		"parentId":            func() { change(c.Parent, q.SetParentID, q.ClearParentID) },
		"name":                func() { q.SetName(strings.TrimSpace(*c.Name)) },
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
	e, err := q.Save(ctx)
	switch {
	case ent.IsNotFound(err): // it was there a moment ago, under another version
		return nil, fault.Stale("Asset")
	case err != nil:
		return nil, constraint(err, fault.Stale("Asset"), fault.Missing("Site").At("input.siteId"))
	}
	return e, nil
}

// change sets an optional field, or clears it when the value is null.
func change[V, Q any](v *V, set func(V) Q, unset func() Q) {
	if v != nil {
		set(*v)
	} else {
		unset()
	}
}

// check verifies what is given. self is the machine that is changed, Nil for a new one.
func (s *Service) check(ctx context.Context, c AssetChange, self id.UUID) error {
	var l fault.List
	bad := func(field, key string) { l = append(l, fault.Invalid("input."+field, key)) }
	given := func(field string, isNull bool) bool {
		if c.Set != nil && !c.Set[field] {
			return false
		}
		if isNull {
			bad(field, "error.required")
		}
		return !isNull
	}
	if self == id.Nil && (c.Code == nil || !codeForm.MatchString(*c.Code)) {
		bad("code", "error.code")
	}
	if given("name", c.Name == nil) && !within(strings.TrimSpace(*c.Name), 1, 200) {
		bad("name", "error.name")
	}
	given("type", c.Type == nil)
	given("criticality", c.Criticality == nil)
	for field, v := range map[string]*string{"manufacturer": c.Manufacturer, "model": c.Model, "location": c.Location} {
		if v != nil && !within(*v, 0, 200) {
			bad(field, "error.tooLong")
		}
	}
	if c.SerialNumber != nil && !within(*c.SerialNumber, 0, 100) {
		bad("serialNumber", "error.tooLong")
	}
	if c.RatedPowerKW != nil && *c.RatedPowerKW <= 0 {
		bad("ratedPowerKw", "error.positive")
	}
	if c.DowntimeCostPerHour != nil && *c.DowntimeCostPerHour < 0 {
		bad("downtimeCostPerHour", "error.negative")
	}
	if given("siteId", c.Site == nil) {
		if ok, err := s.ent.Site.Query().Where(site.ID(*c.Site)).Exist(ctx); err != nil {
			return err
		} else if !ok {
			l = append(l, fault.Missing("Site").At("input.siteId"))
		}
	}
	if c.Parent != nil {
		if err := s.checkParent(ctx, *c.Parent, self, &l); err != nil {
			return err
		}
	}
	return l.Err()
}

// maxDepth bounds the assembly tree.
const maxDepth = 16

// checkParent refuses an absent parent and one that would close a circle.
func (s *Service) checkParent(ctx context.Context, parent, self id.UUID, l *fault.List) error {
	for at, depth := parent, 0; ; depth++ {
		if at == self || depth == maxDepth {
			*l = append(*l, fault.Invalid("input.parentId", "error.asset.circle"))
			return nil
		}
		e, err := s.ent.Asset.Query().Where(asset.ID(at)).Only(ctx)
		if ent.IsNotFound(err) {
			*l = append(*l, fault.Missing("Asset").At("input.parentId"))
			return nil
		}
		if err != nil {
			return err
		}
		if e.ParentID == nil {
			return nil
		}
		at = *e.ParentID
	}
}

func within(s string, low, high int) bool {
	n := utf8.RuneCountInString(s)
	return n >= low && n <= high
}
