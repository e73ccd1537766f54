package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/passwordreset"
	"foresight/ent/user"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// ChangePassword sets another password of the acting person, who knows the present
// one. It ends all sessions, the present one too: the door opens another. A guest
// changes it at home. Errors: BadInput at input.currentPassword or input.password,
// RateLimited after too many guesses.
func (s *Service) ChangePassword(ctx context.Context, current, password string) (*ent.User, error) {
	who, person := tenancy.Must(ctx).UserID()
	if !person {
		return nil, fault.New(fault.BadInput, "error.access.personsOnly")
	}
	if f := s.guesses.Take(who.String()); f != nil {
		return nil, f
	}
	u, err := s.ent.User.Query().Where(user.ID(who)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.New(fault.Conflict, "error.access.atHome")
	}
	if err != nil {
		return nil, err
	}
	switch right, err := s.c.Hasher.Verify(ctx, u.PasswordHash, current); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil || !right:
		return nil, fault.Invalid("input.currentPassword", "error.access.currentPassword").Because(err)
	}
	var m mistakes
	if m.password("password", password, u.Email, u.Username, u.FullName); m.err() != nil {
		return nil, m.err()
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	if err := s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		return s.setPassword(ctx, c, tx, u, hash)
	}); err != nil {
		return nil, err
	}
	s.c.Sessions.RevokeActor(u.ID)
	return u, nil
}

// setPassword stores a password, withdraws all letters about the former one and ends
// the refresh tokens of the person everywhere.
func (s *Service) setPassword(ctx context.Context, c *ent.Client, tx pgx.Tx, u *ent.User, hash string) error {
	q := c.User.UpdateOneID(u.ID).SetPasswordHash(hash).SetFailedLogins(0).ClearLockedUntil()
	if u.Status == enum.UserInvited {
		q.SetStatus(enum.UserActive)
	}
	if err := q.Exec(ctx); err != nil {
		return missing(err, "User")
	}
	if _, err := c.PasswordReset.Update().Where(passwordreset.UserID(u.ID), passwordreset.UsedAtIsNil()).SetUsedAt(s.now()).Save(ctx); err != nil {
		return err
	}
	return s.endSessions(ctx, tx, u.ID)
}
