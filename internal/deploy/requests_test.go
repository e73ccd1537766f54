package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// policy is one that lets everything pass; change alters it.
func (w *world) policy(change func(*deploy.Policy)) *deploy.Policy {
	w.Helper()
	p := deploy.Policy{Model: w.acmeModel(), MinHours: 1, MinPredictions: 100, MaxAlarmRatio: 2, MinPrecision: 0.7, MaxDrift: enum.DriftModerate, WatchHours: 24,
		Steps: []int{5, 25, 100}}
	if change != nil {
		change(&p)
	}
	var expected *int
	if old, err := w.Policy(w.admin(), p.Model); err == nil && old != nil {
		expected = &old.Version
	}
	set, err := w.SetPolicy(w.admin(), p, expected)
	w.ok(err)
	return set
}

// Between a version and production stands another person than the one who asked.
func TestApproval(t *testing.T) {
	w := newWorld(t)
	plan := deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction}
	r, err := w.Request(w.engineer(), plan, "Better on bearings.")
	w.ok(err)
	if r.Status != deploy.Pending || r.RequestedBy == nil || *r.RequestedBy != w.acme.Users[tenancy.Engineer] || r.Percent != 100 || r.Note != "Better on bearings." {
		t.Errorf("requested %+v", r)
	}
	w.standing("1.0.0 production, | 1.0.0 production 100")
	if n := w.post.all; len(n) != 1 || !sameIDs(n[0].Behind, []id.UUID{w.acme.Users[tenancy.Engineer]}) {
		t.Errorf("written %+v", n)
	}
	w.written("asked fault_classifier:1.0.1 100")
	_, err = w.Request(w.admin(), plan, "")
	w.refused(err, fault.Conflict, "error.deploy.requested")
	_, err = w.Approve(w.engineer(), r.ID, "")
	w.refused(err, fault.Forbidden, "error.deploy.ownRequest")
	_, err = w.Approve(w.rules(), r.ID, "")
	w.refused(err, fault.Forbidden, "error.deploy.person")
	if _, err := w.Approve(w.acme.As(t.Context(), tenancy.Operator), r.ID, ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an operator approved: %v", err)
	}
	if _, err := w.Approve(w.globex.As(t.Context(), tenancy.Admin), r.ID, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant approved: %v", err)
	}
	done, err := w.Approve(w.admin(), r.ID, "Go.")
	w.ok(err)
	if done.Status != deploy.Approved || done.DecidedBy == nil || *done.DecidedBy != w.acme.Users[tenancy.Admin] || done.Deployment == nil || done.Answer != "Go." {
		t.Errorf("approved %+v", done)
	}
	w.standing("1.0.0 archived, 1.0.1 production, | 1.0.1 production 100")
	_, err = w.Reject(w.admin(), r.ID, "")
	w.refused(err, fault.Conflict, "error.deploy.decided")

	second, err := w.Request(w.engineer(), deploy.Plan{Version: w.v("1.0.2"), Stage: enum.BindingCanary, Percent: 10}, "")
	w.ok(err)
	refused, err := w.Reject(w.engineer(), second.ID, "Not now.") // one's own may be withdrawn so
	w.ok(err)
	if refused.Status != deploy.Rejected || refused.Deployment != nil {
		t.Errorf("rejected %+v", refused)
	}
	w.standing("1.0.0 archived, 1.0.1 production, | 1.0.1 production 100")

	// Settings may let people approve what they asked for.
	w.policy(func(p *deploy.Policy) { p.SelfApproval = true })
	third, err := w.Request(w.engineer(), deploy.Plan{Version: w.v("1.0.2"), Stage: enum.BindingCanary, Percent: 10}, "")
	w.ok(err)
	_, err = w.Approve(w.engineer(), third.ID, "")
	w.ok(err)
	w.standing("1.0.0 archived, 1.0.1 production, 1.0.2 canary, | 1.0.1 production 100, | 1.0.2 canary 10")

	// What has become impossible meanwhile is told at the request.
	fourth, err := w.Request(w.engineer(), deploy.Plan{Version: w.v("1.0.3"), Stage: enum.BindingShadow}, "")
	w.ok(err)
	w.gate.broken["fault_classifier:1.0.3"] = true
	_, err = w.Approve(w.admin(), fourth.ID, "")
	w.refused(err, fault.BadInput, "error.deploy.notLoadable")
	if _, err := w.Request(w.engineer(), deploy.Plan{Version: w.v("1.0.3"), Stage: enum.BindingCanary}, strings.Repeat("é", 2001)); !fault.Is(err, fault.BadInput) {
		t.Errorf("a long note: %v", err)
	}
	_, err = w.Request(w.acme.As(t.Context(), tenancy.Viewer), plan, "")
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer asked: %v", err)
	}

	pending := deploy.Pending
	p, err := w.Requests(w.acme.As(t.Context(), tenancy.Viewer), deploy.RequestFilter{Status: &pending}, all())
	if err != nil || p.Total != 1 || p.Items[0].ID != fourth.ID {
		t.Errorf("pending %+v, %v", p.Items, err)
	}
	one := 1
	args := all()
	args.First = &one
	var seen []id.UUID
	for {
		p, err := w.Requests(w.admin(), deploy.RequestFilter{}, args)
		w.ok(err)
		for _, r := range p.Items {
			seen = append(seen, r.ID)
			c := p.Cursor(r)
			args.After = &c
		}
		if !p.HasNext {
			break
		}
	}
	if want := []id.UUID{fourth.ID, third.ID, second.ID, r.ID}; len(seen) != 4 || !sameIDs(seen, want) {
		t.Errorf("page by page %v, want %v", seen, want)
	}
	foreign := w.globex.As(t.Context(), tenancy.Admin)
	if p, err := w.Requests(foreign, deploy.RequestFilter{}, all()); err != nil || p.Total != 0 {
		t.Errorf("another tenant sees %v, %v", p.Items, err)
	}
	if found, err := w.RequestsByID(foreign, []id.UUID{r.ID}); err != nil || len(found) != 0 {
		t.Errorf("another tenant sees %v, %v", found, err)
	}
	for _, want := range []string{"request DeploymentRequest", "approve DeploymentRequest", "reject DeploymentRequest", "create DeploymentPolicy"} {
		if audit := w.actions(); !slices.Contains(audit, want) {
			t.Errorf("no %s in the audit log: %v", want, audit)
		}
	}
}

