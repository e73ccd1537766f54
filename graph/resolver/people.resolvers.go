package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/access"
	"foresight/internal/tenancy"
)

func (r *faultActionResolver) Address(ctx context.Context, obj *ent.FaultAction) (string, error) {
	return access.AddressOf(obj), nil
}

func (r *faultActionResolver) HasSecret(ctx context.Context, obj *ent.FaultAction) (bool, error) {
	return len(obj.SecretCiphertext) > 0, nil
}

func (r *inviteResolver) State(ctx context.Context, obj *ent.Invite) (access.InviteState, error) {
	return r.Access.StateOf(obj), nil
}

func (r *inviteResolver) InvitedBy(ctx context.Context, obj *ent.Invite) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.CreatedBy)
}

func (r *membershipResolver) User(ctx context.Context, obj *ent.Membership) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, &obj.UserID)
}

func (r *membershipResolver) Assignments(ctx context.Context, obj *ent.Membership) ([]*ent.UserRole, error) {
	v, _, err := loader.From(ctx).Assignments.Load(ctx, obj.UserID)
	return listed(v), err
}

func (r *membershipResolver) IsGuest(ctx context.Context, obj *ent.Membership) (bool, error) {
	_, home, err := loader.From(ctx).User.Load(ctx, obj.UserID)
	return !home, err
}

func (r *mutationResolver) CreateUser(ctx context.Context, input model.CreateUserInput) (*model.UserPayload, error) {
	made, err := r.Access.CreateUser(ctx, access.NewPerson{Email: input.Email, FullName: input.FullName, Username: text(input.Username.Value()),
		Role: input.Role, Locale: text(input.Locale.Value()), Password: text(input.Password.Value())})
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || made == nil {
		return &model.UserPayload{UserErrors: mistakes}, err
	}
	return &model.UserPayload{User: made.User, Link: orNone(made.Link), UserErrors: mistakes}, nil
}

