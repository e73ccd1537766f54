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

// MaintenanceRecord is work that was done on a machine, imported or closed here:
// what failure labels and avoided costs are computed from.
type MaintenanceRecord struct{ ent.Schema }

// Mixin of the entity.
func (MaintenanceRecord) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.MaintenanceRecord}, mixin.Tenant{}}
}

// Annotations of the entity.
func (MaintenanceRecord) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"maintenance_records_cost_sign":     "cost >= 0",
		"maintenance_records_downtime_sign": "downtime_hours >= 0",
	})}
}

// Policy of the entity.
func (MaintenanceRecord) Policy() ent.Policy {
	onSite := rule.Through("asset", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (MaintenanceRecord) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("work_order_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the work order that was closed; null for imported records"),
		field.Time("performed_at").Comment("when it was done, UTC"),
		field.Enum("kind").GoType(enum.WorkOrderType("")).Comment("why it was done"),
		field.Float("cost").Default(0).Min(0).Comment("in the tenant's currency"),
		field.Float("downtime_hours").Default(0).Min(0).Comment("hours that the machine stood still"),
		field.Bool("was_failure").Default(false).Comment("true: the machine had failed"),
		field.String("failure_code").MaxLen(maxCode).Optional().Nillable().Comment("fault that was found"),
		field.String("description").MaxLen(2 * maxText).Default("").Comment("what was done"),
		field.Enum("source").GoType(enum.RecordSource("")).Immutable().Comment("where it comes from"),
		field.String("external_ref").NotEmpty().MaxLen(maxName).Immutable().Comment("its id there, unique with the source; of a work order its number"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was written here, UTC"),
	}
}

// Edges of the entity.
func (MaintenanceRecord) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("work_order", MaintenanceWorkOrder.Type).Field("work_order_id").Unique().Immutable(),
	}
}

// Indexes of the entity.
func (MaintenanceRecord) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "source", "external_ref").Unique(),
		index.Fields("tenant_id", "asset_id", "performed_at").Annotations(entsql.DescColumns("performed_at")),
		index.Fields("tenant_id", "work_order_id"),
	}
}
