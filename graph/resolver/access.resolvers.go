package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/model"
)

func (r *mutationResolver) Login(ctx context.Context, input model.LoginInput) (*model.LoginPayload, error) {
	return r.login(ctx, input)
}

func (r *mutationResolver) RefreshToken(ctx context.Context, input model.RefreshTokenInput) (*model.RefreshTokenPayload, error) {
	return r.refresh(ctx, input)
}

func (r *mutationResolver) Logout(ctx context.Context, input model.LogoutInput) (*model.LogoutPayload, error) {
	return r.logout(ctx, input)
}

func (r *queryResolver) Me(ctx context.Context) (*model.Viewer, error) {
	return r.viewer(ctx)
}

func (r *queryResolver) Tenant(ctx context.Context) (*ent.Tenant, error) {
	return r.Plant.Tenant(ctx)
}

func (r *queryResolver) Users(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.UserFilter) (*model.Connection[*ent.User], error) {
	return model.NewConnection(r.Access.Users(ctx, pageArgs(ctx, first, after, last, before), userFilter(filter)))
}

func (r *userResolver) Locale(ctx context.Context, obj *ent.User) (*string, error) {
	if obj.Locale == "" {
		return nil, nil
	}
	return &obj.Locale, nil
}

func (r *Resolver) Tenant() generated.TenantResolver { return &tenantResolver{r} }

func (r *Resolver) User() generated.UserResolver { return &userResolver{r} }

func (r *Resolver) Viewer() generated.ViewerResolver { return &viewerResolver{r} }

type (
	tenantResolver struct{ *Resolver }
	userResolver   struct{ *Resolver }
	viewerResolver struct{ *Resolver }
)
