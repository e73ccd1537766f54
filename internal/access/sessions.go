package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// endSessions revokes the refresh tokens of the person, in other tenants where the
// person is a guest, too. Call it before the person is locked out: the tenants are
// those that can be entered. RevokeActor after the commit ends the access tokens.
func (s *Service) endSessions(ctx context.Context, tx pgx.Tx, person id.UUID) error {
	own := tenancy.Must(ctx).TenantID
	rows, err := tx.Query(ctx, `SELECT tenant_id FROM lookup_memberships($1) WHERE tenant_id <> $2`, person, own)
	if err != nil {
		return err
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return err
	}
	for _, t := range append(tenants, own) { // the own one last: the rest of the transaction acts in it
		if err := s.endSessionsIn(ctx, tx, t, person); err != nil {
			return err
		}
	}
	return nil
}

// endAllSessions revokes the refresh tokens of everybody in the actor's tenant, and of
// its people where they are guests.
func (s *Service) endAllSessions(ctx context.Context, tx pgx.Tx) error {
	own := tenancy.Must(ctx).TenantID
	if _, err := tx.Exec(ctx, `UPDATE refresh_tokens SET revoked_at = $2 WHERE tenant_id = $1 AND revoked_at IS NULL`, own, s.now()); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT m.tenant_id, u.id FROM users u, lookup_memberships(u.id) m WHERE u.tenant_id = $1 AND m.tenant_id <> $1`, own)
	if err != nil {
		return err
	}
	type stay struct{ Tenant, Person id.UUID }
	abroad, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stay])
	if err != nil {
		return err
	}
	for _, a := range abroad {
		if err := s.endSessionsIn(ctx, tx, a.Tenant, a.Person); err != nil {
			return err
		}
	}
	return actIn(ctx, tx, own)
}

// endSessionsIn revokes the refresh tokens of the person in one tenant, in which the
// transaction acts from then on.
func (s *Service) endSessionsIn(ctx context.Context, tx pgx.Tx, tenant, person id.UUID) error {
	if err := actIn(ctx, tx, tenant); err != nil {
		return err
	}
	return s.endSessionsHere(ctx, tx, tenant, person)
}

// actIn makes the rest of the transaction see the tenant.
func actIn(ctx context.Context, tx pgx.Tx, tenant id.UUID) error {
	_, err := tx.Exec(ctx, `SELECT set_config('app.tenant_id', $1, true)`, tenant.String())
	return err
}

// endSessionsHere revokes the refresh tokens of the person in one tenant, which the
// transaction acts in.
func (s *Service) endSessionsHere(ctx context.Context, tx pgx.Tx, tenant, person id.UUID) error {
	_, err := tx.Exec(ctx, `UPDATE refresh_tokens SET revoked_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL`,
		tenant, person, s.now())
	return err
}
