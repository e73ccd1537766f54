package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Membership lets a person into a tenant: into the one at home, and as a guest
// into others (integrators, service firms). All references to people within a
// tenant's rows go to (tenant_id, user_id) here.
type Membership struct{ ent.Schema }

// Mixin of the entity.
func (Membership) Mixin() []ent.Mixin { return mixin.Base(id.Membership) }

// Fields of the entity.
func (Membership) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().
			Comment("the person; the one reference that may lead into another tenant"),
		field.String("display_name").MaxLen(maxName).Comment("how the person is called in this tenant, readable where the user is not"),
		field.Enum("role").GoType(tenancy.Role("")).Default(string(tenancy.Viewer)).Comment("role in this tenant"),
	}
}

// Indexes of the entity. The pair (tenant_id, user_id) is a unique constraint,
// made by the migrations, since foreign keys refer to it.
func (Membership) Indexes() []ent.Index { return []ent.Index{index.Fields("user_id")} }
