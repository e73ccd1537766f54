package resolver

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/audit/trail"
)

func auditFilter(f *model.AuditLogFilter) trail.Filter {
	if f == nil {
		return trail.Filter{}
	}
	return trail.Filter{Entity: f.Entity.Value(), EntityID: f.EntityID.Value(), ActorID: f.ActorID.Value(), ActorKind: f.ActorKind.Value(),
		Action: f.Action.Value(), From: f.From.Value(), To: f.To.Value()}
}

// actorOf returns the person behind an entry.
func actorOf(ctx context.Context, e *ent.AuditLog) (*ent.User, error) {
	if e.ActorKind != enum.ActorUser {
		return nil, nil
	}
	return optional(ctx, loader.From(ctx).User, e.ActorID)
}

func auditChanges(e *ent.AuditLog) ([]*model.AuditChange, error) {
	out := make([]*model.AuditChange, 0, len(e.Changes))
	for _, field := range slices.Sorted(maps.Keys(e.Changes)) {
		c := &model.AuditChange{Field: field}
		for _, side := range []struct {
			value any
			text  **string
		}{{e.Changes[field].Before, &c.Before}, {e.Changes[field].After, &c.After}} {
			if side.value == nil {
				continue
			}
			b, err := json.Marshal(side.value)
			if err != nil {
				return nil, err
			}
			s := string(b)
			*side.text = &s
		}
		out = append(out, c)
	}
	return out, nil
}
