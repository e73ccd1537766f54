package alarms

import (
	"slices"
	"testing"
	"time"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
)

func TestEventsPageByPage(t *testing.T) {
	w := newWorld(t)
	for range 7 {
		w.rule(w.acme, nil)
	}
	w.rule(w.globex, nil)
	// Seven alarms of one time and one later: ties are broken by id.
	w.apply(w.acme, flow(w.acme, 0, 0, 11))
	w.rule(w.acme, func(r *RuleSpec) { r.Name = "later" })
	w.apply(w.acme, flow(w.acme, 0, 1, 12))
	w.apply(w.globex, flow(w.globex, 0, 0, 11))
	viewer := w.acme.As(t.Context(), tenancy.Viewer)

	all, err := w.service.Events(viewer, EventFilter{}, Page{First: 100})
	if err != nil || len(all.Events) != 8 || all.HasNext || all.HasPrev || all.Events[0].RuleName != "later" {
		t.Fatalf("%+v, %v", all, err)
	}
	want := idsOf(all.Events)
	var got []id.UUID
	var after *Place
	for {
		page, err := w.service.Events(viewer, EventFilter{}, Page{First: 3, After: after})
		w.ok(err)
		got = append(got, idsOf(page.Events)...)
		if page.HasPrev != (after != nil) {
			t.Error("the page does not know what precedes it")
		}
		if !page.HasNext {
			break
		}
		p, err := ParsePlace(PlaceOf(&page.Events[len(page.Events)-1]).String())
		w.ok(err)
		after = &p
	}
	if !slices.Equal(got, want) {
		t.Errorf("forwards: %v, want %v", got, want)
	}
	before := PlaceOf(&all.Events[5])
	page, err := w.service.Events(viewer, EventFilter{}, Page{Last: 2, Before: &before})
	if err != nil || !slices.Equal(idsOf(page.Events), want[3:5]) || !page.HasPrev || !page.HasNext {
		t.Errorf("backwards: %+v, %v", page, err)
	}
	for _, p := range []Page{{}, {First: 101}, {First: 1, Last: 1}, {First: -1}} {
		if _, err := w.service.Events(viewer, EventFilter{}, p); !fault.Is(err, fault.BadInput) {
			t.Errorf("page %+v: %v", p, err)
		}
	}
}

func TestEventFilters(t *testing.T) {
	w := newWorld(t)
	high := w.rule(w.acme, nil)
	w.rule(w.acme, func(r *RuleSpec) { r.Severity, r.Threshold = rules.Critical, 50 })
	w.apply(w.acme, flow(w.acme, 0, 0, 11), flow(w.acme, 1, 1, 99), flow(w.acme, 1, 2, 1))
	viewer := w.acme.As(t.Context(), tenancy.Viewer)
	elsewhere := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, TenantID: w.acme.TenantID,
		Scopes: tenancy.RoleScopes(tenancy.Viewer), SiteIDs: []id.UUID{id.New(id.Site)}})
	atHome := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, TenantID: w.acme.TenantID,
		Scopes: tenancy.RoleScopes(tenancy.Viewer), SiteIDs: []id.UUID{w.acme.SiteID}})
	for _, c := range []struct {
		name string
		f    EventFilter
		want int
	}{
		{"all", EventFilter{}, 3},
		{"open", EventFilter{Statuses: []rules.Status{rules.Open}}, 1},
		{"open and cleared", EventFilter{Statuses: []rules.Status{rules.Open, rules.Cleared}}, 3},
		{"resolved", EventFilter{Statuses: []rules.Status{rules.Resolved}}, 0},
		{"active", EventFilter{ActiveOnly: true}, 3},
		{"critical", EventFilter{Severities: []rules.Severity{rules.Critical}}, 1},
		{"of a rule", EventFilter{RuleID: high}, 2},
		{"of a sensor", EventFilter{SensorID: w.acme.SensorIDs[1]}, 2},
		{"of the asset", EventFilter{AssetID: w.acme.AssetID}, 3},
		{"of the site", EventFilter{SiteID: w.acme.SiteID}, 3},
		{"of another site", EventFilter{SiteID: w.globex.SiteID}, 0},
		{"of today", EventFilter{Days: 1}, 3},
		{"together", EventFilter{Days: 1, RuleID: high, SensorID: w.acme.SensorIDs[1], Statuses: []rules.Status{rules.Cleared}}, 1},
	} {
		page, err := w.service.Events(viewer, c.f, Page{First: 10})
		w.ok(err)
		n, err := w.service.CountEvents(viewer, c.f)
		w.ok(err)
		if len(page.Events) != c.want || n != c.want {
			t.Errorf("%s: %d listed, %d counted, want %d", c.name, len(page.Events), n, c.want)
		}
		if n, err := w.service.CountEvents(elsewhere, c.f); err != nil || n != 0 {
			t.Errorf("%s: %d seen from another site (%v)", c.name, n, err)
		}
		if n, err := w.service.CountEvents(atHome, c.f); err != nil || n != c.want {
			t.Errorf("%s: %d seen at its site (%v)", c.name, n, err)
		}
	}
	counts, err := w.service.CountBySeverity(viewer, EventFilter{ActiveOnly: true})
	if err != nil || len(counts) != 2 || counts[rules.High] != 2 || counts[rules.Critical] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	if _, err := w.service.Events(viewer, EventFilter{Days: 366}, Page{First: 1}); keyOf(err) != "error.range filter.days" {
		t.Errorf("too many days: %v", err)
	}
}

func TestPlacesOfStrangers(t *testing.T) {
	for _, s := range []string{"", ".", "x", "1.", "!.00000000-0000-0000-0000-000000000000", "zz.zz"} {
		if p, err := ParsePlace(s); err == nil {
			t.Errorf("%q is %+v", s, p)
		}
	}
	want := Place{time.Date(2026, 3, 1, 0, 0, 0, 1000, time.UTC), id.New(id.AlarmEvent)}
	if got, err := ParsePlace(want.String()); err != nil || got != want {
		t.Errorf("%+v came back as %+v, %v", want, got, err)
	}
}
