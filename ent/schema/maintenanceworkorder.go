package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// MaintenanceWorkOrder is work to be done on a machine, opened by a person, by a
// critical alarm or by a high risk.
type MaintenanceWorkOrder struct{ ent.Schema }

// Mixin of the entity.
func (MaintenanceWorkOrder) Mixin() []ent.Mixin { return mixin.Soft(id.MaintenanceWorkOrder) }

// Annotations of the entity.
func (MaintenanceWorkOrder) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"maintenance_work_orders_number_form":   "work_number ~ '^WO-[0-9]{4}-[0-9]{6,}$'",
		"maintenance_work_orders_order":         "completed_at >= started_at",
		"maintenance_work_orders_costs_sign":    "planned_cost >= 0 AND actual_cost >= 0",
		"maintenance_work_orders_downtime_sign": "downtime_hours >= 0",
		"maintenance_work_orders_completed":     "(status = 'completed') = (completed_at IS NOT NULL)",
	})}
}

// Policy of the entity.
func (MaintenanceWorkOrder) Policy() ent.Policy {
	onSite := rule.Through("asset", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (MaintenanceWorkOrder) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("alarm_event_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the alarm that it was opened for"),
		field.String("work_number").NotEmpty().MaxLen(32).Immutable().Comment("`WO-2026-000123`, unique within the tenant; from work_order_sequences"),
		field.String("title").NotEmpty().MaxLen(maxName).Comment("what is to be done, in short"),
		field.String("description").MaxLen(2 * maxText).Default("").Comment("what is to be done"),
		field.Enum("type").GoType(enum.WorkOrderType("")).Comment("why it exists"),
		field.Enum("priority").GoType(enum.Priority("")).Default(string(enum.PriorityMedium)).Comment("how soon"),
		field.Enum("status").GoType(enum.WorkOrderStatus("")).Default(string(enum.WorkOrderOpen)).Comment("where it stands"),
		field.UUID("assigned_to", uuid.UUID{}).Optional().Nillable().Comment("user id of the member who does it; null: nobody yet"),
		field.Time("due_at").Optional().Nillable().Comment("to be done by, UTC"),
		field.Time("started_at").Optional().Nillable().Comment("when work began, UTC"),
		field.Time("completed_at").Optional().Nillable().Comment("when it was completed, UTC"),
		field.Float("planned_cost").Optional().Nillable().Min(0).Comment("in the tenant's currency"),
		field.Float("actual_cost").Optional().Nillable().Min(0).Comment("in the tenant's currency"),
		field.Float("downtime_hours").Optional().Nillable().Min(0).Comment("hours that the machine stood still"),
		field.Bool("failure_confirmed").Optional().Nillable().Comment("whether a failure, or its beginning, was found; null: not said"),
		field.String("failure_code").MaxLen(maxCode).Optional().Nillable().Comment("fault that was found"),
		field.String("external_ref").MaxLen(maxName).Optional().Nillable().Comment("`source:id` in the system that it is exchanged with"),
	}
}

// Edges of the entity.
func (MaintenanceWorkOrder) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("alarm_event", AlarmEvent.Type).Field("alarm_event_id").Unique().Immutable(),
	}
}

// Indexes of the entity.
func (MaintenanceWorkOrder) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "work_number").Unique(),
		uniqueAlive("external_ref"),
		index.Fields("tenant_id", "alarm_event_id").Unique().StorageKey("maintenance_work_orders_one_of_event").Annotations(entsql.IndexWhere("NOT is_deleted AND status <> 'cancelled'")),
		index.Fields("tenant_id", "asset_id", "created_at").Annotations(entsql.DescColumns("created_at")),
		index.Fields("tenant_id", "status", "due_at"),
		index.Fields("tenant_id", "assigned_to", "status"),
	}
}
