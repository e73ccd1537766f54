package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/model"
)

func (r *auditEntryResolver) Actor(ctx context.Context, obj *ent.AuditLog) (*ent.User, error) {
	return actorOf(ctx, obj)
}

func (r *auditEntryResolver) Changes(ctx context.Context, obj *ent.AuditLog) ([]*model.AuditChange, error) {
	return auditChanges(obj)
}

func (r *queryResolver) AuditLog(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.AuditLogFilter) (*model.Connection[*ent.AuditLog], error) {
	return model.NewConnection(r.Trail.Entries(ctx, pageArgs(ctx, first, after, last, before), auditFilter(filter)))
}

func (r *Resolver) AuditEntry() generated.AuditEntryResolver { return &auditEntryResolver{r} }

type auditEntryResolver struct{ *Resolver }