// A key or client speaks for whoever made it, or had its secret last: none of them
// approves what it asked for.
func TestNobodyApprovesWhatTheirKeyAskedFor(t *testing.T) {
	w := newWorld(t)
	engineer, admin := w.acme.Users[tenancy.Engineer], w.acme.Users[tenancy.Admin]
	key, client := id.New(id.APIKey), id.New(id.OAuthClient)
	w.sql(`INSERT INTO api_keys (id, tenant_id, name, prefix, key_hash, created_by, updated_by) VALUES ($1, $2, 'k', 'k', '\x00', $3, $3)`, key, w.acme.TenantID, engineer)
	w.sql(`INSERT INTO oauth_clients (id, tenant_id, name, client_id, secret_hash, created_by, updated_by) VALUES ($1, $2, 'c', 'c', 'x', $3, $4)`, client, w.acme.TenantID, admin, engineer)
	for i, c := range []struct {
		kind  tenancy.ActorKind
		actor id.UUID
		own   []id.UUID
	}{{tenancy.APIKey, key, []id.UUID{engineer}}, {tenancy.Client, client, []id.UUID{engineer, admin}}} {
		machine := tenancy.With(t.Context(), &tenancy.Actor{Kind: c.kind, ID: c.actor, TenantID: w.acme.TenantID, Scopes: tenancy.NewSet(tenancy.ModelsRead, tenancy.ModelsWrite)})
		r, err := w.Request(machine, deploy.Plan{Version: w.v(semantic[i+1]), Stage: enum.BindingShadow}, "")
		w.ok(err)
		if r.RequestedBy != nil {
			t.Errorf("%s: requested by %s", c.kind, r.RequestedBy)
		}
		w.post.taken()
		for _, role := range []tenancy.Role{tenancy.Engineer, tenancy.Admin} {
			if _, err := w.Approve(w.acme.As(t.Context(), role), r.ID, ""); slices.Contains(c.own, w.acme.Users[role]) {
				w.refused(err, fault.Forbidden, "error.deploy.ownRequest")
			} else if err != nil {
				t.Errorf("%s, approved by %s: %v", c.kind, role, err)
			}
		}
	}
}

func sameIDs(a, b []id.UUID) bool { // those of one moment are in no order
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestPolicies(t *testing.T) {
	w := newWorld(t)
	if p, err := w.Policy(w.admin(), w.acmeModel()); p != nil || err != nil {
		t.Errorf("a policy from nothing: %+v, %v", p, err)
	}
	p := w.policy(nil)
	if p.Version != 1 || p.UpdatedBy == nil {
		t.Errorf("set %+v", p)
	}
	old := 7
	if _, err := w.SetPolicy(w.admin(), *p, &old); !fault.Is(err, fault.Conflict) {
		t.Errorf("a stale change: %v", err)
	}
	if _, err := w.SetPolicy(w.admin(), *p, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second first one: %v", err)
	}
	if p = w.policy(func(p *deploy.Policy) { p.AutoRollback = true }); p.Version != 2 || !p.AutoRollback {
		t.Errorf("changed %+v", p)
	}
	for name, change := range map[string]func(*deploy.Policy){
		"no steps":       func(p *deploy.Policy) { p.Steps = nil },
		"falling steps":  func(p *deploy.Policy) { p.Steps = []int{25, 5, 100} },
		"an open end":    func(p *deploy.Policy) { p.Steps = []int{5, 25} },
		"no predictions": func(p *deploy.Policy) { p.MinPredictions = 0 },
		"no ratio":       func(p *deploy.Policy) { p.MaxAlarmRatio = 0 },
		"a precision":    func(p *deploy.Policy) { p.MinPrecision = 1.5 },
		"any drift":      func(p *deploy.Policy) { p.MaxDrift = enum.DriftUnknown },
		"for ever":       func(p *deploy.Policy) { p.MinHours = 9999 },
	} {
		bad := *p
		change(&bad)
		if _, err := w.SetPolicy(w.admin(), bad, &p.Version); !fault.Is(err, fault.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	foreign := *p
	foreign.Model = w.models[w.globex.TenantID]
	if _, err := w.SetPolicy(w.admin(), foreign, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("a policy for another tenant's model: %v", err)
	}
	if _, err := w.SetPolicy(w.acme.As(t.Context(), tenancy.Operator), *p, &p.Version); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an operator set a policy: %v", err)
	}
}
