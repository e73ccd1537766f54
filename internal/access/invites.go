package access

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/invite"
	"foresight/ent/membership"
	"foresight/ent/user"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/mail"
	"foresight/internal/tenancy"
)

// Invited is an invitation that was made.
type Invited struct {
	Invite *ent.Invite
	// Link is for the inviter to hand over; "" when it was sent by mail.
	Link string
}

// Invite asks somebody to join the tenant with a role. Earlier open invitations to
// the address are withdrawn. Locale is the letter's language, "" for the tenant's.
func (s *Service) Invite(ctx context.Context, email string, role tenancy.Role, locale string) (*Invited, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	if err := holds(ctx, tenancy.RoleScopes(role), "role"); err != nil {
		return nil, err
	}
	var m mistakes
	email = m.email("email", email)
	if locale != "" {
		locale = m.locale("locale", locale)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	token, hash := newToken()
	out := &Invited{Link: s.link("accept-invite", token)}
	letter := mail.Letter{Kind: mail.Invite, To: email, Link: out.Link, Life: inviteLife}
	if err := s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		switch taken, err := c.User.Query().Where(user.Email(email)).Exist(ctx); {
		case err != nil:
			return err
		case taken:
			return fault.New(fault.Conflict, "error.access.emailTaken").At("input.email")
		}
		if _, err := c.Invite.Update().Where(invite.Email(email), invite.AcceptedAtIsNil(), invite.IsActive(true)).SetIsActive(false).Save(ctx); err != nil {
			return err
		}
		t, err := tenantOf(ctx, c)
		if err != nil {
			return err
		}
		letter.Tenant, letter.Locale = t.Name, or(locale, t.DefaultLocale)
		out.Invite, err = c.Invite.Create().SetEmail(email).SetRole(role).SetTokenHash(hash).SetExpiresAt(s.now().Add(inviteLife)).Save(ctx)
		if err != nil {
			return err
		}
		return s.c.Post.write(ctx, tx, letter)
	}); err != nil {
		return nil, err
	}
	out.Link = s.handedOver(ctx, letter)
	return out, nil
}

// handedOver returns the link of a letter that was written when it is to be handed over,
// as no letter can be sent.
func (s *Service) handedOver(ctx context.Context, l mail.Letter) (link string) {
	s.c.Post.told(ctx, l.Kind)
	if s.c.Post.Configured() {
		return ""
	}
	return l.Link
}

// WithdrawInvite makes an open invitation worthless. One that is accepted, withdrawn
// or too old is returned as it is.
func (s *Service) WithdrawInvite(ctx context.Context, which id.UUID) (*ent.Invite, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	if _, err := s.ent.Invite.Update().Where(invite.ID(which), invite.AcceptedAtIsNil(), invite.IsActive(true)).SetIsActive(false).Save(ctx); err != nil {
		return nil, err
	}
	i, err := s.ent.Invite.Get(ctx, which)
	return i, missing(err, "Invite")
}

// withdrawInvitesOf makes worthless what somebody who is locked out has left open.
func withdrawInvitesOf(ctx context.Context, c *ent.Client, person id.UUID) error {
	_, err := c.Invite.Update().Where(invite.CreatedBy(person), invite.AcceptedAtIsNil(), invite.IsActive(true)).SetIsActive(false).Save(ctx)
	return err
}

// inviteRow is what the token of an invitation is for.
type inviteRow struct {
	ID, TenantID            id.UUID
	TenantCode, Email, Role string
}

// Joined is who has accepted an invitation.
type Joined struct {
	User       *ent.User
	Tenant     id.UUID
	TenantCode string
}

// AcceptInvite makes the account that an invitation is for. The address and the role
// are the invitation's. Errors: BadInput at input.token or what is wrong with the
// person, Conflict for a username that is taken, RateLimited by remote.
func (s *Service) AcceptInvite(ctx context.Context, token string, p NewPerson, remote string) (*Joined, error) {
	if err := s.stranger(remote); err != nil {
		return nil, err
	}
	row, err := s.invitation(ctx, token)
	if err != nil {
		return nil, err
	}
	p.Email, p.Role = row.Email, tenancy.Role(row.Role)
	if p.Password == "" {
		return nil, fault.Invalid("input.password", "error.required")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p, err = s.hashed(ctx, p); err != nil {
		return nil, err
	}
	out := &Joined{Tenant: row.TenantID, TenantCode: row.TenantCode}
	err = s.change(tenancy.AsSystem(ctx, row.TenantID), func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		if err := s.use(ctx, c, row); err != nil {
			return err
		}
		out.User, err = Join(ctx, c, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AcceptInviteAsGuest lets the acting person into another tenant, to which the
// person's address was invited.
func (s *Service) AcceptInviteAsGuest(ctx context.Context, token string) (*Joined, error) {
	who, person := tenancy.Must(ctx).UserID()
	if !person {
		return nil, fault.New(fault.BadInput, "error.access.personsOnly")
	}
	row, err := s.invitation(ctx, token)
	if err != nil {
		return nil, err
	}
	u, err := s.ent.User.Query().Where(user.ID(who)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, fault.New(fault.Conflict, "error.access.atHome")
	case err != nil:
		return nil, err
	case u.Email != row.Email || u.TenantID == row.TenantID:
		return nil, badToken(errors.New("for somebody else"))
	}
	out := &Joined{User: u, Tenant: row.TenantID, TenantCode: row.TenantCode}
	err = s.change(tenancy.AsSystem(ctx, row.TenantID), func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		if err := s.use(ctx, c, row); err != nil {
			return err
		}
		_, err := welcomeGuest(ctx, c, who, u.FullName, tenancy.Role(row.Role))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) invitation(ctx context.Context, token string) (*inviteRow, error) {
	if token == "" || len(token) > maxToken {
		return nil, badToken(nil)
	}
	return lookUp[inviteRow](ctx, s, `SELECT id, tenant_id, tenant_code, email, role FROM lookup_invite($1)`, hashOf(token))
}

// use marks the invitation as accepted: of two who come with one token, one is first.
func (s *Service) use(ctx context.Context, c *ent.Client, row *inviteRow) error {
	n, err := c.Invite.Update().Where(invite.ID(row.ID), invite.AcceptedAtIsNil(), invite.IsActive(true), invite.ExpiresAtGT(s.now())).
		SetAcceptedAt(s.now()).Save(ctx)
	if err == nil && n == 0 {
		err = badToken(errors.New("used meanwhile"))
	}
	return err
}

// welcomeGuest makes, or makes valid again, the membership of a person of another
// tenant. One that is valid is a Conflict.
func welcomeGuest(ctx context.Context, c *ent.Client, person id.UUID, name string, role tenancy.Role) (*ent.Membership, error) {
	m, err := c.Membership.Query().Where(membership.UserID(person)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return c.Membership.Create().SetUserID(person).SetDisplayName(name).SetRole(role).Save(ctx)
	case err != nil:
		return nil, err
	case m.IsActive:
		return nil, fault.New(fault.Conflict, "error.access.member")
	}
	return c.Membership.UpdateOneID(m.ID).SetIsActive(true).SetDisplayName(name).SetRole(role).Save(ctx)
}
