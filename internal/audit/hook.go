package audit

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent"

	gen "foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/obs"
)

// unrecorded are entities whose rows are records themselves, or that the product
// computes again and again.
var unrecorded = []string{
	gen.TypeAuditLog,
	gen.TypeIdempotencyKey,    // keeps repetitions apart; what the operation changed is recorded
	gen.TypeRefreshToken,      // one row for each use of a session
	gen.TypeAlarmTransition,   // the history of an alarm
	gen.TypeNotificationLog,   // the history of messages
	gen.TypeAssetHealth,       // computed
	gen.TypeAssetFeatures,     // computed
	gen.TypeFailurePrediction, // computed
	gen.TypeDriftReport,       // computed
	gen.TypeKnowledgeChunk,    // parts of a document, which is recorded
	gen.TypeMessage,           // what was said in a conversation
}

// mutation is what the mutations of all entities have in common.
type mutation interface {
	ent.Mutation
	Client() *gen.Client
	IDs(context.Context) ([]id.UUID, error)
}

// Hook records every change of a client in the transaction of the change. It belongs
// on a client whose mutations run in one; package postgres sees to that.
func Hook(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if slices.Contains(unrecorded, m.Type()) {
			return next.Mutate(ctx, m)
		}
		t, ok := m.(mutation)
		if !ok {
			return nil, fmt.Errorf("audit: %T cannot be recorded", m)
		}
		if m.Op().Is(ent.OpCreate) {
			return created(ctx, next, t)
		}
		if _, soft := m.(interface{ SetIsDeleted(bool) }); soft && m.Op().Is(ent.OpDelete|ent.OpDeleteOne) {
			return next.Mutate(ctx, m) // becomes an update, which comes by here again
		}
		return changed(ctx, next, t)
	})
}

func created(ctx context.Context, next ent.Mutator, m mutation) (ent.Value, error) {
	v, err := next.Mutate(ctx, m)
	if err != nil {
		return v, err
	}
	u, after := values(v)
	changes, err := Diff(nil, after)
	if err != nil {
		return nil, err
	}
	if err := write(ctx, m.Client(), Entry{Create, m.Type(), u, changes}); err != nil {
		return nil, err
	}
	return v, nil
}

// changed compares the rows before and after: which of them a mutation reaches is
// decided by policies and predicates further down.
func changed(ctx context.Context, next ent.Mutator, m mutation) (ent.Value, error) {
	c, entity := m.Client(), m.Type()
	ids, err := m.IDs(ctx)
	if err != nil || len(ids) == 0 {
		if err != nil {
			return nil, err
		}
		return next.Mutate(ctx, m)
	}
	before, err := read(ctx, c, entity, ids)
	if err != nil {
		return nil, err
	}
	v, err := next.Mutate(ctx, m)
	if err != nil {
		return v, err
	}
	after, err := read(ctx, c, entity, ids)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, u := range ids {
		changes, err := Diff(before[u], after[u])
		if err != nil {
			return nil, err
		}
		if len(changes) > 0 {
			entries = append(entries, Entry{verb(before[u], after[u]), entity, u, changes})
		}
	}
	if err := write(ctx, c, entries...); err != nil {
		return nil, err
	}
	return v, nil
}

// verb names what happened to a row; gone is one that is not there or is marked deleted.
func verb(before, after Values) string {
	gone := func(v Values) bool { return v == nil || v["is_deleted"] == true }
	switch was, is := gone(before), gone(after); {
	case !was && is:
		return Delete
	case was && !is:
		return Restore
	}
	return Update
}

func write(ctx context.Context, c *gen.Client, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	who, err := actor(ctx)
	if err != nil {
		return err
	}
	rows := make([]*gen.AuditLogCreate, len(entries))
	for i, e := range entries {
		rows[i] = c.AuditLog.Create().SetActorKind(enum.ActorKind(who.Kind)).SetNillableActorID(orNull(who.ID)).
			SetAction(e.Action).SetEntity(e.Entity).SetNillableEntityID(orNull(e.ID)).SetChanges(e.Changes).
			SetNillableIP(textOrNull(obs.Remote(ctx))).SetNillableRequestID(textOrNull(obs.RequestID(ctx)))
	}
	if err := c.AuditLog.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
