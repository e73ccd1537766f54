package plant

import (
	"context"
	"unicode/utf8"

	"foresight/ent"
	"foresight/ent/gateway"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Credential is what a gateway logs in to the broker with. Only the hash of the
// password is kept: it is shown this once.
type Credential struct {
	Gateway            *ent.Gateway
	Username, Password string
}

// IssueCredential gives a gateway the user name `tenant.gateway` and a new password.
// A former password is good no more, and the broker ends the connection that was
// opened with it.
func (s *Service) IssueCredential(ctx context.Context, which id.UUID) (*Credential, error) {
	c := &Credential{}
	err := s.begin(ctx, func(ctx context.Context, w work) error {
		old, err := gatewayKind.at(ctx, w, which, nil)
		if err != nil {
			return err
		}
		t, err := w.client.Tenant.Get(ctx, tenancy.Must(ctx).TenantID)
		if err != nil {
			return err
		}
		// Neither code has a dot, and tenants' codes are unique: so is the name.
		c.Username = t.Code + "." + old.GatewayCode
		if utf8.RuneCountInString(c.Username) > maxCode {
			return fault.New(fault.BadInput, "error.gateway.codeTooLong").With("Max", maxCode).At("input.id")
		}
		var hash string
		c.Password, hash = s.opt.NewSecret()
		c.Gateway, err = w.client.Gateway.UpdateOneID(which).Where(gateway.Version(old.Version)).
			SetMqttUsername(c.Username).SetMqttPasswordHash(hash).Save(ctx)
		return gatewayKind.fault(err)
	})
	return orNone(c, err)
}

// RevokeCredential takes the credential from a gateway, which is disconnected.
func (s *Service) RevokeCredential(ctx context.Context, which id.UUID) (*ent.Gateway, error) {
	var e *ent.Gateway
	err := s.begin(ctx, func(ctx context.Context, w work) error {
		old, err := gatewayKind.at(ctx, w, which, nil)
		if err != nil {
			return err
		}
		e, err = w.client.Gateway.UpdateOneID(which).Where(gateway.Version(old.Version)).
			ClearMqttUsername().ClearMqttPasswordHash().Save(ctx)
		return gatewayKind.fault(err)
	})
	return orNone(e, err)
}
