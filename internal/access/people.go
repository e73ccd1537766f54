package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/membership"
	"foresight/ent/mixin"
	"foresight/ent/passwordreset"
	"foresight/ent/user"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/mail"
	"foresight/internal/tenancy"
)

// Created is a person that was made.
type Created struct {
	User *ent.User
	// Link is for the maker to hand over, so that the person sets a password; "" when
	// it was sent by mail, or when a password was given.
	Link string
}

// CreateUser makes a person of the tenant. Without a password the person gets a
// letter with a link to set one, good for a week.
func (s *Service) CreateUser(ctx context.Context, p NewPerson) (*Created, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	if err := holds(ctx, tenancy.RoleScopes(p.Role), "role"); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p, err := s.hashed(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &Created{}
	letter := mail.Letter{Kind: mail.Welcome, To: p.Email, Name: p.FullName, Life: welcomeLife}
	err = s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		if out.User, err = Join(ctx, c, p); err != nil || p.PasswordHash != "" {
			return err
		}
		t, err := tenantOf(ctx, c)
		if err != nil {
			return err
		}
		letter.Tenant, letter.Locale = t.Name, or(p.Locale, t.DefaultLocale)
		if letter.Link, err = s.passwordLink(ctx, c, out.User.ID, welcomeLife, "welcome"); err != nil {
			return err
		}
		return s.c.Post.write(ctx, tx, letter)
	})
	if err != nil {
		return nil, err
	}
	if letter.Link != "" {
		out.Link = s.handedOver(ctx, letter)
	}
	return out, nil
}

// Person is what can be changed of a person.
type Person struct {
	Username string
	Email    string
	FullName string
	Role     tenancy.Role
	Locale   string // "" for the tenant's
	IsActive bool   // may sign in
}

// UpdateUser lets change alter a person of the tenant whose version is the expected
// one. A change of role takes effect on open sessions; deactivation ends them.
func (s *Service) UpdateUser(ctx context.Context, which id.UUID, expected int, change func(*Person)) (*ent.User, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	var out *ent.User
	var was, is Person
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		u, err := s.atHome(ctx, c, which)
		if err != nil {
			return err
		}
		if u.Version != expected {
			return fault.Stale("User")
		}
		if err := outranks(ctx, c, which); err != nil {
			return err
		}
		was = Person{u.Username, u.Email, u.FullName, u.Role, u.Locale, u.IsActive}
		is = was
		change(&is)
		if err := is.check(); err != nil {
			return err
		}
		if is.Role != was.Role {
			if err := holds(ctx, tenancy.RoleScopes(is.Role), "role"); err != nil {
				return err
			}
		}
		if was.IsActive && !is.IsActive {
			if err := s.endSessions(ctx, tx, which); err != nil {
				return err
			}
		}
		out, err = store(ctx, c, u, is)
		return err
	})
	if err != nil {
		return nil, err
	}
	if was.Role != is.Role || was.IsActive && !is.IsActive {
		s.c.Sessions.RevokeActor(which)
	}
	return out, nil
}

// DeactivateUser locks a person of the tenant out and ends all sessions, also those
// as a guest of other tenants. What the person has done keeps the name.
func (s *Service) DeactivateUser(ctx context.Context, which id.UUID) (*ent.User, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	var out *ent.User
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		u, err := s.atHome(ctx, c, which)
		if err != nil {
			return err
		}
		if err := outranks(ctx, c, which); err != nil {
			return err
		}
		if err := s.endSessions(ctx, tx, which); err != nil {
			return err
		}
		out, err = store(ctx, c, u, Person{u.Username, u.Email, u.FullName, u.Role, u.Locale, false})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.c.Sessions.RevokeActor(which)
	return out, nil
}

// atHome reads a person of the tenant; a guest is told to be one.
func (s *Service) atHome(ctx context.Context, c *ent.Client, which id.UUID) (*ent.User, error) {
	u, err := c.User.Query().Where(user.ID(which)).Only(ctx)
	if !ent.IsNotFound(err) {
		return u, err
	}
	guest, err := c.Membership.Query().Where(membership.UserID(which)).Exist(ctx)
	if err == nil && guest {
		return nil, fault.Invalid("input.id", "error.access.guest")
	}
	if err != nil {
		return nil, err
	}
	return nil, fault.Missing("User")
}

func (p *Person) check() error {
	var m mistakes
	p.Username = m.username("username", p.Username)
	p.Email = m.email("email", p.Email)
	p.FullName = m.name("fullName", p.FullName)
	if p.Locale != "" {
		p.Locale = m.locale("locale", p.Locale)
	}
	return m.err()
}

// store writes a person with the membership at home, which says the same of the role,
// the name and whether the person is let in.
func store(ctx context.Context, c *ent.Client, u *ent.User, p Person) (*ent.User, error) {
	q := c.User.UpdateOneID(u.ID).SetUsername(p.Username).SetEmail(p.Email).SetFullName(p.FullName).SetRole(p.Role).
		SetLocale(p.Locale).SetIsActive(p.IsActive)
	switch {
	case !p.IsActive:
		q.SetStatus(enum.UserDisabled)
	case u.Status == enum.UserDisabled && u.PasswordHash == "":
		q.SetStatus(enum.UserInvited)
	case u.Status == enum.UserDisabled:
		q.SetStatus(enum.UserActive)
	}
	out, err := q.Save(ctx)
	if err != nil {
		return nil, personTaken(err)
	}
	if p.Email != u.Email { // what was written to the former address lets nobody in any more
		if _, err := c.PasswordReset.Update().Where(passwordreset.UserID(u.ID), passwordreset.UsedAtIsNil()).SetUsedAt(mixin.Now()).Save(ctx); err != nil {
			return nil, err
		}
	}
	if u.IsActive && !p.IsActive {
		if err := withdrawInvitesOf(ctx, c, u.ID); err != nil {
			return nil, err
		}
	}
	_, err = c.Membership.Update().Where(membership.UserID(u.ID)).SetRole(p.Role).SetDisplayName(p.FullName).SetIsActive(p.IsActive).Save(ctx)
	return out, err
}
