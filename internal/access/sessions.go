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
		if _, err := tx.Exec(ctx, `SELECT set_config('app.tenant_id', $1, true)`, t.String()); err != nil {
			return err
		}
		if err := s.endSessionsHere(ctx, tx, t, person); err != nil {
			return err
		}
	}
	return nil
}

// endSessionsHere revokes the refresh tokens of the person in one tenant, which the
// transaction acts in.
func (s *Service) endSessionsHere(ctx context.Context, tx pgx.Tx, tenant, person id.UUID) error {
	_, err := tx.Exec(ctx, `UPDATE refresh_tokens SET revoked_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL`,
		tenant, person, s.now())
	return err
}
