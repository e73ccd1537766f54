package deploy_test

import (
	"context"
	"fmt"
	"testing"

	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func TestBindings(t *testing.T) {
	w := newWorld(t)
	ctx := w.engineer()
	list := func(ctx context.Context, f deploy.BindingFilter) string {
		p, err := w.Bindings(ctx, f, all())
		w.ok(err)
		out := fmt.Sprint(p.Total)
		for _, b := range p.Items {
			for number, v := range w.versions[w.acme.TenantID] {
				if v == b.ModelVersionID {
					out += fmt.Sprintf(", %s %s %d %v", number, b.Stage, b.TrafficPercent, b.IsActive)
				}
			}
		}
		return out
	}
	b, err := w.Bind(ctx, deploy.Binding{Asset: w.acme.AssetID, Version: w.v("1.0.1"), Stage: enum.BindingProduction})
	w.ok(err)
	if b.DeployedBy == nil || *b.DeployedBy != w.acme.Users[tenancy.Engineer] || b.ModelID != w.acmeModel() {
		t.Errorf("bound %+v", b)
	}
	w.standing("1.0.0 production, 1.0.1 production, | 1.0.0 production 100")
	w.clock.pass(1e9)
	_, err = w.Bind(ctx, deploy.Binding{Asset: w.acme.AssetID, Version: w.v("1.0.2"), Stage: enum.BindingCanary, Percent: 30})
	w.ok(err)
	w.clock.pass(1e9)
	// Another one of the stage takes its place.
	next, err := w.Bind(ctx, deploy.Binding{Asset: w.acme.AssetID, Version: w.v("1.0.3"), Stage: enum.BindingProduction})
	w.ok(err)
	w.standing("1.0.0 production, 1.0.2 canary, 1.0.3 production, | 1.0.0 production 100")
	if got, want := list(ctx, deploy.BindingFilter{}), "2, 1.0.3 production 100 true, 1.0.2 canary 30 true"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := list(ctx, deploy.BindingFilter{Ended: true, Asset: &w.acme.AssetID}), "3, 1.0.3 production 100 true, 1.0.2 canary 30 true, 1.0.1 production 100 false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if found, err := w.Unbind(ctx, next.ID); err != nil || found.IsActive || found.DeploymentEnd == nil {
		t.Errorf("unbound %+v, %v", found, err)
	}
	w.standing("1.0.0 production, 1.0.2 canary, | 1.0.0 production 100")
	_, err = w.Unbind(ctx, next.ID)
	w.refused(err, fault.Conflict, "error.deploy.ended")

	// A version that is bound when another takes its place in production still serves, and
	// goes to the archive with its last binding.
	_, err = w.Bind(ctx, deploy.Binding{Asset: w.acme.AssetID, Version: w.v("1.0.0"), Stage: enum.BindingProduction})
	w.ok(err)
	_, err = w.Deploy(ctx, deploy.Plan{Version: w.v("1.0.3"), Stage: enum.BindingProduction})
	w.ok(err)
	w.standing("1.0.0 production, 1.0.2 canary, 1.0.3 production, | 1.0.3 production 100")
	last, err := w.Bindings(ctx, deploy.BindingFilter{Asset: &w.acme.AssetID}, all())
	w.ok(err)
	for _, b := range last.Items {
		if b.ModelVersionID == w.v("1.0.0") {
			_, err = w.Unbind(ctx, b.ID)
			w.ok(err)
		}
	}
	w.standing("1.0.0 archived, 1.0.2 canary, 1.0.3 production, | 1.0.3 production 100")

	for name, c := range map[string]struct {
		b    deploy.Binding
		kind fault.Kind
	}{
		"another tenant's machine": {deploy.Binding{Asset: w.globex.AssetID, Version: w.v("1.0.1"), Stage: enum.BindingProduction}, fault.NotFound},
		"another tenant's version": {deploy.Binding{Asset: w.acme.AssetID, Version: w.versions[w.globex.TenantID]["1.0.1"], Stage: enum.BindingProduction}, fault.NotFound},
		"too little":               {deploy.Binding{Asset: w.acme.AssetID, Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: -1}, fault.BadInput},
	} {
		if _, err := w.Bind(ctx, c.b); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A binding of a machine on another site does not exist.
	elsewhere := *tenancy.Must(ctx)
	elsewhere.SiteIDs = []id.UUID{id.New(id.Site)}
	other := tenancy.With(t.Context(), &elsewhere)
	if got := list(other, deploy.BindingFilter{}); got != "0" {
		t.Errorf("seen from another site: %s", got)
	}
	if _, err := w.Bind(other, deploy.Binding{Asset: w.acme.AssetID, Version: w.v("1.0.1"), Stage: enum.BindingShadow}); !fault.Is(err, fault.NotFound) {
		t.Errorf("bound from another site: %v", err)
	}
	if _, err := w.Unbind(w.globex.As(t.Context(), tenancy.Admin), b.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("unbound by another tenant: %v", err)
	}
	if got, err := w.BindingsByID(w.globex.As(t.Context(), tenancy.Admin), []id.UUID{b.ID}); err != nil || len(got) != 0 {
		t.Errorf("another tenant sees %v, %v", got, err)
	}
}
