package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/alarmrule"
	"foresight/ent/enum"
	"foresight/ent/notificationlog"
	"foresight/ent/privacy"
	"foresight/internal/tenancy"
)

// here is an engineer who is limited to one site of two.
type here struct {
	*world
	client      *ent.Client
	admin, ctx  context.Context
	site, other uuid.UUID // the own one is the fixture's
	otherAsset  uuid.UUID
	otherSensor uuid.UUID
	otherEvent  uuid.UUID
	otherRule   uuid.UUID
	otherTalk   uuid.UUID
}

func newHere(t *testing.T) *here {
	t.Helper()
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN) // the ORM alone: row security knows no sites
	h := &here{world: w, client: client, admin: w.a.ctx(t), site: w.a.ids["sites"]}
	h.ctx = tenancy.With(t.Context(), &tenancy.Actor{
		Kind: tenancy.Person, ID: w.a.user, TenantID: w.a.tenant, Role: tenancy.Engineer,
		Scopes: tenancy.RoleScopes(tenancy.Engineer), SiteIDs: []uuid.UUID{h.site},
	})
	s := client.Site.Create().SetSiteCode("other").SetName("Other").SaveX(h.admin)
	g := client.Gateway.Create().SetGatewayCode("other").SetSite(s).SaveX(h.admin)
	a := client.Asset.Create().SetAssetCode("other").SetName("Other").SetAssetType(enum.AssetPump).SetSite(s).SetGateway(g).SaveX(h.admin)
	n := client.Sensor.Create().SetSensorCode("other").SetAsset(a).SetGateway(g).SaveX(h.admin)
	h.other, h.otherAsset, h.otherSensor = s.ID, a.ID, n.ID
	rule := func(name string) *ent.AlarmRuleCreate {
		return client.AlarmRule.Create().SetName(name).SetParameter("flow").SetOperator(enum.OperatorLT).SetThreshold(1).SetSeverity(enum.SeverityLow)
	}
	rule("tenant").SaveX(h.admin)
	rule("other site").SetSite(s).SaveX(h.admin)
	rule("other asset").SetAsset(a).SaveX(h.admin)
	r := rule("other sensor").SetSensor(n).SaveX(h.admin)
	e := client.AlarmEvent.Create().SetSite(s).SetAsset(a).SetSensor(n).SetRule(r).SetSeverity(enum.SeverityLow).
		SetTriggeredValue(0).SetTriggeredAt(r.CreatedAt).SetLastTriggeredAt(r.CreatedAt).SaveX(h.admin)
	client.AlarmTransition.Create().SetEvent(e).SetSeq(2).SetToStatus(enum.AlarmOpen).SaveX(h.admin)
	h.otherEvent, h.otherRule = e.ID, r.ID
	made := []string{"sites", "gateways", "assets", "sensors", "alarm_rules", "alarm_events", "alarm_transitions"}
	for _, table := range onSites(t, w) {
		if !slices.Contains(made, table) {
			h.elsewhere(t, table)
		}
	}
	return h
}

// onSites lists the tables whose rows lie on a site by their references, parents
// first: an entity that is added is confined to sites, or the tests fail. Each gets a
// second row on the other site.
func onSites(t *testing.T, w *world) []string {
	t.Helper()
	all := keys(t, w.owner)
	found := []string{"sites"}
	for i := 0; i < len(found); i++ {
		for _, k := range all {
			if k.Ref == found[i] && table(k.Table) != nil && !slices.Contains(found, k.Table) {
				found = append(found, k.Table)
			}
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %v lie on sites", found)
	}
	return found
}

// elsewhere copies the fixture's row to the other site.
func (h *here) elsewhere(t *testing.T, table string) {
	t.Helper()
	row := uuid.New()
	moved := map[string]any{
		"id": row, "site_id": h.other, "asset_id": h.otherAsset, "sensor_id": h.otherSensor, "event_id": h.otherEvent,
		"alarm_event_id": h.otherEvent, "rule_id": h.otherRule, "conversation_id": h.otherTalk,
		"work_number": "WO-2026-000002", "external_ref": "elsewhere",
	}
	if table == "feedback" { // of one prediction each person has one say
		moved["prediction_id"] = uuid.New()
	}
	rows, err := h.owner.Query(t.Context(), "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped", table)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	args, values := []any{h.a.ids[table]}, make([]string, len(names))
	for i, n := range names {
		names[i] = pgx.Identifier{n}.Sanitize()
		values[i] = names[i]
		if v, ok := moved[n]; ok {
			args = append(args, v)
			values[i] = fmt.Sprintf("$%d", len(args))
		}
	}
	if _, err := h.owner.Exec(t.Context(), fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %[1]s WHERE id = $1",
		table, strings.Join(names, ","), strings.Join(values, ",")), args...); err != nil {
		t.Fatalf("%s: %v", table, err)
	}
	if table == "conversations" {
		h.otherTalk = row
	}
}

