package access

import (
	"context"

	"foresight/ent"
	"foresight/ent/invite"
	"foresight/ent/membership"
	"foresight/ent/permission"
	"foresight/ent/predicate"
	"foresight/ent/role"
	"foresight/ent/user"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// PersonFilter narrows a list of people or memberships; zero fields do not.
type PersonFilter struct {
	Search   string // within names and address, without regard to case
	Roles    []tenancy.Role
	IsActive *bool
}

// Users lists the people at home by username.
func (s *Service) Users(ctx context.Context, a page.Args, f PersonFilter) (page.Page[*ent.User], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.UsersRead, a, keyset.ByText(user.FieldUsername))
	if err != nil {
		return page.Page[*ent.User]{}, err
	}
	var where []predicate.User
	if f.Search != "" {
		where = append(where, user.Or(user.UsernameContainsFold(f.Search), user.EmailContainsFold(f.Search), user.FullNameContainsFold(f.Search)))
	}
	if len(f.Roles) > 0 {
		where = append(where, user.RoleIn(f.Roles...))
	}
	if f.IsActive != nil {
		where = append(where, user.IsActive(*f.IsActive))
	}
	q := s.ent.User.Query().Where(where...)
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.User) page.Key { return keyset.Key(e.Username, e.ID) })
}

// Memberships lists who is let into the tenant, guests too, by display name.
func (s *Service) Memberships(ctx context.Context, a page.Args, f PersonFilter) (page.Page[*ent.Membership], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.UsersRead, a, keyset.ByText(membership.FieldDisplayName))
	if err != nil {
		return page.Page[*ent.Membership]{}, err
	}
	var where []predicate.Membership
	if f.Search != "" {
		where = append(where, membership.DisplayNameContainsFold(f.Search))
	}
	if len(f.Roles) > 0 {
		where = append(where, membership.RoleIn(f.Roles...))
	}
	if f.IsActive != nil {
		where = append(where, membership.IsActive(*f.IsActive))
	}
	q := s.ent.Membership.Query().Where(where...)
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Membership) page.Key { return keyset.Key(e.DisplayName, e.ID) })
}

// InviteState is what has become of an invitation.
type InviteState string

// The states.
const (
	InvitePending   InviteState = "pending"
	InviteAccepted  InviteState = "accepted"
	InviteExpired   InviteState = "expired"
	InviteWithdrawn InviteState = "withdrawn"
)

// StateOf returns what has become of an invitation.
func (s *Service) StateOf(i *ent.Invite) InviteState {
	switch {
	case i.AcceptedAt != nil:
		return InviteAccepted
	case !i.IsActive:
		return InviteWithdrawn
	case !i.ExpiresAt.After(s.now()):
		return InviteExpired
	}
	return InvitePending
}

// InviteFilter narrows a list of invitations; zero fields do not.
type InviteFilter struct {
	Search string // within the address, without regard to case
	Roles  []tenancy.Role
	State  InviteState
}

// Invites lists the invitations, the newest first.
func (s *Service) Invites(ctx context.Context, a page.Args, f InviteFilter) (page.Page[*ent.Invite], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.UsersRead, a, keyset.Newest(invite.FieldCreatedAt))
	if err != nil {
		return page.Page[*ent.Invite]{}, err
	}
	var where []predicate.Invite
	if f.Search != "" {
		where = append(where, invite.EmailContainsFold(f.Search))
	}
	if len(f.Roles) > 0 {
		where = append(where, invite.RoleIn(f.Roles...))
	}
	switch open := invite.And(invite.AcceptedAtIsNil(), invite.IsActive(true)); f.State {
	case InvitePending:
		where = append(where, open, invite.ExpiresAtGT(s.now()))
	case InviteExpired:
		where = append(where, open, invite.ExpiresAtLTE(s.now()))
	case InviteAccepted:
		where = append(where, invite.AcceptedAtNotNil())
	case InviteWithdrawn:
		where = append(where, invite.AcceptedAtIsNil(), invite.IsActive(false))
	}
	q := s.ent.Invite.Query().Where(where...)
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Invite) page.Key { return keyset.Key(e.CreatedAt, e.ID) })
}

// RoleFilter narrows a list of roles; zero fields do not.
type RoleFilter struct {
	Search   string // within name and description, without regard to case
	IsSystem *bool
}

// Roles lists the roles by name.
func (s *Service) Roles(ctx context.Context, a page.Args, f RoleFilter) (page.Page[*ent.Role], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.RolesRead, a, keyset.ByText(role.FieldName))
	if err != nil {
		return page.Page[*ent.Role]{}, err
	}
	var where []predicate.Role
	if f.Search != "" {
		where = append(where, role.Or(role.NameContainsFold(f.Search), role.DescriptionContainsFold(f.Search)))
	}
	if f.IsSystem != nil {
		where = append(where, role.IsSystem(*f.IsSystem))
	}
	q := s.ent.Role.Query().Where(where...)
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Role) page.Key { return keyset.Key(e.Name, e.ID) })
}

// Permissions lists what roles can allow, by resource and action.
func (s *Service) Permissions(ctx context.Context, a page.Args) (page.Page[*ent.Permission], error) {
	order := keyset.Order{{Name: permission.FieldResource}, {Name: permission.FieldAction}}
	w, apply, err := keyset.Begin(ctx, tenancy.RolesRead, a, order)
	if err != nil {
		return page.Page[*ent.Permission]{}, err
	}
	q := s.ent.Permission.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Permission) page.Key { return keyset.Key(e.Resource, e.Action) })
}
