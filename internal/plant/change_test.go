package plant_test

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// pump is a complete creation.
func (w *world) pump(change func(*plant.AssetChange)) plant.AssetChange {
	c := plant.AssetChange{Site: &w.acme.SiteID, Code: ptr("pump-2"), Name: ptr("Pump 2"), Type: ptr(enum.AssetPump), Criticality: ptr(enum.CriticalityHigh)}
	if change != nil {
		change(&c)
	}
	return c
}

func TestCreateAsset(t *testing.T) {
	w := newWorld(t)
	ctx := w.as(tenancy.Engineer)
	in := w.pump(func(c *plant.AssetChange) {
		c.Parent, c.Name = &w.acme.AssetID, ptr("  Kühlwasserpumpe \n")
		c.Manufacturer, c.Model, c.SerialNumber, c.Location = ptr("KSB"), ptr("HGC"), ptr("1"), ptr("Hall 3")
		c.InstalledOn = ptr(time.Date(2020, 2, 29, 23, 30, 0, 0, time.FixedZone("", 3600)))
		c.RatedPowerKW, c.DowntimeCostPerHour, c.ISOMachineGroup, c.ISOSupportType = ptr(90.5), ptr(0.0), ptr(2), ptr(enum.SupportFlexible)
	})
	e, err := w.CreateAsset(ctx, in)
	w.ok(err)
	stored, err := w.Asset(ctx, &e.ID, nil)
	w.ok(err)
	for name, got := range map[string]*ent.Asset{"payload": e, "stored": stored} {
		if got.Name != "Kühlwasserpumpe" || got.AssetCode != "pump-2" || got.SiteID != w.acme.SiteID || *got.ParentID != w.acme.AssetID ||
			got.Criticality != enum.CriticalityHigh || *got.Manufacturer != "KSB" || *got.SerialNumber != "1" || *got.RatedPowerKw != 90.5 ||
			*got.DowntimeCostPerHour != 0 || *got.IsoMachineGroup != 2 || *got.IsoSupportType != enum.SupportFlexible || got.Version != 1 {
			t.Errorf("%s: %v", name, got)
		}
		if want := time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC); !got.InstalledOn.Equal(want) {
			t.Errorf("%s: installed on %v, want %v", name, got.InstalledOn, want)
		}
		if got.CreatedBy == nil || *got.CreatedBy != w.acme.Users[tenancy.Engineer] {
			t.Errorf("%s: created by %v", name, got.CreatedBy)
		}
	}
	if k, _ := id.KindOf(e.ID); k != id.Asset {
		t.Errorf("id of kind %v", k)
	}
}