func TestActorsOfASiteSeeItsRowsOnly(t *testing.T) {
	h := newHere(t)
	confined := onSites(t, h.world)
	for _, e := range entities(t, h.client) {
		all, err := e.ids(h.admin)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := e.ids(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.table == "alarm_rules":
			names, err := h.client.AlarmRule.Query().Order(ent.Asc(alarmrule.FieldName)).Select(alarmrule.FieldName).Strings(h.ctx)
			if err != nil || len(all) != 5 || len(names) != 2 || names[0] != "a_name" || names[1] != "tenant" {
				t.Errorf("rules seen: %v, %v", names, err)
			}
		case slices.Contains(confined, e.table):
			if len(all) != 2 || len(mine) != 1 || mine[0] != h.a.ids[e.table] {
				t.Errorf("%s: %d of %d rows seen", e.name, len(mine), len(all))
			}
		case len(mine) != len(all):
			t.Errorf("%s: %d of %d rows seen, but they lie on no site", e.name, len(mine), len(all))
		}
	}
}

// A notification that no alarm caused is of a prediction, whose machine may stand
// anywhere, or of nothing.
func TestActorsOfASiteSeeNoNotificationsOfPredictions(t *testing.T) {
	h := newHere(t)
	log := func(recipient string) *ent.NotificationLogCreate {
		return h.client.NotificationLog.Create().SetKind(enum.ChannelEmail).SetRecipient(recipient).SetUserID(h.a.user)
	}
	log("of a prediction").SetPredictionID(uuid.New()).SaveX(h.admin)
	log("of a test").SaveX(h.admin)
	seen, err := h.client.NotificationLog.Query().Where(notificationlog.EventIDIsNil()).Select(notificationlog.FieldRecipient).Strings(h.ctx)
	if err != nil || !slices.Equal(seen, []string{"of a test"}) {
		t.Errorf("seen: %v, %v", seen, err)
	}
}

