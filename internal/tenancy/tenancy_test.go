package tenancy

import (
	"context"
	"testing"

	"foresight/internal/fault"
	"foresight/internal/id"
)

func TestMustPanicsWithoutActor(t *testing.T) {
	for name, ctx := range map[string]context.Context{
		"no actor":  context.Background(),
		"no tenant": With(context.Background(), &Actor{Kind: Person}),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Must(ctx)
		}()
	}
}

func TestRolesNest(t *testing.T) {
	roles := []Role{Viewer, Operator, Engineer, Admin}
	for i := 1; i < len(roles); i++ {
		lower, higher := RoleScopes(roles[i-1]), RoleScopes(roles[i])
		if len(higher) <= len(lower) {
			t.Errorf("%s holds no more than %s", roles[i], roles[i-1])
		}
		for p := range lower {
			if !higher.Has(p) {
				t.Errorf("%s lacks %s of %s", roles[i], p, roles[i-1])
			}
		}
	}
	if len(RoleScopes("owner")) != 0 {
		t.Error("an unknown role may do something")
	}
	if RoleScopes(Viewer).Has(RulesWrite) || RoleScopes(Operator).Has(PlantWrite) {
		t.Error("a role holds more than it should")
	}
}

func TestAsSystemActsInOneTenant(t *testing.T) {
	tenant := id.New(id.Tenant)
	a := Must(AsSystem(context.Background(), tenant))
	if a.TenantID != tenant || !a.Can(UsersWrite) {
		t.Errorf("actor %+v", a)
	}
	if _, ok := a.UserID(); ok {
		t.Error("the system is no person")
	}
}

func TestRequire(t *testing.T) {
	ctx := context.Background()
	if err := Require(ctx, PlantRead); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("no actor: %v", err)
	}
	ctx = With(ctx, &Actor{Kind: Person, TenantID: id.New(id.Tenant), Scopes: RoleScopes(Viewer)})
	if err := Require(ctx, PlantRead); err != nil {
		t.Errorf("a viewer reads: %v", err)
	}
	if err := Require(ctx, PlantWrite); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer writes: %v", err)
	}
}
