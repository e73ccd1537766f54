package alarms

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// deadline is how long what should happen soon may take.
const deadline = testkit.Patience

func ptr[T any](v T) *T { return &v }

func TestRulesAreEdited(t *testing.T) {
	w := newWorld(t)
	engineer := w.acme.As(t.Context(), tenancy.Engineer)
	made, err := w.rules.Create(engineer, RuleSpec{
		Name: " Hot ", AssetType: ptr(enum.AssetPump), SiteID: &w.acme.SiteID, Parameter: rules.Confidence, Operator: rules.GTE, Threshold: 0.5,
		FaultCodes: []string{"cavitation", "bent_shaft", "cavitation"}, OnlyInDistribution: true, Severity: rules.Critical,
		Deadband: 0.1, OnDelaySec: 60, OffDelaySec: 120, MinConsecutive: 3, IsActive: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if made.Name != "Hot" || made.Version != 1 || !slices.Equal(made.FaultCodes, []string{"bent_shaft", "cavitation"}) || *made.CreatedBy != w.acme.Users[tenancy.Engineer] {
		t.Errorf("%+v", made)
	}
	got, err := w.rules.Update(engineer, made.ID, 1, func(r *RuleSpec) {
		r.AssetType, r.Threshold, r.IsActive = nil, 0.7, false
	})
	if err != nil || got.Version != 2 || got.AssetType != nil || got.Threshold != 0.7 || got.IsActive || got.MinConsecutive != 3 || *got.SiteID != w.acme.SiteID {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := w.rules.Update(engineer, made.ID, 1, func(r *RuleSpec) {}); !fault.Is(err, fault.Conflict) || faultOf(err) != "error.stale input.expectedVersion" {
		t.Errorf("stale: %v", err)
	}

	gone, err := w.rules.Delete(engineer, made.ID)
	if err != nil || !gone.IsDeleted || gone.DeletedAt == nil {
		t.Fatalf("%+v, %v", gone, err)
	}
	for name, err := range map[string]error{
		"get":    second(w.rules.Get(engineer, made.ID)),
		"update": second(w.rules.Update(engineer, made.ID, gone.Version, func(*RuleSpec) {})),
		"delete": second(w.rules.Delete(engineer, made.ID)),
	} {
		if faultOf(err) != "error.notFound" {
			t.Errorf("%s of a deleted rule: %v", name, err)
		}
	}
	if found, err := w.rules.ByID(engineer, []id.UUID{made.ID}); err != nil || len(found) != 1 {
		t.Errorf("alarms lose the name of a deleted rule: %v, %v", found, err)
	}
	back, err := w.rules.Restore(engineer, made.ID)
	if err != nil || back.IsDeleted || back.DeletedAt != nil || back.Threshold != 0.7 {
		t.Errorf("%+v, %v", back, err)
	}
	if again, err := w.rules.Restore(engineer, made.ID); err != nil || again.Version != back.Version {
		t.Errorf("restored twice: %+v, %v", again, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhatRulesMayNotBe(t *testing.T) {
	w := newWorld(t)
	engineer := w.acme.As(t.Context(), tenancy.Engineer)
	elsewhere := func(sites ...id.UUID) context.Context {
		return tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, ID: w.acme.Users[tenancy.Engineer], TenantID: w.acme.TenantID,
			Scopes: tenancy.RoleScopes(tenancy.Engineer), SiteIDs: sites})
	}
	wide := w.rule(w.acme, nil)
	sound := func(change func(*RuleSpec)) RuleSpec {
		r := RuleSpec{Name: "Flow", Parameter: "flow", Operator: rules.LT, Threshold: 1, Severity: rules.Low, MinConsecutive: 1}
		change(&r)
		return r
	}
	for _, c := range []struct {
		name string
		ctx  context.Context
		spec RuleSpec
		want string
	}{
		{"sound", engineer, sound(func(*RuleSpec) {}), ""},
		{"by an operator", w.acme.As(t.Context(), tenancy.Operator), sound(func(*RuleSpec) {}), "error.forbidden"},
		{"another tenant's sensor", engineer, sound(func(r *RuleSpec) { r.SensorID = &w.globex.SensorIDs[0] }), "error.notFound input.sensorId"},
		{"another tenant's asset", engineer, sound(func(r *RuleSpec) { r.AssetID = &w.globex.AssetID }), "error.notFound input.assetId"},
		{"no such site", engineer, sound(func(r *RuleSpec) { r.SiteID = ptr(id.New(id.Site)) }), "error.notFound input.siteId"},
		{"unknown parameter", engineer, sound(func(r *RuleSpec) { r.Parameter = "charm" }), "error.rule.parameterUnknown input.parameter"},
		{"a channel", engineer, sound(func(r *RuleSpec) { r.Parameter = "motor_DE_vib_band_1" }), ""},
		{"unknown asset type", engineer, sound(func(r *RuleSpec) { r.AssetType = ptr(enum.AssetType("broom")) }), "error.rule.assetTypeUnknown input.assetType"},
		{"an actor of a site, its site", elsewhere(w.acme.SiteID), sound(func(r *RuleSpec) { r.SiteID = &w.acme.SiteID }), ""},
		{"an actor of a site, the whole tenant", elsewhere(w.acme.SiteID), sound(func(*RuleSpec) {}), "error.forbidden"},
		{"an actor of another site", elsewhere(id.New(id.Site)), sound(func(r *RuleSpec) { r.AssetID = &w.acme.AssetID }), "error.notFound input.assetId"},
	} {
		if _, err := w.rules.Create(c.ctx, c.spec); faultOf(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for name, err := range map[string]error{
		"update": second(w.rules.Update(elsewhere(w.acme.SiteID), wide, 1, func(r *RuleSpec) { r.Name = "mine" })),
		"delete": second(w.rules.Delete(elsewhere(w.acme.SiteID), wide)),
	} {
		if faultOf(err) != "error.forbidden" {
			t.Errorf("%s of the whole tenant's rule by an actor of a site: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"get":     second(w.rules.Get(w.globex.As(t.Context(), tenancy.Admin), wide)),
		"update":  second(w.rules.Update(w.globex.As(t.Context(), tenancy.Admin), wide, 1, func(*RuleSpec) {})),
		"delete":  second(w.rules.Delete(w.globex.As(t.Context(), tenancy.Admin), wide)),
		"restore": second(w.rules.Restore(w.globex.As(t.Context(), tenancy.Admin), wide)),
	} {
		if faultOf(err) != "error.notFound" {
			t.Errorf("%s by another tenant: %v", name, err)
		}
	}
}

func TestRulesOfMissingThingsAreNotRestored(t *testing.T) {
	w := newWorld(t)
	admin := w.acme.As(t.Context(), tenancy.Admin)
	rule := w.rule(w.acme, func(r *RuleSpec) { r.SensorID = &w.acme.SensorIDs[0] })
	w.ok(w.rules.client.Sensor.DeleteOneID(w.acme.SensorIDs[0]).Exec(admin)) // takes the rule along
	if _, err := w.rules.Restore(admin, rule); faultOf(err) != "error.notFound input.sensorId" {
		t.Errorf("restored: %v", err)
	}
}

func TestListOfRules(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"b", "a", "c", "B 100%", "d"} {
		w.rule(w.acme, func(r *RuleSpec) { r.Name, r.IsActive = name, name != "d" })
	}
	w.rule(w.globex, nil)
	viewer := w.acme.As(t.Context(), tenancy.Viewer)
	names := func(rs []*ent.AlarmRule) (out []string) {
		for _, r := range rs {
			out = append(out, r.Name)
		}
		return out
	}
	all, err := w.rules.List(viewer, RuleFilter{}, page.Args{First: ptr(100), Total: true})
	if err != nil || all.Total != 5 {
		t.Fatalf("%+v, %v", all, err)
	}
	var got []*ent.AlarmRule
	var after *string
	for {
		p, err := w.rules.List(viewer, RuleFilter{}, page.Args{First: ptr(2), After: after})
		w.ok(err)
		got = append(got, p.Items...)
		if !p.HasNext {
			break
		}
		after = ptr(p.Cursor(p.Items[len(p.Items)-1]))
	}
	if !slices.Equal(names(got), names(all.Items)) || len(got) != 5 {
		t.Errorf("page by page %q, at once %q", names(got), names(all.Items))
	}
	for _, c := range []struct {
		f    RuleFilter
		want int
	}{
		{RuleFilter{Search: "b"}, 2}, {RuleFilter{Search: "%"}, 1}, {RuleFilter{IsActive: ptr(false)}, 1}, {RuleFilter{AssetType: enum.AssetPump}, 0},
	} {
		if p, err := w.rules.List(viewer, c.f, page.Args{}); err != nil || len(p.Items) != c.want {
			t.Errorf("%+v: %q, want %d (%v)", c.f, names(p.Items), c.want, err)
		}
	}
}

func TestWorkersLearnOfRulesAtOnce(t *testing.T) {
	w := newWorld(t)
	log := slog.New(slog.DiscardHandler)
	source := NewRuleSource(SourceOptions{Pool: w.worker, Refresh: time.Hour, Log: log,
		Listen: func(ctx context.Context, deliver func(string)) error {
			return postgres.Listen(ctx, w.db.WorkerDSN, postgres.ChangeChannel, log, deliver)
		}})
	w.ok(source.Start(t.Context()))
	defer func() { w.ok(source.Stop(context.WithoutCancel(t.Context()))) }()
	engineer := w.acme.As(t.Context(), tenancy.Engineer)

	rule := w.rule(w.acme, func(r *RuleSpec) { r.AssetID, r.OnDelaySec = &w.acme.AssetID, 90 })
	testkit.Eventually(t, deadline, func() bool { return source.Set(w.acme.TenantID).Len() == 1 })
	got := source.Set(w.acme.TenantID).All()[0]
	if got.ID != rule || got.Scope != (rules.Scope{Asset: w.acme.AssetID}) || got.OnDelay != 90*time.Second || got.Version != 1 || got.Tenant != w.acme.TenantID {
		t.Errorf("%+v", got)
	}
	if source.Set(w.globex.TenantID).Len() != 0 {
		t.Error("globex has acme's rule")
	}
	for _, step := range []struct {
		name string
		do   func() error
		want int
	}{
		{"deactivated", func() error {
			return second(w.rules.Update(engineer, rule, 1, func(r *RuleSpec) { r.IsActive = false }))
		}, 0},
		{"activated", func() error {
			return second(w.rules.Update(engineer, rule, 2, func(r *RuleSpec) { r.IsActive = true }))
		}, 1},
		{"deleted", func() error { return second(w.rules.Delete(engineer, rule)) }, 0},
		{"restored", func() error { return second(w.rules.Restore(engineer, rule)) }, 1},
	} {
		w.ok(step.do())
		testkit.Eventually(t, deadline, func() bool { return source.Set(w.acme.TenantID).Len() == step.want })
	}
}

func TestRulesFollowTheRefreshWithoutNotices(t *testing.T) {
	w := newWorld(t)
	source := NewRuleSource(SourceOptions{Pool: w.worker, Refresh: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	w.ok(source.Start(t.Context()))
	defer func() { w.ok(source.Stop(context.WithoutCancel(t.Context()))) }()
	w.rule(w.acme, nil)
	testkit.Eventually(t, deadline, func() bool { return source.Set(w.acme.TenantID).Len() == 1 })
}
