package access

import (
	"context"

	"foresight/ent"
	"foresight/ent/invite"
	"foresight/ent/membership"
	"foresight/ent/role"
	"foresight/ent/userrole"
	"foresight/internal/id"
	"foresight/internal/keyset"
)

// RolesByID loads roles in one statement; ids that are not there are absent.
func (s *Service) RolesByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Role, error) {
	rows, err := s.ent.Role.Query().Where(role.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Role) id.UUID { return e.ID })
}

// MembershipsByID loads memberships in one statement.
func (s *Service) MembershipsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Membership, error) {
	rows, err := s.ent.Membership.Query().Where(membership.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Membership) id.UUID { return e.ID })
}

// InvitesByID loads invitations in one statement.
func (s *Service) InvitesByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Invite, error) {
	rows, err := s.ent.Invite.Query().Where(invite.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Invite) id.UUID { return e.ID })
}

// PermissionsOf loads what roles allow, as `resource:action` in order.
func (s *Service) PermissionsOf(ctx context.Context, roles []id.UUID) (map[id.UUID][]string, error) {
	sets, err := permissionsOf(ctx, s.ent, roles)
	out := make(map[id.UUID][]string, len(sets))
	for r, set := range sets {
		out[r] = set.Strings()
	}
	return out, err
}

// AssignmentsOf loads the roles that members were given, the oldest first.
func (s *Service) AssignmentsOf(ctx context.Context, people []id.UUID) (map[id.UUID][]*ent.UserRole, error) {
	rows, err := s.ent.UserRole.Query().Where(userrole.UserIDIn(people...)).Order(ent.Asc(userrole.FieldCreatedAt, userrole.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[id.UUID][]*ent.UserRole, len(people))
	for _, r := range rows {
		out[r.UserID] = append(out[r.UserID], r)
	}
	return out, nil
}
