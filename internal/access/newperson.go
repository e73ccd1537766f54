package access

import (
	"context"
	"strings"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// NewPerson is what a person begins with.
type NewPerson struct {
	Username string // "": the local part of the address
	Email    string
	FullName string
	Password string // "": the person sets one by a link
	Locale   string // BCP 47, "" for the tenant's
	Role     tenancy.Role

	// PasswordHash is the stored form of Password, for Join.
	PasswordHash string
}

// check brings the input into its stored form; what is wrong is a fault.List.
func (p *NewPerson) check() error {
	var m mistakes
	p.Email = m.email("email", p.Email)
	p.FullName = m.name("fullName", p.FullName)
	if local, _, _ := strings.Cut(p.Email, "@"); strings.TrimSpace(p.Username) == "" && local != "" {
		p.Username = local[:min(len(local), maxUsername)]
	}
	if p.Email != "" || p.Username != "" { // without both, the address is to blame alone
		p.Username = m.username("username", p.Username)
	}
	if p.Locale != "" {
		p.Locale = m.locale("locale", p.Locale)
	}
	if p.Password != "" {
		m.password("password", p.Password, p.Email, p.Username, p.FullName)
	}
	return m.err()
}

// hashed returns the person with the stored form of the password.
func (s *Service) hashed(ctx context.Context, p NewPerson) (NewPerson, error) {
	if p.Password == "" {
		return p, nil
	}
	h, err := s.hash(ctx, p.Password)
	p.PasswordHash, p.Password = h, ""
	return p, err
}

// hash makes the stored form of a password. It waits for its turn no longer than the
// request does.
func (s *Service) hash(ctx context.Context, password string) (string, error) {
	h, err := s.c.Hasher.Hash(ctx, password)
	if err != nil {
		return "", fault.New(fault.Unavailable, "error.auth.unavailable").Because(err)
	}
	return h, nil
}

// Join makes a person of the context's tenant with the membership at home, as part of
// the client's transaction. It checks neither permission nor input: its callers do.
func Join(ctx context.Context, c *ent.Client, p NewPerson) (*ent.User, error) {
	status := enum.UserActive
	if p.PasswordHash == "" {
		status = enum.UserInvited
	}
	u, err := c.User.Create().SetUsername(p.Username).SetEmail(p.Email).SetFullName(p.FullName).SetPasswordHash(p.PasswordHash).
		SetRole(p.Role).SetLocale(p.Locale).SetStatus(status).Save(ctx)
	if err != nil {
		return nil, personTaken(err)
	}
	return u, c.Membership.Create().SetUserID(u.ID).SetDisplayName(p.FullName).SetRole(p.Role).Exec(ctx)
}

// personTaken tells which of a person's names another one has.
func personTaken(err error) error {
	switch key, _ := postgres.Unique(err); key {
	case "user_tenant_id_email":
		return fault.New(fault.Conflict, "error.access.emailTaken").At("input.email").Because(err)
	case "user_tenant_id_username":
		return fault.New(fault.Conflict, "error.access.usernameTaken").At("input.username").Because(err)
	}
	return err
}
