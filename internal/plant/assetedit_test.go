package plant_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// pump is a complete creation.
func (w *world) pump(change func(*plant.AssetSpec)) plant.AssetSpec {
	c := plant.AssetSpec{Site: w.acme.SiteID, Code: "pump-2", Name: "Pump 2", Type: enum.AssetPump, Criticality: enum.CriticalityHigh, IsActive: true}
	if change != nil {
		change(&c)
	}
	return c
}

func TestCreateAsset(t *testing.T) {
	w := newWorld(t)
	ctx := w.as(tenancy.Engineer)
	in := w.pump(func(c *plant.AssetSpec) {
		c.Parent, c.Name, c.Gateway, c.ExternalRef, c.ReplacementCost = &w.acme.AssetID, "  Kühlwasserpumpe \n", &w.acme.GatewayID, ptr("sap:1"), ptr(1e6)
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
			*got.GatewayID != w.acme.GatewayID || *got.ExternalRef != "sap:1" || *got.ReplacementCost != 1e6 || !got.IsActive ||
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
	w.asset(w.south, "imported", map[string]any{"external_ref": "sap:7"})
	for name, c := range map[string]struct {
		change func(*plant.AssetSpec)
		want   []string
	}{
		"no code":         {func(c *plant.AssetSpec) { c.Code = "" }, []string{"BAD_USER_INPUT error.code input.code"}},
		"upper case code": {func(c *plant.AssetSpec) { c.Code = "Pump" }, []string{"BAD_USER_INPUT error.code input.code"}},
		"newline in code": {func(c *plant.AssetSpec) { c.Code = "pump\n" }, []string{"BAD_USER_INPUT error.code input.code"}},
		"long code":       {func(c *plant.AssetSpec) { c.Code = strings.Repeat("a", 101) }, []string{"BAD_USER_INPUT error.code input.code"}},
		"taken code":      {func(c *plant.AssetSpec) { c.Code = "pump-1" }, []string{"CONFLICT error.asset.codeTaken input.code"}},
		"no name":         {func(c *plant.AssetSpec) { c.Name = "" }, []string{"BAD_USER_INPUT error.name input.name"}},
		"blank name":      {func(c *plant.AssetSpec) { c.Name = " \t" }, []string{"BAD_USER_INPUT error.name input.name"}},
		"long name":       {func(c *plant.AssetSpec) { c.Name = long }, []string{"BAD_USER_INPUT error.name input.name"}},
		"no type":         {func(c *plant.AssetSpec) { c.Type = "" }, []string{"BAD_USER_INPUT error.required input.type"}},
		"no criticality":  {func(c *plant.AssetSpec) { c.Criticality = "" }, []string{"BAD_USER_INPUT error.required input.criticality"}},
		"long maker":      {func(c *plant.AssetSpec) { c.Manufacturer = &long }, []string{"BAD_USER_INPUT error.tooLong input.manufacturer"}},
		"long model":      {func(c *plant.AssetSpec) { c.Model = &long }, []string{"BAD_USER_INPUT error.tooLong input.model"}},
		"long serial":     {func(c *plant.AssetSpec) { c.SerialNumber = ptr(long[:202]) }, []string{"BAD_USER_INPUT error.tooLong input.serialNumber"}},
		"long location":   {func(c *plant.AssetSpec) { c.Location = &long }, []string{"BAD_USER_INPUT error.tooLong input.location"}},
		"no power":        {func(c *plant.AssetSpec) { c.RatedPowerKW = ptr(0.0) }, []string{"BAD_USER_INPUT error.positive input.ratedPowerKw"}},
		"power NaN":       {func(c *plant.AssetSpec) { c.RatedPowerKW = ptr(math.NaN()) }, []string{"BAD_USER_INPUT error.positive input.ratedPowerKw"}},
		"endless power":   {func(c *plant.AssetSpec) { c.RatedPowerKW = ptr(math.Inf(1)) }, []string{"BAD_USER_INPUT error.positive input.ratedPowerKw"}},
		"negative cost":   {func(c *plant.AssetSpec) { c.DowntimeCostPerHour = ptr(-1.0) }, []string{"BAD_USER_INPUT error.negative input.downtimeCostPerHour"}},
		"no site":         {func(c *plant.AssetSpec) { c.Site = id.Nil }, []string{"BAD_USER_INPUT error.required input.siteId"}},
		"foreign site":    {func(c *plant.AssetSpec) { c.Site = w.globex.SiteID }, []string{"NOT_FOUND error.notFound input.siteId"}},
		"unknown site":    {func(c *plant.AssetSpec) { c.Site = id.New(id.Site) }, []string{"NOT_FOUND error.notFound input.siteId"}},
		"foreign parent":  {func(c *plant.AssetSpec) { c.Parent = &w.globex.AssetID }, []string{"NOT_FOUND error.notFound input.parentId"}},
		"foreign gateway": {func(c *plant.AssetSpec) { c.Gateway = &w.globex.GatewayID }, []string{"NOT_FOUND error.notFound input.gatewayId"}},
		"gateway of another site": {func(c *plant.AssetSpec) { c.Site, c.Gateway = w.south, &w.acme.GatewayID },
			[]string{"BAD_USER_INPUT error.gateway.otherSite input.gatewayId"}},
		"parent on another site": {func(c *plant.AssetSpec) { c.Site, c.Parent = w.south, &w.acme.AssetID },
			[]string{"BAD_USER_INPUT error.asset.otherSite input.parentId"}},
		"taken reference": {func(c *plant.AssetSpec) { c.ExternalRef = ptr("sap:7") }, []string{"CONFLICT error.asset.externalRefTaken input.externalRef"}},
		"negative price":  {func(c *plant.AssetSpec) { c.ReplacementCost = ptr(-1.0) }, []string{"BAD_USER_INPUT error.negative input.replacementCost"}},
		"several": {func(c *plant.AssetSpec) { c.Code, c.Name, c.Site = "?", "", w.globex.SiteID },
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

// update changes a machine as an engineer of acme.
func (w *world) update(which id.UUID, expected int, change func(*plant.AssetSpec)) (*ent.Asset, error) {
	return w.UpdateAsset(w.as(tenancy.Engineer), which, expected, change)
}

func TestUpdateAsset(t *testing.T) {
	w := newWorld(t)
	e, err := w.CreateAsset(w.as(tenancy.Engineer), w.pump(func(c *plant.AssetSpec) { c.Manufacturer, c.Model, c.RatedPowerKW = ptr("KSB"), ptr("HGC"), ptr(9.0) }))
	w.ok(err)
	got, err := w.update(e.ID, 1, func(c *plant.AssetSpec) { c.Name, c.Manufacturer = " New name ", nil })
	w.ok(err)
	if got.Name != "New name" || got.Manufacturer != nil || got.Model == nil || got.Version != 2 || *got.UpdatedBy != w.acme.Users[tenancy.Engineer] {
		t.Errorf("a name and a null: %v", got)
	}
	set := w.asset(w.south, "set", nil)
	got, err = w.update(e.ID, 2, func(c *plant.AssetSpec) {
		c.Site, c.Type, c.Criticality, c.Parent, c.Model, c.RatedPowerKW = w.south, enum.AssetFan, enum.CriticalityLow, &set, nil, nil
		c.SerialNumber, c.InstalledOn, c.Location, c.DowntimeCostPerHour = ptr("S"), ptr(time.Date(2021, 1, 1, 5, 0, 0, 0, time.UTC)), ptr("L"), ptr(5.0)
		c.ISOMachineGroup, c.ISOSupportType, c.IsActive = ptr(1), ptr(enum.SupportRigid), false
	})
	w.ok(err)
	stored, err := w.Asset(w.as(tenancy.Viewer), &e.ID, nil)
	w.ok(err)
	for name, got := range map[string]*ent.Asset{"payload": got, "stored": stored} {
		if got.SiteID != w.south || got.AssetType != enum.AssetFan || got.Criticality != enum.CriticalityLow || *got.ParentID != set || got.IsActive ||
			got.Model != nil || got.RatedPowerKw != nil || *got.SerialNumber != "S" || got.InstalledOn.Hour() != 0 || *got.Location != "L" ||
			*got.DowntimeCostPerHour != 5 || *got.IsoMachineGroup != 1 || *got.IsoSupportType != enum.SupportRigid || got.Version != 3 || got.Name != "New name" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestUpdateAssetRefuses(t *testing.T) {
	w := newWorld(t)
	child := w.asset(w.acme.SiteID, "child", map[string]any{"parent_id": w.acme.AssetID})
	far := w.asset(w.south, "far", nil)
	for name, c := range map[string]struct {
		which  id.UUID
		expect int
		change func(*plant.AssetSpec)
		want   string
	}{
		"stale version":      {w.acme.AssetID, 2, func(c *plant.AssetSpec) { c.Name = "x" }, "CONFLICT error.stale input.expectedVersion"},
		"no name":            {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Name = "" }, "BAD_USER_INPUT error.name input.name"},
		"no type":            {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Type = "" }, "BAD_USER_INPUT error.required input.type"},
		"no criticality":     {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Criticality = "" }, "BAD_USER_INPUT error.required input.criticality"},
		"no site":            {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Site = id.Nil }, "BAD_USER_INPUT error.required input.siteId"},
		"foreign site":       {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Site = w.globex.SiteID }, "NOT_FOUND error.notFound input.siteId"},
		"itself as parent":   {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Parent = &w.acme.AssetID }, "BAD_USER_INPUT error.asset.circle input.parentId"},
		"child as parent":    {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Parent = &child }, "BAD_USER_INPUT error.asset.circle input.parentId"},
		"parent on a site":   {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Parent = &far }, "BAD_USER_INPUT error.asset.otherSite input.parentId"},
		"foreign parent":     {w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Parent = &w.globex.AssetID }, "NOT_FOUND error.notFound input.parentId"},
		"moved, left behind": {far, 1, func(c *plant.AssetSpec) { c.Site, c.Gateway = w.acme.SiteID, &w.globex.GatewayID }, "NOT_FOUND error.notFound input.gatewayId"},
		"foreign asset":      {w.globex.AssetID, 1, func(c *plant.AssetSpec) { c.Name = "x" }, "NOT_FOUND error.notFound input.id"},
		"unknown asset":      {id.New(id.Asset), 1, func(c *plant.AssetSpec) { c.Name = "x" }, "NOT_FOUND error.notFound input.id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.update(c.which, c.expect, c.change)
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

// A machine that moves takes its parts and sensors along; gateways and the assembly
// stay behind.
func TestMoveAsset(t *testing.T) {
	w := newWorld(t)
	w.asset(w.acme.SiteID, "hall", nil)
	hall := w.byCode("hall")
	w.sql(`UPDATE assets SET parent_id = $2 WHERE id = $1`, w.acme.AssetID, hall)
	part := w.asset(w.acme.SiteID, "part", map[string]any{"parent_id": w.acme.AssetID, "gateway_id": w.acme.GatewayID})
	grain := w.asset(w.acme.SiteID, "grain", map[string]any{"parent_id": part})
	beside := w.asset(w.acme.SiteID, "beside", map[string]any{"parent_id": hall, "gateway_id": w.acme.GatewayID})
	moved, err := w.update(w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Site = w.south })
	w.ok(err)
	if moved.SiteID != w.south || moved.ParentID != nil || moved.GatewayID != nil {
		t.Errorf("moved: %v", moved)
	}
	assets, err := w.AssetsByID(w.as(tenancy.Viewer), []id.UUID{part, grain, beside})
	w.ok(err)
	if p := assets[part]; p.SiteID != w.south || p.GatewayID != nil || *p.ParentID != w.acme.AssetID || p.Version != 2 {
		t.Errorf("part: %v", p)
	}
	if assets[grain].SiteID != w.south || assets[beside].SiteID != w.acme.SiteID || assets[beside].GatewayID == nil {
		t.Errorf("grain %v, beside %v", assets[grain], assets[beside])
	}
	sensors, err := w.SensorsByID(w.as(tenancy.Viewer), w.acme.SensorIDs[:])
	w.ok(err)
	for _, s := range sensors {
		if s.GatewayID != nil {
			t.Errorf("%s keeps the gateway of the former site", s.SensorCode)
		}
	}
}