func TestActorsOfASiteChangeItsRowsOnly(t *testing.T) {
	h := newHere(t)
	c := h.client
	tenantRule := c.AlarmRule.Query().Where(alarmrule.Name("tenant")).OnlyIDX(h.admin)
	for name, err := range map[string]error{
		"other asset":   c.Asset.UpdateOneID(h.otherAsset).SetName("x").Exec(h.ctx),
		"other sensor":  c.Sensor.DeleteOneID(h.otherSensor).Exec(h.ctx),
		"other site":    c.Site.UpdateOneID(h.other).SetName("x").Exec(h.ctx),
		"tenant's rule": c.AlarmRule.UpdateOneID(tenantRule).SetThreshold(2).Exec(h.ctx),
	} {
		if !ent.IsNotFound(err) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	newRule := func() *ent.AlarmRuleCreate {
		return c.AlarmRule.Create().SetName("new").SetParameter("flow").SetOperator(enum.OperatorLT).SetThreshold(1).SetSeverity(enum.SeverityLow)
	}
	newShelf := func() *ent.AlarmShelfCreate {
		return c.AlarmShelf.Create().SetUntil(time.Now().Add(time.Hour)).SetReason("test")
	}
	newWork := func(number string, asset uuid.UUID) *ent.MaintenanceWorkOrderCreate {
		return c.MaintenanceWorkOrder.Create().SetWorkNumber(number).SetTitle("T").SetType(enum.WorkOrderInspection).SetAssetID(asset)
	}
	newAsset := func(code string, site uuid.UUID) *ent.AssetCreate {
		return c.Asset.Create().SetAssetCode(code).SetName("New").SetAssetType(enum.AssetPump).SetSiteID(site)
	}
	for name, err := range map[string]error{
		"a new site":                     c.Site.Create().SetSiteCode("new").SetName("New").Exec(h.ctx),
		"an asset elsewhere":             newAsset("x1", h.other).Exec(h.ctx),
		"an asset moved elsewhere":       c.Asset.UpdateOneID(h.a.ids["assets"]).SetSiteID(h.other).Exec(h.ctx),
		"an asset under one elsewhere":   newAsset("x2", h.site).SetParentID(h.otherAsset).Exec(h.ctx),
		"a sensor on an asset elsewhere": c.Sensor.Create().SetSensorCode("x").SetAssetID(h.otherAsset).Exec(h.ctx),
		"a rule of the tenant":           newRule().Exec(h.ctx),
		"a rule elsewhere":               newRule().SetSiteID(h.other).Exec(h.ctx),
		"a rule on a sensor elsewhere":   newRule().SetSensorID(h.otherSensor).Exec(h.ctx),
		"a work order elsewhere":         newWork("WO-2026-000010", h.otherAsset).Exec(h.ctx),
		"a work order of another alarm":  newWork("WO-2026-000011", h.a.ids["assets"]).SetAlarmEventID(h.otherEvent).Exec(h.ctx),
		"health elsewhere":               c.AssetHealth.Create().SetSiteID(h.other).SetAssetID(h.otherAsset).SetHealthScore(1).SetHealthStatus(enum.HealthCritical).SetMethod("m").Exec(h.ctx),
		"a shelf of the tenant's rule":   newShelf().SetRuleID(tenantRule).Exec(h.ctx),
		"a shelf elsewhere":              newShelf().SetAssetID(h.otherAsset).Exec(h.ctx),
		"a channel of the tenant's rule": c.AlarmRuleChannel.Create().SetRuleID(tenantRule).SetChannelID(h.a.ids["notification_channels"]).Exec(h.ctx),
		"a role in the whole tenant":     c.UserRole.Create().SetUserID(h.a.user).SetRoleID(h.a.ids["roles"]).Exec(h.ctx),
		"a role elsewhere":               c.UserRole.Create().SetUserID(h.a.user).SetRoleID(h.a.ids["roles"]).SetSiteID(h.other).Exec(h.ctx),
		"a talk about another machine":   c.Conversation.Create().SetUserID(h.a.user).SetAssetID(h.otherAsset).Exec(h.ctx),
		"a turn of another talk":         c.Message.Create().SetConversationID(h.otherTalk).SetRole(enum.MessageUser).SetText("x").Exec(h.ctx),
		"an unlimited rule":              c.AlarmRule.UpdateOneID(h.a.ids["alarm_rules"]).ClearSiteID().ClearAssetID().ClearSensorID().Exec(h.ctx),
	} {
		if !errors.Is(err, privacy.Deny) {
			t.Errorf("%s: %v, want denied", name, err)
		}
	}
	for name, err := range map[string]error{
		"an asset":             newAsset("ok", h.site).SetParentID(h.a.ids["assets"]).Exec(h.ctx),
		"a sensor":             c.Sensor.Create().SetSensorCode("ok").SetAssetID(h.a.ids["assets"]).Exec(h.ctx),
		"a work order":         newWork("WO-2026-000012", h.a.ids["assets"]).Exec(h.ctx),
		"a shelf of a rule":    newShelf().SetRuleID(tenantRule).SetAssetID(h.a.ids["assets"]).Exec(h.ctx),
		"a talk about nothing": c.Conversation.Create().SetUserID(h.a.user).Exec(h.ctx),
		"a rule":               newRule().SetAssetID(h.a.ids["assets"]).Exec(h.ctx),
		"a change of the rule": c.AlarmRule.UpdateOneID(h.a.ids["alarm_rules"]).SetThreshold(9).Exec(h.ctx),
	} {
		if err != nil {
			t.Errorf("%s on the own site: %v", name, err)
		}
	}
}

func TestEdgesAreWrittenFromTheSideThatHoldsTheKey(t *testing.T) {
	h := newHere(t)
	for name, err := range map[string]error{
		"add":    h.client.Site.UpdateOneID(h.site).AddAssetIDs(h.otherAsset).Exec(h.ctx),
		"remove": h.client.Site.UpdateOneID(h.site).RemoveAssetIDs(h.otherAsset).Exec(h.ctx),
		"clear":  h.client.Site.UpdateOneID(h.site).ClearAssets().Exec(h.ctx),
		"create": h.client.Site.Create().SetSiteCode("y").SetName("Y").AddAssetIDs(h.otherAsset).Exec(h.admin),
	} {
		if !errors.Is(err, privacy.Deny) {
			t.Errorf("%s: %v, want denied", name, err)
		}
	}
}
