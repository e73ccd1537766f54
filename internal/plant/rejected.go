package plant

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Rejection is a message of the tenant's devices that was refused.
type Rejection struct {
	ID      id.UUID
	Reason  string // machine-readable
	Topic   string
	Payload []byte // its beginning
	At      time.Time
}

// Rejected lists the newest refused messages. People limited to sites see none:
// a refused message belongs to no site.
func (s *Service) Rejected(ctx context.Context, limit int) ([]Rejection, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryRead); err != nil {
		return nil, err
	}
	a := tenancy.Must(ctx)
	if len(a.SiteIDs) > 0 {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT id, reason, topic, payload, at FROM rejected_readings
		WHERE tenant_id = $1 ORDER BY at DESC, id LIMIT $2`, a.TenantID, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Rejection])
}
