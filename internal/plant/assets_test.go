package plant_test

import (
	"fmt"
	"slices"
	"testing"

	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
)

// fleet fills acme with machines that tie in every order.
func fleet(w *world) (all []string) {
	severities := []string{"low", "medium", "high", "critical"}
	for i := range 11 {
		a := w.asset(w.acme.SiteID, fmt.Sprintf("m-%02d", 10-i), map[string]any{
			"name": fmt.Sprintf("Machine %d", i%3), "criticality": severities[i%4], "created_at": fmt.Sprintf("2026-01-0%dT00:00:00Z", 1+i%2)})
		for n := range i % 4 { // 0-3 alarms, some of them over
			w.alarm(w.acme, w.acme.SiteID, a, severities[n], []string{"open", "acknowledged", "cleared"}[n])
		}
		w.alarm(w.acme, w.acme.SiteID, a, "critical", "resolved")
		all = append(all, fmt.Sprintf("m-%02d", 10-i))
	}
	w.alarm(w.globex, w.globex.SiteID, w.globex.AssetID, "critical", "open")
	return append(all, "pump-1")
}

func TestPagesMeetInEveryOrder(t *testing.T) {
	w := newWorld(t)
	all := fleet(w)
	slices.Sort(all)
	ctx := w.as(tenancy.Viewer)
	// What the orders promise, rising; ties are in the order of ids, which rise with creation.
	first := map[plant.AssetOrder]string{plant.ByCode: "m-00", plant.ByName: "pump-1", plant.ByCriticality: "m-10", plant.ByAlarms: "pump-1", plant.ByCreation: "m-10"}
	for by := range first {
		for _, desc := range []bool{false, true} {
			for _, size := range []int{1, 4, 12, 50} {
				t.Run(fmt.Sprintf("%s desc=%v size %d", by, desc, size), func(t *testing.T) {
					var forward, backward []string
					for a := (page.Args{First: &size, Total: true}); ; {
						p, _, err := w.Assets(ctx, a, plant.AssetFilter{}, by, desc, plant.Beside{})
						w.ok(err)
						if p.Total != len(all) {
							t.Fatalf("total %d, want %d", p.Total, len(all))
						}
						if p.HasPrevious != (a.After != nil) {
							t.Errorf("hasPreviousPage %v behind %v", p.HasPrevious, a.After)
						}
						forward = append(forward, codes(p.Items)...)
						if !p.HasNext {
							break
						}
						a.After = ptr(p.Cursor(p.Items[len(p.Items)-1]))
					}
					for a := (page.Args{Last: &size}); ; {
						p, _, err := w.Assets(ctx, a, plant.AssetFilter{}, by, desc, plant.Beside{})
						w.ok(err)
						backward = append(codes(p.Items), backward...)
						if !p.HasPrevious {
							break
						}
						a.Before = ptr(p.Cursor(p.Items[0]))
					}
					if !slices.Equal(forward, backward) {
						t.Errorf("forward  %v\nbackward %v", forward, backward)
					}
					sorted := slices.Sorted(slices.Values(forward))
					if !slices.Equal(sorted, all) {
						t.Errorf("got %v, want each of %v once", forward, all)
					}
				})
			}
		}
	}
}

func TestAssetsAreInOrder(t *testing.T) {
	w := newWorld(t)
	fleet(w)
	ctx := w.as(tenancy.Viewer)
	list := func(by plant.AssetOrder, desc bool) []string {
		p, _, err := w.Assets(ctx, page.Args{First: ptr(100)}, plant.AssetFilter{}, by, desc, plant.Beside{})
		w.ok(err)
		return codes(p.Items)
	}
	// m-10 is the first made (i = 0): names, criticalities and alarms go by i modulo 3, 4, 4.
	for _, c := range []struct {
		by   plant.AssetOrder
		desc bool
		want []string
	}{
		{plant.ByCode, false, []string{"m-00", "m-01", "m-02", "m-03", "m-04", "m-05", "m-06", "m-07", "m-08", "m-09", "m-10", "pump-1"}},
		{plant.ByName, false, []string{"pump-1", "m-10", "m-07", "m-04", "m-01", "m-09", "m-06", "m-03", "m-00", "m-08", "m-05", "m-02"}},
		{plant.ByCriticality, true, []string{"m-03", "m-07", "m-00", "m-04", "m-08", "m-01", "m-05", "m-09", "pump-1", "m-02", "m-06", "m-10"}},
		{plant.ByAlarms, true, []string{"m-03", "m-07", "m-00", "m-04", "m-08", "m-01", "m-05", "m-09", "m-02", "m-06", "m-10", "pump-1"}},
		{plant.ByCreation, false, []string{"m-10", "m-08", "m-06", "m-04", "m-02", "m-00", "m-09", "m-07", "m-05", "m-03", "m-01", "pump-1"}},
	} {
		if got := list(c.by, c.desc); !slices.Equal(got, c.want) {
			t.Errorf("%s desc=%v\n got %v\nwant %v", c.by, c.desc, got, c.want)
		}
	}
}