func TestCreateAssetBlamesFields(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("ä", 201)
	for name, c := range map[string]struct {
		change func(*plant.AssetChange)
		want   []string
	}{
		"no code":         {func(c *plant.AssetChange) { c.Code = nil }, []string{"BAD_USER_INPUT error.code input.code"}},
		"upper case code": {func(c *plant.AssetChange) { c.Code = ptr("Pump") }, []string{"BAD_USER_INPUT error.code input.code"}},
		"newline in code": {func(c *plant.AssetChange) { c.Code = ptr("pump\n") }, []string{"BAD_USER_INPUT error.code input.code"}},
		"long code":       {func(c *plant.AssetChange) { c.Code = ptr(strings.Repeat("a", 101)) }, []string{"BAD_USER_INPUT error.code input.code"}},
		"taken code":      {func(c *plant.AssetChange) { c.Code = ptr("pump-1") }, []string{"CONFLICT error.asset.codeTaken input.code"}},
		"no name":         {func(c *plant.AssetChange) { c.Name = nil }, []string{"BAD_USER_INPUT error.required input.name"}},
		"blank name":      {func(c *plant.AssetChange) { c.Name = ptr(" \t") }, []string{"BAD_USER_INPUT error.name input.name"}},
		"long name":       {func(c *plant.AssetChange) { c.Name = &long }, []string{"BAD_USER_INPUT error.name input.name"}},
		"no type":         {func(c *plant.AssetChange) { c.Type = nil }, []string{"BAD_USER_INPUT error.required input.type"}},
		"no criticality":  {func(c *plant.AssetChange) { c.Criticality = nil }, []string{"BAD_USER_INPUT error.required input.criticality"}},
		"long maker":      {func(c *plant.AssetChange) { c.Manufacturer = &long }, []string{"BAD_USER_INPUT error.tooLong input.manufacturer"}},
		"long model":      {func(c *plant.AssetChange) { c.Model = &long }, []string{"BAD_USER_INPUT error.tooLong input.model"}},
		"long serial":     {func(c *plant.AssetChange) { c.SerialNumber = ptr(long[:202]) }, []string{"BAD_USER_INPUT error.tooLong input.serialNumber"}},
		"long location":   {func(c *plant.AssetChange) { c.Location = &long }, []string{"BAD_USER_INPUT error.tooLong input.location"}},
		"no power":        {func(c *plant.AssetChange) { c.RatedPowerKW = ptr(0.0) }, []string{"BAD_USER_INPUT error.positive input.ratedPowerKw"}},
		"power NaN":       {func(c *plant.AssetChange) { c.RatedPowerKW = ptr(math.NaN()) }, []string{"BAD_USER_INPUT error.positive input.ratedPowerKw"}},
		"endless power":   {func(c *plant.AssetChange) { c.RatedPowerKW = ptr(math.Inf(1)) }, []string{"BAD_USER_INPUT error.positive input.ratedPowerKw"}},
		"negative cost":   {func(c *plant.AssetChange) { c.DowntimeCostPerHour = ptr(-1.0) }, []string{"BAD_USER_INPUT error.negative input.downtimeCostPerHour"}},
		"no site":         {func(c *plant.AssetChange) { c.Site = nil }, []string{"BAD_USER_INPUT error.required input.siteId"}},
		"foreign site":    {func(c *plant.AssetChange) { c.Site = &w.globex.SiteID }, []string{"NOT_FOUND error.notFound input.siteId"}},
		"unknown site":    {func(c *plant.AssetChange) { c.Site = ptr(id.New(id.Site)) }, []string{"NOT_FOUND error.notFound input.siteId"}},
		"foreign parent":  {func(c *plant.AssetChange) { c.Parent = &w.globex.AssetID }, []string{"NOT_FOUND error.notFound input.parentId"}},
		"several": {func(c *plant.AssetChange) { c.Code, c.Name, c.Site = ptr("?"), ptr(""), &w.globex.SiteID },
			[]string{"BAD_USER_INPUT error.code input.code", "BAD_USER_INPUT error.name input.name", "NOT_FOUND error.notFound input.siteId"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.CreateAsset(w.as(tenancy.Engineer), w.pump(c.change))
			if got := faults(err); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// update names fields in Set by what the change sets.
func (w *world) update(which id.UUID, expected int, set string, change func(*plant.AssetChange)) (*ent.Asset, error) {
	c := plant.AssetChange{Set: map[string]bool{}}
	for _, f := range strings.Fields(set) {
		c.Set[f] = true
	}
	if change != nil {
		change(&c)
	}
	return w.UpdateAsset(w.as(tenancy.Engineer), which, expected, c)
}

func TestUpdateAsset(t *testing.T) {
	w := newWorld(t)
	e, err := w.CreateAsset(w.as(tenancy.Engineer), w.pump(func(c *plant.AssetChange) { c.Manufacturer, c.Model, c.RatedPowerKW = ptr("KSB"), ptr("HGC"), ptr(9.0) }))
	w.ok(err)
	got, err := w.update(e.ID, 1, "name manufacturer", func(c *plant.AssetChange) { c.Name = ptr(" New name ") })
	w.ok(err)
	if got.Name != "New name" || got.Manufacturer != nil || got.Model == nil || got.Version != 2 || *got.UpdatedBy != w.acme.Users[tenancy.Engineer] {
		t.Errorf("a name and a null: %v", got)
	}
	got, err = w.update(e.ID, 2, "siteId type criticality model serialNumber installedOn location ratedPowerKw isoMachineGroup isoSupportType downtimeCostPerHour parentId",
		func(c *plant.AssetChange) {
			c.Site, c.Type, c.Criticality, c.Parent = &w.south, ptr(enum.AssetFan), ptr(enum.CriticalityLow), &w.acme.AssetID
			c.SerialNumber, c.InstalledOn, c.Location, c.DowntimeCostPerHour = ptr("S"), ptr(time.Date(2021, 1, 1, 5, 0, 0, 0, time.UTC)), ptr("L"), ptr(5.0)
			c.ISOMachineGroup, c.ISOSupportType = ptr(1), ptr(enum.SupportRigid)
		})
	w.ok(err)
	stored, err := w.Asset(w.as(tenancy.Viewer), &e.ID, nil)
	w.ok(err)
	for name, got := range map[string]*ent.Asset{"payload": got, "stored": stored} {
		if got.SiteID != w.south || got.AssetType != enum.AssetFan || got.Criticality != enum.CriticalityLow || *got.ParentID != w.acme.AssetID ||
			got.Model != nil || got.RatedPowerKw != nil || *got.SerialNumber != "S" || got.InstalledOn.Hour() != 0 || *got.Location != "L" ||
			*got.DowntimeCostPerHour != 5 || *got.IsoMachineGroup != 1 || *got.IsoSupportType != enum.SupportRigid || got.Version != 3 || got.Name != "New name" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestUpdateAssetRefuses(t *testing.T) {
	w := newWorld(t)
	child := w.asset(w.south, "child", map[string]any{"parent_id": w.acme.AssetID})
	for name, c := range map[string]struct {
		which  id.UUID
		expect int
		set    string
		change func(*plant.AssetChange)
		want   string
	}{
		"stale version":    {w.acme.AssetID, 2, "name", func(c *plant.AssetChange) { c.Name = ptr("x") }, "CONFLICT error.stale input.expectedVersion"},
		"null name":        {w.acme.AssetID, 1, "name", nil, "BAD_USER_INPUT error.required input.name"},
		"null type":        {w.acme.AssetID, 1, "type", nil, "BAD_USER_INPUT error.required input.type"},
		"null criticality": {w.acme.AssetID, 1, "criticality", nil, "BAD_USER_INPUT error.required input.criticality"},
		"null site":        {w.acme.AssetID, 1, "siteId", nil, "BAD_USER_INPUT error.required input.siteId"},
		"foreign site":     {w.acme.AssetID, 1, "siteId", func(c *plant.AssetChange) { c.Site = &w.globex.SiteID }, "NOT_FOUND error.notFound input.siteId"},
		"itself as parent": {w.acme.AssetID, 1, "parentId", func(c *plant.AssetChange) { c.Parent = &w.acme.AssetID }, "BAD_USER_INPUT error.asset.circle input.parentId"},
		"child as parent":  {w.acme.AssetID, 1, "parentId", func(c *plant.AssetChange) { c.Parent = &child }, "BAD_USER_INPUT error.asset.circle input.parentId"},
		"foreign asset":    {w.globex.AssetID, 1, "name", func(c *plant.AssetChange) { c.Name = ptr("x") }, "NOT_FOUND error.notFound input.id"},
		"unknown asset":    {id.New(id.Asset), 1, "name", func(c *plant.AssetChange) { c.Name = ptr("x") }, "NOT_FOUND error.notFound input.id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.update(c.which, c.expect, c.set, c.change)
			if got := faults(err); !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
	for _, p := range []struct{ tenant, asset id.UUID }{{w.acme.TenantID, w.acme.AssetID}, {w.globex.TenantID, w.globex.AssetID}} {
		var name string
		var version int
		w.ok(w.owner.QueryRow(t.Context(), `SELECT name, version FROM assets WHERE id = $1`, p.asset).Scan(&name, &version))
		if name != "Feed pump" || version != 1 {
			t.Errorf("a refused change left %q, version %d", name, version)
		}
	}
}

// Of two changes based on one version one wins, and two changes do not close a
// circle together.
func TestConcurrentUpdates(t *testing.T) {
	w := newWorld(t)
	other := w.asset(w.south, "other", nil)
	both := func(a, b func() error) (won int, lost error) {
		var wait sync.WaitGroup
		errs := make([]error, 2)
		for i, f := range []func() error{a, b} {
			wait.Go(func() { errs[i] = f() })
		}
		wait.Wait()
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				lost = err
			}
		}
		return won, lost
	}
	for version := 1; version <= 10; version++ {
		rename := func() error {
			_, err := w.update(w.acme.AssetID, version, "name", func(c *plant.AssetChange) { c.Name = ptr("n") })
			return err
		}
		if won, lost := both(rename, rename); won != 1 || !fault.Is(lost, fault.Conflict) {
			t.Fatalf("%d changes of version %d won: %v", won, version, lost)
		}
	}
	// Both changes have looked for a circle, or wait to, when the row lets them write.
	held, err := w.owner.Begin(t.Context())
	w.ok(err)
	_, err = held.Exec(t.Context(), `SELECT FROM assets WHERE id = ANY ($1) FOR UPDATE`, []id.UUID{other, w.acme.AssetID})
	w.ok(err)
	version := 11
	move := func(which id.UUID, version int, parent id.UUID) func() error {
		return func() error {
			_, err := w.update(which, version, "parentId", func(c *plant.AssetChange) { c.Parent = &parent })
			return err
		}
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		won, lost := both(move(w.acme.AssetID, version, other), move(other, 1, w.acme.AssetID))
		if won != 1 || faults(lost)[0] != "BAD_USER_INPUT error.asset.circle input.parentId" {
			t.Errorf("%d of two changes that close a circle won: %v", won, lost)
		}
	})
	testkit.Eventually(t, 20*time.Second, func() bool {
		var waiting int
		w.ok(held.QueryRow(t.Context(), `SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database OR l.database IS NULL
			WHERE NOT l.granted AND d.datname = current_database()`).Scan(&waiting))
		return waiting == 2
	})
	w.ok(held.Commit(t.Context()))
	wait.Wait()
}
