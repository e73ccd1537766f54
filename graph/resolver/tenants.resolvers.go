package resolver

import (
	"context"
	"foresight/ent"
	"foresight/ent/settings"
	"foresight/graph/model"
	"foresight/internal/access"
)

func (r *mutationResolver) Register(ctx context.Context, input model.RegisterInput) (*model.RegisterPayload, error) {
	return r.register(ctx, input)
}

func (r *mutationResolver) UpdateTenant(ctx context.Context, input model.UpdateTenantInput) (*model.TenantPayload, error) {
	t, err := r.Access.UpdateTenant(ctx, input.ExpectedVersion, tenantSpec(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.TenantPayload{Tenant: t, UserErrors: mistakes}, err
}

func (r *mutationResolver) CreateTenant(ctx context.Context, input model.CreateTenantInput) (*model.CreateTenantPayload, error) {
	return r.createTenant(ctx, input)
}

func (r *mutationResolver) DeactivateTenant(ctx context.Context, input model.DeactivateTenantInput) (*model.TenantPayload, error) {
	t, err := r.Access.DeactivateTenant(ctx, input.ID, input.Reason)
	mistakes, err := mistakesOf(ctx, err)
	return &model.TenantPayload{Tenant: t, UserErrors: mistakes}, err
}

func (r *queryResolver) Tenants(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.TenantFilter) (*model.Connection[*ent.Tenant], error) {
	var f access.TenantFilter
	if filter != nil {
		f = access.TenantFilter{Search: text(filter.Search.Value()), IsActive: filter.IsActive.Value()}
	}
	return model.NewConnection(r.Access.Tenants(ctx, pageArgs(ctx, first, after, last, before), f))
}

func (r *tenantResolver) Settings(ctx context.Context, obj *ent.Tenant) (*settings.Tenant, error) {
	s := obj.Settings.Effective()
	return &s, nil
}
