package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/access"
)

func (r *accessRoleResolver) Permissions(ctx context.Context, obj *ent.Role) ([]string, error) {
	v, _, err := loader.From(ctx).RolePermissions.Load(ctx, obj.ID)
	return listed(v), err
}

func (r *mutationResolver) CreateRole(ctx context.Context, input model.CreateRoleInput) (*model.RolePayload, error) {
	role, err := r.Access.CreateRole(ctx, access.RoleSpec{Name: input.Name, Description: text(input.Description.Value()), Permissions: input.Permissions})
	mistakes, err := mistakesOf(ctx, err)
	return &model.RolePayload{Role: role, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateRole(ctx context.Context, input model.UpdateRoleInput) (*model.RolePayload, error) {
	role, err := r.Access.UpdateRole(ctx, input.ID, input.ExpectedVersion, func(s *access.RoleSpec) {
		set(input.Name, &s.Name)
		set(input.Description, &s.Description)
		if given := input.Permissions.Value(); given != nil {
			s.Permissions = given
		}
	})
	mistakes, err := mistakesOf(ctx, err)
	return &model.RolePayload{Role: role, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteRole(ctx context.Context, input model.DeleteRoleInput) (*model.DeleteRolePayload, error) {
	role, err := r.Access.DeleteRole(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	p := &model.DeleteRolePayload{UserErrors: mistakes}
	if role != nil {
		p.DeletedID = &role.ID
	}
	return p, err
}

func (r *mutationResolver) AssignRole(ctx context.Context, input model.AssignRoleInput) (*model.AssignRolePayload, error) {
	a, err := r.Access.AssignRole(ctx, access.Assignment{UserID: input.UserID, RoleID: input.RoleID, SiteID: input.SiteID.Value()})
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssignRolePayload{Assignment: a, UserErrors: mistakes}, err
}

func (r *mutationResolver) UnassignRole(ctx context.Context, input model.UnassignRoleInput) (*model.UnassignRolePayload, error) {
	a, err := r.Access.UnassignRole(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	p := &model.UnassignRolePayload{UserErrors: mistakes}
	if a != nil {
		p.DeletedID = &a.ID
	}
	return p, err
}

func (r *permissionResolver) Name(ctx context.Context, obj *ent.Permission) (string, error) {
	return obj.Resource + ":" + obj.Action, nil
}

func (r *queryResolver) Roles(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.RoleFilter) (*model.Connection[*ent.Role], error) {
	var f access.RoleFilter
	if filter != nil {
		f = access.RoleFilter{Search: text(filter.Search.Value()), IsSystem: filter.IsSystem.Value()}
	}
	return model.NewConnection(r.Access.Roles(ctx, pageArgs(ctx, first, after, last, before), f))
}

func (r *queryResolver) Permissions(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.Permission], error) {
	return model.NewConnection(r.Access.Permissions(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *roleAssignmentResolver) Role(ctx context.Context, obj *ent.UserRole) (*ent.Role, error) {
	return optional(ctx, loader.From(ctx).AccessRole, &obj.RoleID)
}

func (r *roleAssignmentResolver) Site(ctx context.Context, obj *ent.UserRole) (*ent.Site, error) {
	return optional(ctx, loader.From(ctx).Site, obj.SiteID)
}

func (r *Resolver) AccessRole() generated.AccessRoleResolver { return &accessRoleResolver{r} }

func (r *Resolver) Permission() generated.PermissionResolver { return &permissionResolver{r} }

func (r *Resolver) RoleAssignment() generated.RoleAssignmentResolver {
	return &roleAssignmentResolver{r}
}

type (
	accessRoleResolver     struct{ *Resolver }
	permissionResolver     struct{ *Resolver }
	roleAssignmentResolver struct{ *Resolver }
)