func (w *world) byCode(code string) id.UUID {
	w.Helper()
	e, err := w.Asset(w.as(tenancy.Viewer), nil, &code)
	w.ok(err)
	return e.ID
}

// Of two changes based on one version one wins, and two changes do not close a
// circle together.
func TestConcurrentUpdates(t *testing.T) {
	w := newWorld(t)
	other := w.asset(w.acme.SiteID, "other", nil)
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
			_, err := w.update(w.acme.AssetID, version, func(c *plant.AssetSpec) { c.Name = "n" })
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
			_, err := w.update(which, version, func(c *plant.AssetSpec) { c.Parent = &parent })
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
	w.awaitWaiting(held, 2)
	w.ok(held.Commit(t.Context()))
	wait.Wait()
}

// awaitWaiting returns when so many transactions wait for what this one holds.
func (w *world) awaitWaiting(held pgx.Tx, n int) {
	w.Helper()
	testkit.Eventually(w, testkit.Patience, func() bool {
		var waiting int
		w.ok(held.QueryRow(w.Context(), `SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database OR l.database IS NULL
			WHERE NOT l.granted AND d.datname = current_database()`).Scan(&waiting))
		return waiting == n
	})
}

// Of two deletions at once the later one finds nothing to delete, which is no failure of
// the product.
func TestConcurrentDeletions(t *testing.T) {
	w := newWorld(t)
	held, err := w.owner.Begin(t.Context())
	w.ok(err)
	_, err = held.Exec(t.Context(), `UPDATE assets SET is_deleted = true, deleted_at = now() WHERE id = $1`, w.acme.AssetID)
	w.ok(err)
	done := make(chan error, 1)
	go func() {
		_, err := w.DeleteAsset(w.as(tenancy.Engineer), w.acme.AssetID, nil)
		done <- err
	}()
	w.awaitWaiting(held, 1)
	w.ok(held.Commit(t.Context()))
	if err := <-done; !fault.Is(err, fault.NotFound) {
		t.Errorf("deleted meanwhile: %v", err)
	}
}

func TestTextsThatAreTooLongAreToldTheLimit(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("ä", 201)
	_, site := w.CreateSite(w.as(tenancy.Engineer), plant.SiteSpec{Code: "east", Name: "East", Location: long})
	_, asset := w.CreateAsset(w.as(tenancy.Engineer), w.pump(func(c *plant.AssetSpec) { c.Location = &long }))
	_, parameter := w.CreateParameter(w.as(tenancy.Engineer), plant.ParameterSpec{Name: "flow_rate", Unit: long})
	for what, c := range map[string]struct {
		err   error
		field string
		most  int
	}{"site": {site, "input.location", 200}, "asset": {asset, "input.location", 200}, "parameter": {parameter, "input.unit", 32}} {
		var l fault.List
		if !errors.As(c.err, &l) || len(l) != 1 || l[0].Key != "error.tooLong" || l[0].Field != c.field || l[0].Args["Max"] != c.most {
			t.Errorf("%s: %v", what, c.err)
		}
	}
}
