package plant

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/tenancy"
)

// IngestionCount is how many messages of the tenant came in a minute, by what became of
// them: `accepted`, the reason of a rejection, or `slowed`, `deferred` or `told` for
// those over quota.
type IngestionCount struct {
	Minute  time.Time
	Outcome string
	N       uint64
}

// IngestionCounts returns the counts of [from, to), the oldest first. People limited to
// sites get none: a refused message belongs to no site.
func (s *Service) IngestionCounts(ctx context.Context, from, to time.Time) ([]IngestionCount, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryRead); err != nil {
		return nil, err
	}
	a := tenancy.Must(ctx)
	if a.SiteIDs != nil {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT minute, outcome, n FROM ingestion_counts
		WHERE tenant_id = $1 AND minute >= $2 AND minute < $3 ORDER BY minute, outcome`, a.TenantID, from, to)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[IngestionCount])
}