func (r *mutationResolver) UpdateUser(ctx context.Context, input model.UpdateUserInput) (*model.UserPayload, error) {
	u, err := r.Access.UpdateUser(ctx, input.ID, input.ExpectedVersion, personOf(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.UserPayload{User: u, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeactivateUser(ctx context.Context, input model.DeactivateUserInput) (*model.UserPayload, error) {
	u, err := r.Access.DeactivateUser(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.UserPayload{User: u, UserErrors: mistakes}, err
}

func (r *mutationResolver) InviteUser(ctx context.Context, input model.InviteUserInput) (*model.InvitePayload, error) {
	made, err := r.Access.Invite(ctx, input.Email, input.Role, text(input.Locale.Value()))
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || made == nil {
		return &model.InvitePayload{UserErrors: mistakes}, err
	}
	return &model.InvitePayload{Invite: made.Invite, Link: orNone(made.Link), UserErrors: mistakes}, nil
}

func (r *mutationResolver) WithdrawInvite(ctx context.Context, input model.WithdrawInviteInput) (*model.InvitePayload, error) {
	i, err := r.Access.WithdrawInvite(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.InvitePayload{Invite: i, UserErrors: mistakes}, err
}

func (r *mutationResolver) AcceptInvite(ctx context.Context, input model.AcceptInviteInput) (*model.AcceptInvitePayload, error) {
	return r.acceptInvite(ctx, input)
}

func (r *mutationResolver) AddMembership(ctx context.Context, input model.AddMembershipInput) (*model.MembershipPayload, error) {
	m, err := r.Access.AddMembership(ctx, access.Guest{UserID: input.UserID, Email: input.Email, DisplayName: input.DisplayName, Role: input.Role})
	mistakes, err := mistakesOf(ctx, err)
	return &model.MembershipPayload{Membership: m, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateMembership(ctx context.Context, input model.UpdateMembershipInput) (*model.MembershipPayload, error) {
	m, err := r.Access.UpdateMembership(ctx, input.UserID, input.ExpectedVersion, func(name *string, role *tenancy.Role) {
		set(input.DisplayName, name)
		set(input.Role, role)
	})
	mistakes, err := mistakesAt(ctx, err, "input.userId")
	return &model.MembershipPayload{Membership: m, UserErrors: mistakes}, err
}

func (r *mutationResolver) RemoveMembership(ctx context.Context, input model.RemoveMembershipInput) (*model.MembershipPayload, error) {
	m, err := r.Access.RemoveMembership(ctx, input.UserID)
	mistakes, err := mistakesAt(ctx, err, "input.userId")
	return &model.MembershipPayload{Membership: m, UserErrors: mistakes}, err
}

func (r *mutationResolver) ChangePassword(ctx context.Context, input model.ChangePasswordInput) (*model.ChangePasswordPayload, error) {
	return r.changePassword(ctx, input)
}

func (r *mutationResolver) RequestPasswordReset(ctx context.Context, input model.RequestPasswordResetInput) (*model.RequestPasswordResetPayload, error) {
	err := r.Access.RequestPasswordReset(ctx, input.Email, text(input.TenantCode.Value()), r.Browser.Remote(ctx))
	mistakes, err := mistakesOf(ctx, err)
	return &model.RequestPasswordResetPayload{Ok: err == nil, UserErrors: mistakes}, err
}

func (r *mutationResolver) ResetPassword(ctx context.Context, input model.ResetPasswordInput) (*model.ResetPasswordPayload, error) {
	return r.resetPassword(ctx, input)
}

func (r *mutationResolver) UpdateMySettings(ctx context.Context, input model.UpdateMySettingsInput) (*model.UpdateMySettingsPayload, error) {
	s, err := r.Access.UpdateMySettings(ctx, input.ExpectedVersion, mySpec(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.UpdateMySettingsPayload{Settings: s, UserErrors: mistakes}, err
}

func (r *mutationResolver) SetFaultActions(ctx context.Context, input model.SetFaultActionsInput) (*model.SetFaultActionsPayload, error) {
	as, err := r.Access.SetFaultActions(ctx, actionsOf(input.Actions))
	mistakes, err := mistakesOf(ctx, err)
	return &model.SetFaultActionsPayload{FaultActions: as, UserErrors: mistakes}, err
}

func (r *queryResolver) Memberships(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.MembershipFilter) (*model.Connection[*ent.Membership], error) {
	return model.NewConnection(r.Access.Memberships(ctx, pageArgs(ctx, first, after, last, before), membershipFilter(filter)))
}

func (r *queryResolver) Invites(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.InviteFilter) (*model.Connection[*ent.Invite], error) {
	return model.NewConnection(r.Access.Invites(ctx, pageArgs(ctx, first, after, last, before), inviteFilter(filter)))
}

func (r *userResolver) Assignments(ctx context.Context, obj *ent.User) ([]*ent.UserRole, error) {
	v, _, err := loader.From(ctx).Assignments.Load(ctx, obj.ID)
	return listed(v), err
}

func (r *viewerResolver) Settings(ctx context.Context, obj *model.Viewer) (*ent.UserSettings, error) {
	return r.Access.MySettings(asViewer(ctx, obj))
}

func (r *viewerResolver) FaultActions(ctx context.Context, obj *model.Viewer) ([]*ent.FaultAction, error) {
	as, err := r.Access.FaultActions(asViewer(ctx, obj))
	return listed(as), err
}

func (r *Resolver) FaultAction() generated.FaultActionResolver { return &faultActionResolver{r} }

func (r *Resolver) Invite() generated.InviteResolver { return &inviteResolver{r} }

func (r *Resolver) Membership() generated.MembershipResolver { return &membershipResolver{r} }

type (
	faultActionResolver struct{ *Resolver }
	inviteResolver      struct{ *Resolver }
	membershipResolver  struct{ *Resolver }
)
