package rule

import (
	"context"

	"entgo.io/ent"
	"github.com/google/uuid"

	gen "foresight/ent"
	"foresight/ent/alarmevent"
	"foresight/ent/alarmrule"
	"foresight/ent/asset"
	"foresight/ent/conversation"
	"foresight/ent/gateway"
	"foresight/ent/maintenanceworkorder"
	"foresight/ent/privacy"
	"foresight/ent/sensor"
	"foresight/ent/site"
)

// seeing reports whether an actor sees the row, by asking as the actor.
type seeing func(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error)

// reference is a column that leads, directly or not, to a site.
type reference struct {
	column string
	// visible: what is not is refused.
	visible seeing
	// places says whether a row with this reference lies on a site; nil: always.
	places seeing
}

// references are the columns of all entities that lead to sites.
var references = []reference{
	{column: "site_id", visible: seesSite},
	{column: "gateway_id", visible: seesGateway},
	{column: "asset_id", visible: seesAsset},
	{column: "parent_id", visible: seesAsset},
	{column: "sensor_id", visible: seesSensor},
	{column: "event_id", visible: seesEvent},
	{column: "alarm_event_id", visible: seesEvent},
	{column: "work_order_id", visible: seesWorkOrder},
	{column: "conversation_id", visible: seesConversation},
	// Rules of the whole tenant are seen by all.
	{column: "rule_id", visible: seesRule, places: seesRuleOfASite},
}

func seesSite(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.Site.Query().Where(site.ID(row)).Exist(ctx)
}

func seesGateway(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.Gateway.Query().Where(gateway.ID(row)).Exist(ctx)
}

func seesAsset(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.Asset.Query().Where(asset.ID(row)).Exist(ctx)
}

func seesSensor(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.Sensor.Query().Where(sensor.ID(row)).Exist(ctx)
}

func seesEvent(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.AlarmEvent.Query().Where(alarmevent.ID(row)).Exist(ctx)
}

func seesWorkOrder(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.MaintenanceWorkOrder.Query().Where(maintenanceworkorder.ID(row)).Exist(ctx)
}

func seesConversation(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.Conversation.Query().Where(conversation.ID(row)).Exist(ctx)
}

func seesRule(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.AlarmRule.Query().Where(alarmrule.ID(row)).Exist(ctx)
}

// seesRuleOfASite leaves out rules that speak of the whole tenant; the policy of
// rules has left out those that speak of other sites.
func seesRuleOfASite(ctx context.Context, c *gen.Client, row uuid.UUID) (bool, error) {
	return c.AlarmRule.Query().Where(alarmrule.ID(row),
		alarmrule.Or(alarmrule.SiteIDNotNil(), alarmrule.AssetIDNotNil(), alarmrule.SensorIDNotNil())).Exist(ctx)
}

// reachable refuses references, set by an actor limited to sites, to rows that
// the actor cannot see; and, where rows must lie on a site, new rows that do not.
func reachable(ctx context.Context, m ent.Mutation, mustLie bool) error {
	if len(limit(ctx)) == 0 || !m.Op().Is(ent.OpCreate|ent.OpUpdate|ent.OpUpdateOne) {
		return privacy.Skip
	}
	owner, ok := m.(interface{ Client() *gen.Client })
	if !ok {
		return privacy.Denyf("rule: %s has no client", m.Type())
	}
	placed := false
	for _, r := range references {
		v, set := m.Field(r.column)
		if !set {
			continue
		}
		row, ok := v.(uuid.UUID)
		if !ok {
			return privacy.Denyf("rule: %s.%s is %T, not an id", m.Type(), r.column, v)
		}
		switch ok, err := r.visible(ctx, owner.Client(), row); {
		case err != nil:
			return err
		case !ok:
			return privacy.Denyf("rule: %s points beyond the actor's sites", m.Type())
		}
		lies := true
		if r.places != nil {
			var err error
			if lies, err = r.places(ctx, owner.Client(), row); err != nil {
				return err
			}
		}
		placed = placed || lies
	}
	if placed || !mustLie {
		return privacy.Skip
	}
	for _, column := range []string{"site_id", "asset_id", "sensor_id"} {
		if m.FieldCleared(column) {
			return privacy.Denyf("rule: %s without %s may reach beyond the actor's sites", m.Type(), column)
		}
	}
	if m.Op().Is(ent.OpCreate) {
		return privacy.Denyf("rule: a new %s lies on none of the actor's sites", m.Type())
	}
	return privacy.Skip
}
