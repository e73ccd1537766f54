package deploy

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// behind are the people on whose word the actor acts, by their user ids: the person
// itself; of a key or client whoever made it, or has changed it last and so may hold its
// secret. Nobody is behind the product.
func behind(ctx context.Context, q querier) ([]id.UUID, error) {
	if p := person(ctx); p != nil {
		return []id.UUID{*p}, nil
	}
	actor := tenancy.Must(ctx)
	rows, err := q.Query(ctx, `SELECT DISTINCT u FROM (
			SELECT created_by, updated_by FROM api_keys WHERE tenant_id = $1 AND id = $2
			UNION ALL SELECT created_by, updated_by FROM oauth_clients WHERE tenant_id = $1 AND id = $2) c,
			unnest(ARRAY[c.created_by, c.updated_by]) u WHERE u IS NOT NULL ORDER BY u`, actor.TenantID, actor.ID)
	if err != nil {
		return nil, fmt.Errorf("deploy: who asks: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return nil, fmt.Errorf("deploy: who asks: %w", err)
	}
	return found, nil
}
