package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func TestRecordTakesManyAtOnce(t *testing.T) {
	r := newRig(t)
	entries := make([]audit.Entry, 5000)
	for i := range entries {
		entries[i] = audit.Entry{Action: audit.Create, Entity: "Asset", ID: id.New(id.Asset),
			Changes: audit.Changes{"asset_code": {After: fmt.Sprintf("pump-%d", i)}}}
	}
	tx, err := r.pool.Begin(r.ctx)
	r.ok(err)
	r.ok(audit.Record(r.ctx, tx, entries...))
	r.ok(audit.Record(r.ctx, tx)) // nothing
	r.ok(tx.Commit(r.ctx))
	got := r.entries(r.ctx)
	if len(got) != len(entries) {
		t.Fatalf("%d entries, want %d", len(got), len(entries))
	}
	if e := got[0]; e.ActorKind != enum.ActorUser || *e.IP != "192.0.2.7" || len(e.Changes) != 1 || e.At.IsZero() {
		t.Errorf("%v", e)
	}
	system := tenancy.AsSystem(t.Context(), r.acme.TenantID)
	r.ok(audit.Record(system, r.pool, audit.Entry{Action: "tidy", Entity: "Tenant", ID: r.acme.TenantID}))
	if e := r.last(len(entries)); e.ActorKind != enum.ActorSystem || e.ActorID != nil || e.IP != nil || e.RequestID != nil {
		t.Errorf("by the product: %v", e)
	}
	if err := audit.Record(context.Background(), r.pool, audit.Entry{Action: "x", Entity: "Asset"}); err == nil {
		t.Error("recorded what nobody did")
	}
}

// The database itself keeps the log from being changed.
func TestTheLogOnlyGrows(t *testing.T) {
	r := newRig(t)
	r.rule(r.ctx, "Hot")
	for _, sql := range []string{`UPDATE audit_logs SET action = 'nothing'`, `DELETE FROM audit_logs`, `TRUNCATE audit_logs`} {
		if _, err := r.pool.Exec(r.ctx, sql); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := r.orm.AuditLog.Delete().Exec(r.ctx); err == nil {
		t.Error("the ORM deletes from the log")
	}
	if len(r.entries(r.ctx)) != 1 {
		t.Error("the log has changed")
	}
}

func TestDiff(t *testing.T) {
	long := strings.Repeat("x", 5000)
	got, err := audit.Diff(
		audit.Values{"name": "a", "same": 1, "gone": true, "password_hash": "old", "version": 1, "empty": nil},
		audit.Values{"name": "b", "same": 1, "password_hash": "new", "version": 2, "secret_ciphertext": []byte{1}, "text": long, "dataset_hash": "abc"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{"name": {`"a"`, `"b"`}, "gone": {"true", "<nil>"}, "password_hash": {"***", "***"},
		"secret_ciphertext": {"<nil>", "***"}, "text": {"<nil>", "(5002 bytes)"}, "dataset_hash": {"<nil>", `"abc"`}}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for column, w := range want {
		if c := got[column]; fmt.Sprintf("%s", orNil(c.Before)) != w[0] || fmt.Sprintf("%s", orNil(c.After)) != w[1] {
			t.Errorf("%s: %s, want %s", column, c, w)
		}
	}
}

func orNil(v any) any {
	if v == nil {
		return "<nil>"
	}
	return v
}