// The worst alarm counts before their number.
func TestOneCriticalAlarmOutweighsManyLower(t *testing.T) {
	w := newWorld(t)
	many, one := w.asset(w.south, "many", nil), w.asset(w.south, "one", nil)
	for range 20 {
		w.alarm(w.acme, w.south, many, "high", "open")
	}
	w.alarm(w.acme, w.south, one, "critical", "open")
	p, _, err := w.Assets(w.as(tenancy.Viewer), page.Args{First: ptr(2)}, plant.AssetFilter{}, plant.ByAlarms, true, plant.Beside{})
	w.ok(err)
	if got := codes(p.Items); !slices.Equal(got, []string{"one", "many"}) {
		t.Errorf("worst first: %v", got)
	}
	load, err := w.AlarmLoadOfAssets(w.as(tenancy.Viewer), []id.UUID{many, one, w.acme.AssetID, w.globex.AssetID})
	w.ok(err)
	if len(load) != 2 || load[many] != (plant.AlarmLoad{Active: 20, Worst: enum.SeverityHigh}) || load[one] != (plant.AlarmLoad{Active: 1, Worst: enum.SeverityCritical}) {
		t.Errorf("alarm load %v", load)
	}
}

func TestAssetFilters(t *testing.T) {
	w := newWorld(t)
	set := w.asset(w.south, "set-1", map[string]any{"asset_type": "pump_set", "criticality": "critical", "name": "100% Duty_Set"})
	motor := w.asset(w.south, "set-1-m", map[string]any{"asset_type": "motor", "parent_id": set, "manufacturer": "Siemens", "serial_number": "SN-77"})
	w.alarm(w.acme, w.south, motor, "high", "open")
	w.alarm(w.acme, w.south, set, "high", "resolved")
	for name, c := range map[string]struct {
		filter plant.AssetFilter
		want   []string
	}{
		"none":               {plant.AssetFilter{}, []string{"pump-1", "set-1", "set-1-m"}},
		"code":               {plant.AssetFilter{Search: ptr("SET-1-")}, []string{"set-1-m"}},
		"name":               {plant.AssetFilter{Search: ptr("feed")}, []string{"pump-1"}},
		"maker":              {plant.AssetFilter{Search: ptr("siem")}, []string{"set-1-m"}},
		"serial number":      {plant.AssetFilter{Search: ptr("sn-77")}, []string{"set-1-m"}},
		"a percent sign":     {plant.AssetFilter{Search: ptr("0%")}, []string{"set-1"}},
		"an underscore":      {plant.AssetFilter{Search: ptr("y_s")}, []string{"set-1"}},
		"a backslash":        {plant.AssetFilter{Search: ptr(`\`)}, []string{}},
		"empty text":         {plant.AssetFilter{Search: ptr("")}, []string{"pump-1", "set-1", "set-1-m"}},
		"type":               {plant.AssetFilter{Types: []enum.AssetType{enum.AssetMotor, enum.AssetPumpSet}}, []string{"set-1", "set-1-m"}},
		"criticality":        {plant.AssetFilter{Criticalities: []enum.Criticality{enum.CriticalityCritical}}, []string{"set-1"}},
		"site":               {plant.AssetFilter{Site: &w.south}, []string{"set-1", "set-1-m"}},
		"parent":             {plant.AssetFilter{Parent: &set}, []string{"set-1-m"}},
		"in alarm":           {plant.AssetFilter{HasActiveAlarm: ptr(true)}, []string{"set-1-m"}},
		"not in alarm":       {plant.AssetFilter{HasActiveAlarm: ptr(false)}, []string{"pump-1", "set-1"}},
		"all together":       {plant.AssetFilter{Search: ptr("set"), Site: &w.south, Types: []enum.AssetType{enum.AssetMotor}, HasActiveAlarm: ptr(true)}, []string{"set-1-m"}},
		"a foreign site":     {plant.AssetFilter{Site: &w.globex.SiteID}, []string{}},
		"a foreign parent":   {plant.AssetFilter{Parent: &w.globex.AssetID}, []string{}},
		"quotes, not syntax": {plant.AssetFilter{Search: ptr(`'; DROP TABLE assets; --`)}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, err := w.Assets(w.as(tenancy.Viewer), page.Args{First: ptr(100), Total: true}, c.filter, plant.ByCode, false, plant.Beside{})
			w.ok(err)
			if got := codes(p.Items); !slices.Equal(got, c.want) || p.Total != len(c.want) {
				t.Errorf("got %v, %d in all; want %v", got, p.Total, c.want)
			}
		})
	}
}

func TestCursorsOfAnotherOrderAreRefused(t *testing.T) {
	w := newWorld(t)
	w.asset(w.south, "another", nil)
	ctx := w.as(tenancy.Viewer)
	p, _, err := w.Assets(ctx, page.Args{First: ptr(1)}, plant.AssetFilter{}, plant.ByCode, false, plant.Beside{})
	w.ok(err)
	cursor := p.Cursor(p.Items[0])
	for name, list := range map[string]func(page.Args) error{
		"by name": func(a page.Args) error {
			_, _, err := w.Assets(ctx, a, plant.AssetFilter{}, plant.ByName, false, plant.Beside{})
			return err
		},
		"by alarms": func(a page.Args) error {
			_, _, err := w.Assets(ctx, a, plant.AssetFilter{}, plant.ByAlarms, false, plant.Beside{})
			return err
		},
		"by creation": func(a page.Args) error {
			_, _, err := w.Assets(ctx, a, plant.AssetFilter{}, plant.ByCreation, false, plant.Beside{})
			return err
		},
		"the other way": func(a page.Args) error {
			_, _, err := w.Assets(ctx, a, plant.AssetFilter{}, plant.ByCode, true, plant.Beside{})
			return err
		},
		"of sites": func(a page.Args) error {
			_, err := w.Sites(ctx, a, plant.SiteFilter{}, plant.OrderCode, false)
			return err
		},
	} {
		for _, a := range []page.Args{{After: &cursor}, {Before: &cursor}} {
			if err := list(a); !fault.Is(err, fault.BadInput) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	forged := page.Encode("+asset_code+id", page.Key{"a\x00", w.south.String()})
	if _, _, err := w.Assets(ctx, page.Args{After: &forged}, plant.AssetFilter{}, plant.ByCode, false, plant.Beside{}); !fault.Is(err, fault.BadInput) {
		t.Errorf("a cursor with a zero byte: %v", err)
	}
}

func TestAssetByIDOrCode(t *testing.T) {
	w := newWorld(t)
	ctx := w.as(tenancy.Viewer)
	code := "pump-1"
	for name, c := range map[string]struct {
		by   *id.UUID
		code *string
		want string
	}{
		"by id":      {&w.acme.AssetID, nil, "<nil>"},
		"by code":    {nil, &code, "<nil>"},
		"both":       {&w.acme.AssetID, &code, "BAD_USER_INPUT error.asset.idOrCode "},
		"neither":    {nil, nil, "BAD_USER_INPUT error.asset.idOrCode "},
		"foreign id": {&w.globex.AssetID, nil, "NOT_FOUND error.notFound "},
		"no such":    {nil, ptr("pump-9"), "NOT_FOUND error.notFound "},
	} {
		e, err := w.Asset(ctx, c.by, c.code)
		if got := faults(err)[0]; got != c.want || err == nil && e.ID != w.acme.AssetID {
			t.Errorf("%s: %v, %s", name, e, got)
		}
	}
}
