package mixin

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	gen "foresight/ent"
	"foresight/ent/intercept"
)

type withDeleted struct{}

// WithDeleted returns a context in which queries and mutations also reach
// soft-deleted rows. It is the only way to them: for restoring, for history that
// must still name what is gone, and for admins who ask.
func WithDeleted(ctx context.Context) context.Context {
	return context.WithValue(ctx, withDeleted{}, true)
}

// SeesDeleted reports whether deleted rows are wanted, for statements that the ORM does
// not write.
func SeesDeleted(ctx context.Context) bool { return ctx.Value(withDeleted{}) != nil }

// SoftDelete keeps deleted rows out of sight. Delete through the ORM marks the
// row; the database cascades the mark to rows that cannot live alone (triggers
// `cascade_soft_delete`), within the same statement.
type SoftDelete struct{ mixin.Schema }

// Fields of the mixin.
func (SoftDelete) Fields() []ent.Field {
	return []ent.Field{
		field.Bool("is_deleted").Default(false).Comment("true: deleted, hidden from everybody who does not ask for deleted rows"),
		field.Time("deleted_at").Optional().Nillable().Comment("when it was deleted, UTC"),
		field.UUID("deleted_by", uuid.UUID{}).Optional().Nillable().
			Comment("user id of the member who deleted it; null when no person did"),
	}
}

// Interceptors of the mixin.
func (SoftDelete) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{intercept.TraverseFunc(func(ctx context.Context, q intercept.Query) error {
		if !SeesDeleted(ctx) {
			q.WhereP(alive)
		}
		return nil
	})}
}

// Hooks of the mixin.
func (SoftDelete) Hooks() []ent.Hook { return []ent.Hook{markDeleted} }

func alive(s *sql.Selector) { s.Where(sql.EQ(s.C("is_deleted"), false)) }

// softDeleted is what the mutations of entities with SoftDelete have in common.
type softDeleted interface {
	SetOp(ent.Op)
	Client() *gen.Client
	WhereP(...func(*sql.Selector))
	SetIsDeleted(bool)
	SetDeletedAt(time.Time)
	SetDeletedBy(uuid.UUID)
	ClearDeletedBy()
}

// markDeleted turns a delete into an update of the mark and keeps updates away
// from deleted rows.
func markDeleted(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		s, ok := m.(softDeleted)
		if !ok {
			return nil, fmt.Errorf("mixin: %T has no soft deletion", m)
		}
		switch {
		case m.Op().Is(ent.OpDelete | ent.OpDeleteOne):
			s.WhereP(alive)
			s.SetOp(ent.OpUpdate)
			s.SetIsDeleted(true)
			s.SetDeletedAt(Now())
			if user, ok := actingPerson(ctx); ok {
				s.SetDeletedBy(user)
			} else {
				s.ClearDeletedBy()
			}
			return s.Client().Mutate(ctx, m)
		case m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) && !SeesDeleted(ctx):
			s.WhereP(alive)
		}
		return next.Mutate(ctx, m)
	})
}

// LivesWith hides rows whose parent is deleted, for entities without a mark of their
// own that are nothing without it and come back with it: the database cascades to
// marks only. Who asks for deleted rows sees them.
type LivesWith struct {
	mixin.Schema
	// Column holds the id of a row of Table.
	Column, Table string
}

// Interceptors of the mixin.
func (l LivesWith) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{intercept.TraverseFunc(func(ctx context.Context, q intercept.Query) error {
		if !SeesDeleted(ctx) {
			q.WhereP(func(s *sql.Selector) {
				parents := sql.Table(l.Table)
				s.Where(sql.In(s.C(l.Column), sql.Select(parents.C("id")).From(parents).Where(sql.EQ(parents.C("is_deleted"), false))))
			})
		}
		return nil
	})}
}
