package alarms

import (
	"slices"
	"testing"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
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

	all, err := w.service.Events(viewer, EventFilter{}, page.Args{First: ptr(100), Total: true})
	if err != nil || len(all.Items) != 8 || all.Total != 8 || all.HasNext || all.HasPrevious || all.Items[0].RuleName != "later" {
		t.Fatalf("%+v, %v", all, err)
	}
	want := idsOf(all.Items)
	for name, read := range map[string]func(cursor *string) (page.Page[*Event], bool, error){
		"forwards": func(c *string) (page.Page[*Event], bool, error) {
			p, err := w.service.Events(viewer, EventFilter{}, page.Args{First: ptr(3), After: c})
			return p, p.HasNext, err
		},
		"backwards": func(c *string) (page.Page[*Event], bool, error) {
			p, err := w.service.Events(viewer, EventFilter{}, page.Args{Last: ptr(3), Before: c})
			slices.Reverse(p.Items)
			return p, p.HasPrevious, err
		},
	} {
		var got []id.UUID
		var cursor *string
		for more := true; more; {
			var p page.Page[*Event]
			p, more, err = read(cursor)
			w.ok(err)
			got = append(got, idsOf(p.Items)...)
			cursor = ptr(p.Cursor(p.Items[len(p.Items)-1]))
		}
		if name == "backwards" {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, cursor := range []string{"x", page.Encode("alarms", page.Key{"yesterday", want[0].String()}), page.Encode("alarms", page.Key{"a"}), page.Encode("alarms", page.Key{"2026-01-01T00:00:00Z", "x"})} {
		if _, err := w.service.Events(viewer, EventFilter{}, page.Args{After: &cursor}); !fault.Is(err, fault.BadInput) {
			t.Errorf("cursor %q: %v", cursor, err)
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
		if p, err := w.service.Events(viewer, c.f, page.Args{Total: true}); err != nil || len(p.Items) != c.want || p.Total != c.want {
			t.Errorf("%s: %d listed, %d counted, want %d (%v)", c.name, len(p.Items), p.Total, c.want, err)
		}
		if p, err := w.service.Events(elsewhere, c.f, page.Args{Total: true}); err != nil || len(p.Items) != 0 || p.Total != 0 {
			t.Errorf("%s: %d seen from another site (%v)", c.name, p.Total, err)
		}
		if p, err := w.service.Events(atHome, c.f, page.Args{}); err != nil || len(p.Items) != c.want {
			t.Errorf("%s: %d seen at its site (%v)", c.name, len(p.Items), err)
		}
	}
	counts, err := w.service.CountBySeverity(viewer, EventFilter{ActiveOnly: true})
	if err != nil || len(counts) != 2 || counts[rules.High] != 2 || counts[rules.Critical] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	if _, err := w.service.Events(viewer, EventFilter{Days: 366}, page.Args{}); faultOf(err) != "error.range filter.days" {
		t.Errorf("too many days: %v", err)
	}
}
