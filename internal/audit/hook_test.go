package audit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/alarmrule"
	"foresight/ent/asset"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/gateway"
	"foresight/ent/mixin"
	"foresight/internal/audit"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

func (r *rig) rule(ctx context.Context, name string) *ent.AlarmRule {
	r.Helper()
	e, err := r.orm.AlarmRule.Create().SetName(name).SetParameter("bearing_temp").SetOperator(enum.OperatorGT).
		SetThreshold(95).SetSeverity(enum.SeverityHigh).Save(ctx)
	r.ok(err)
	return e
}

// last returns the only entry that was added since n were there.
func (r *rig) last(n int) *ent.AuditLog {
	r.Helper()
	got := r.entries(r.ctx)
	if len(got) != n+1 {
		r.Fatalf("%d entries, want %d: %v", len(got), n+1, got)
	}
	return got[n]
}

func TestALifeIsRecorded(t *testing.T) {
	r := newRig(t)
	e := r.rule(r.ctx, "Hot")
	made := r.last(0)
	if made.Action != audit.Create || made.Entity != "AlarmRule" || *made.EntityID != e.ID || made.ActorKind != enum.ActorUser ||
		*made.ActorID != r.acme.Users[tenancy.Engineer] || *made.IP != "192.0.2.7" || *made.RequestID != "request-7" || made.TenantID != r.acme.TenantID {
		t.Errorf("created: %v", made)
	}
	if c := made.Changes["threshold"]; c.Before != nil || c.After != 95.0 {
		t.Errorf("threshold %v", c)
	}
	for _, hidden := range []string{"id", "tenant_id", "created_at", "updated_by", "version"} {
		if _, told := made.Changes[hidden]; told {
			t.Errorf("tells of %s", hidden)
		}
	}

	r.ok(r.orm.AlarmRule.UpdateOneID(e.ID).SetThreshold(90).SetName("Hot").Exec(r.ctx))
	if got := r.last(1); got.Action != audit.Update || fmt.Sprint(got.Changes) != fmt.Sprint(audit.Changes{"threshold": {Before: 95.0, After: 90.0}}) {
		t.Errorf("updated: %s %v", got.Action, got.Changes)
	}
	_, err := r.orm.AlarmRule.Update().Where(alarmrule.ID(e.ID)).SetSeverity(enum.SeverityLow).Save(r.ctx)
	r.ok(err)
	if got := r.last(2); got.Changes["severity"] != (document.Change{Before: "high", After: "low"}) {
		t.Errorf("updated by predicate: %v", got.Changes)
	}
	_, err = r.orm.AlarmRule.Delete().Where(alarmrule.ID(e.ID)).Exec(r.ctx)
	r.ok(err)
	if got := r.last(3); got.Action != audit.Delete || got.Changes["is_deleted"] != (document.Change{Before: false, After: true}) || *got.EntityID != e.ID {
		t.Errorf("deleted: %s %v", got.Action, got.Changes)
	}
	_, err = r.orm.AlarmRule.Update().Where(alarmrule.ID(e.ID)).SetIsDeleted(false).ClearDeletedAt().ClearDeletedBy().Save(mixin.WithDeleted(r.ctx))
	r.ok(err)
	if got := r.last(4); got.Action != audit.Restore {
		t.Errorf("restored: %s %v", got.Action, got.Changes)
	}
	// What changes nothing leaves nothing.
	r.ok(r.orm.AlarmRule.UpdateOneID(e.ID).SetName("Hot").Exec(r.ctx))
	_, err = r.orm.AlarmRule.Update().Where(alarmrule.ID(id.New(id.AlarmRule))).SetName("x").Save(r.ctx)
	r.ok(err)
	if got := r.entries(r.ctx); len(got) != 5 {
		t.Errorf("entries of nothing: %v", got[5:])
	}
	if got := r.entries(r.globex.As(t.Context(), tenancy.Admin)); len(got) != 0 {
		t.Errorf("another tenant reads %v", got)
	}
}

