package modelops_test

import (
	"testing"

	"foresight/ent/enum"
	"foresight/internal/modelops"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestOwnFaultsAreCalledByTheirNames(t *testing.T) {
	r := newRegistrar(t)
	called := func(p testkit.Plant, code, want string) {
		t.Helper()
		labels, err := r.OwnFault(p.As(t.Context(), tenancy.Viewer), code)
		r.ok(err)
		if labels["en"] != want {
			t.Errorf("%s of %s is called %q, want %q", code, p.TenantCode, labels["en"], want)
		}
	}
	called(r.acme, "cavitation", "") // built in
	made := func(code, label string) {
		t.Helper()
		_, err := r.CreateFaultType(r.acme.As(t.Context(), tenancy.Engineer), modelops.NewFaultType{Code: code, Family: enum.FamilyOther, Labels: map[string]string{"en": label}})
		r.ok(err)
	}
	made("gear_wear", "Gear wear")
	// A code that was unknown is looked for again.
	testkit.Eventually(t, testkit.Patience, func() bool {
		labels, err := r.OwnFault(r.acme.As(t.Context(), tenancy.Viewer), "gear_wear")
		r.ok(err)
		return labels["en"] == "Gear wear"
	})
	called(r.globex, "gear_wear", "")
}
