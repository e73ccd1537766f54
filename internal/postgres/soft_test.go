package postgres_test

import (
	"context"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/tenancy"
)

func TestAuditColumnsNameThePerson(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	system := tenancy.AsSystem(t.Context(), w.a.tenant)

	s, err := client.Site.Create().SetSiteCode("s1").SetName("One").Save(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.TenantID != w.a.tenant || s.Version != 1 || s.CreatedBy == nil || *s.CreatedBy != w.a.user || s.UpdatedBy == nil {
		t.Errorf("created: %+v", s)
	}
	read, err := client.Site.Get(ctx, s.ID)
	if err != nil || !read.CreatedAt.Equal(s.CreatedAt) {
		t.Errorf("created at %v, read back as %v (%v)", s.CreatedAt, read.CreatedAt, err)
	}
	u, err := s.Update().SetName("Two").Save(system)
	if err != nil || u.Version != 2 || u.UpdatedBy != nil || *u.CreatedBy != w.a.user || u.UpdatedAt.Before(s.UpdatedAt) {
		t.Errorf("updated by the product: %+v, %v", u, err)
	}
	if n, err := client.Site.Update().SetLocation("x").Save(ctx); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
	if u = client.Site.GetX(ctx, s.ID); u.Version != 3 || u.UpdatedBy == nil || *u.UpdatedBy != w.a.user {
		t.Errorf("updated among others: %+v", u)
	}
}

func TestSoftDeletion(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	id, sensor, rule := w.a.ids["assets"], w.a.ids["sensors"], w.a.ids["alarm_rules"]

	start := time.Now().Add(-time.Minute)
	if err := client.Asset.DeleteOneID(id).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"get":          second(client.Asset.Get(ctx, id)),
		"update":       client.Asset.UpdateOneID(id).SetName("x").Exec(ctx),
		"delete again": client.Asset.DeleteOneID(id).Exec(ctx),
		"its sensor":   second(client.Sensor.Get(ctx, sensor)),
		"its rule":     second(client.AlarmRule.Get(ctx, rule)),
	} {
		if !ent.IsNotFound(err) {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
	all := mixin.WithDeleted(ctx)
	a, err := client.Asset.Query().Where(asset.ID(id)).WithSensors().Only(all)
	if err != nil {
		t.Fatal(err)
	}
	if !a.IsDeleted || a.DeletedAt == nil || a.DeletedAt.Before(start) || a.DeletedBy == nil || *a.DeletedBy != w.a.user || a.Version != 2 {
		t.Errorf("deleted: %+v", a)
	}
	if len(a.Edges.Sensors) != 1 || !a.Edges.Sensors[0].IsDeleted || a.Edges.Sensors[0].Version != 2 || *a.Edges.Sensors[0].DeletedBy != w.a.user {
		t.Errorf("sensors: %+v", a.Edges.Sensors)
	}
	if _, err := client.Asset.Get(mixin.WithDeleted(w.b.ctx(t)), id); !ent.IsNotFound(err) {
		t.Errorf("asking for deleted rows opens the tenant: %v", err)
	}

	// The code is free again, and restoring is an update of the mark.
	if _, err := client.Asset.Create().SetAssetCode(a.AssetCode).SetName("New").SetAssetType(enum.AssetPump).SetSiteID(a.SiteID).Save(ctx); err != nil {
		t.Errorf("the code of a deleted asset is taken: %v", err)
	}
	if err := client.AlarmRule.UpdateOneID(rule).SetIsDeleted(false).ClearDeletedAt().ClearDeletedBy().Exec(all); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AlarmRule.Get(ctx, rule); err != nil {
		t.Errorf("restored: %v", err)
	}
}

func TestBulkDeletionIsSoft(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	if n, err := client.Sensor.Delete().Exec(ctx); err != nil || n != 1 {
		t.Errorf("%d deleted, %v", n, err)
	}
	if n, err := client.Sensor.Query().Count(mixin.WithDeleted(ctx)); err != nil || n != 1 {
		t.Errorf("%d kept, %v", n, err)
	}
	if n, err := client.Sensor.Query().Count(w.b.ctx(t)); err != nil || n != 1 {
		t.Errorf("%d of the other tenant, %v", n, err)
	}
}

func TestSiteDeletionGoesAllTheWayDown(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	if err := client.Site.DeleteOneID(w.a.ids["sites"]).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	for _, e := range entities(t, client) {
		switch e.table {
		case "sites", "gateways", "assets", "sensors", "alarm_rules", "maintenance_work_orders":
			if ids, err := e.ids(ctx); err != nil || len(ids) != 0 {
				t.Errorf("%s: %d left, %v", e.name, len(ids), err)
			}
			if ids, err := e.ids(w.b.ctx(t)); err != nil || len(ids) != 1 {
				t.Errorf("%s: %d of the other tenant left, %v", e.name, len(ids), err)
			}
		}
	}
}

// What is nothing without a parent hides with it and comes back with it.
func TestRowsThatLiveWithADeletedParentHide(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	counts := func(ctx context.Context) (chunks, channels int) {
		t.Helper()
		return client.KnowledgeChunk.Query().CountX(ctx), client.AlarmRuleChannel.Query().CountX(ctx)
	}
	expect := func(what string, chunks, channels int) {
		t.Helper()
		if c, n := counts(ctx); c != chunks || n != channels {
			t.Errorf("%s: %d chunks and %d channels of rules are seen, want %d and %d", what, c, n, chunks, channels)
		}
	}
	document, channel, rule := w.a.ids["knowledge_documents"], w.a.ids["notification_channels"], w.a.ids["alarm_rules"]
	expect("at first", 1, 1)
	client.KnowledgeDocument.DeleteOneID(document).ExecX(ctx)
	expect("without the document", 0, 1)
	client.NotificationChannel.DeleteOneID(channel).ExecX(ctx)
	expect("without the channel", 0, 0)
	if c, n := counts(mixin.WithDeleted(ctx)); c != 1 || n != 1 {
		t.Errorf("who asks for deleted rows sees %d and %d", c, n)
	}
	all := mixin.WithDeleted(ctx)
	client.KnowledgeDocument.UpdateOneID(document).SetIsDeleted(false).ExecX(all)
	client.NotificationChannel.UpdateOneID(channel).SetIsDeleted(false).ExecX(all)
	expect("restored", 1, 1)
	client.AlarmRule.DeleteOneID(rule).ExecX(ctx)
	expect("without the rule", 1, 0)
	if c, n := counts(w.b.ctx(t)); c != 1 || n != 1 {
		t.Errorf("of the other tenant %d and %d are seen", c, n)
	}
}