func TestRowsThatGoForGoodAreKeptInTheLog(t *testing.T) {
	r := newRig(t)
	e, err := r.orm.Role.Create().SetName("planner").SetDescription("plans").Save(r.acme.As(t.Context(), tenancy.Admin))
	r.ok(err)
	r.ok(r.orm.Role.DeleteOne(e).Exec(r.ctx))
	if got := r.last(1); got.Action != audit.Delete || got.Changes["name"] != (document.Change{Before: "planner"}) {
		t.Errorf("deleted: %s %v", got.Action, got.Changes)
	}
}

func TestManyAtOnce(t *testing.T) {
	r := newRig(t)
	rows := make([]*ent.SiteCreate, 3)
	for i := range rows {
		rows[i] = r.orm.Site.Create().SetSiteCode(fmt.Sprintf("s-%d", i)).SetName("Site")
	}
	made, err := r.orm.Site.CreateBulk(rows...).Save(r.ctx)
	r.ok(err)
	seen := map[id.UUID]bool{}
	for _, e := range r.entries(r.ctx) {
		seen[*e.EntityID] = true
	}
	for _, e := range made {
		if !seen[e.ID] {
			t.Errorf("site %s is not in the log", e.SiteCode)
		}
	}
	n, err := r.orm.Site.Update().SetName("North").Save(r.ctx) // one of four has another name
	r.ok(err)
	if got := r.entries(r.ctx); n != 4 || len(got) != 3+4 {
		t.Errorf("%d updated, %d entries", n, len(got))
	}
}

// Who may do it is decided before anything is recorded, and what is refused leaves
// nothing, neither a row nor an entry.
func TestWhatFailsLeavesNothing(t *testing.T) {
	r := newRig(t)
	foreign := r.globex.As(t.Context(), tenancy.Admin)
	if err := r.orm.Asset.UpdateOneID(r.acme.AssetID).SetName("theirs").Exec(foreign); err == nil {
		t.Error("changed another tenant's machine")
	}
	if err := r.orm.Site.Create().SetSiteCode("north").SetName("again").Exec(r.ctx); err == nil {
		t.Error("made a site twice")
	}
	broken := errors.New("broken")
	err := postgres.InTx(r.ctx, r.db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		r.ok(c.Asset.UpdateOneID(r.acme.AssetID).SetName("Other").Exec(ctx))
		r.ok(audit.Record(ctx, tx, audit.Entry{Action: "polish", Entity: "Asset", ID: r.acme.AssetID}))
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if got := r.entries(r.ctx); len(got) != 0 {
		t.Errorf("the log tells of what did not happen: %v", got)
	}
	// The other way round: what cannot be recorded does not happen.
	long := tenancy.With(r.ctx, &tenancy.Actor{Kind: "nobody-knows", ID: id.New(id.User), TenantID: r.acme.TenantID})
	if err := r.orm.Site.Create().SetSiteCode("south").SetName("South").Exec(long); err == nil {
		t.Error("made without an entry")
	}
	if n, err := r.orm.Site.Query().Count(r.ctx); err != nil || n != 1 {
		t.Errorf("%d sites, %v", n, err)
	}
}

func TestSecretsAreNamedAndNotTold(t *testing.T) {
	r := newRig(t)
	_, err := r.orm.Gateway.Update().Where(gateway.ID(r.acme.GatewayID)).SetMqttPasswordHash("argon-of-swordfish").Save(r.ctx)
	r.ok(err)
	if got := r.last(0); fmt.Sprint(got.Changes) != fmt.Sprint(audit.Changes{"mqtt_password_hash": {Before: nil, After: "***"}}) {
		t.Errorf("%v", got.Changes)
	}
}

// An asset that moves out of the actor's sight is recorded all the same.
func TestTheRecordSeesMoreThanTheActor(t *testing.T) {
	r := newRig(t)
	a := *tenancy.Must(r.ctx)
	a.SiteIDs = []id.UUID{r.acme.SiteID}
	limited := tenancy.With(r.ctx, &a)
	_, err := r.orm.Asset.Update().Where(asset.ID(r.acme.AssetID)).SetName("Renamed").Save(limited)
	r.ok(err)
	if got := r.last(0); got.Changes["name"].After != "Renamed" {
		t.Errorf("%v", got.Changes)
	}
}
