package bulk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/keyset"
	"foresight/internal/tenancy"
)

// Scoring is the scoring of the fleet for a day as it stands (see internal/health, which
// does it).
type Scoring struct {
	Common
	Day      time.Time
	Assets   int // with features of the day
	Scored   int // with a prediction
	Unscored int // for which no model answered; they are made up
}

// scorings are jobs of the whole tenant, and so not for actors of some sites.
func (s *Service) scorings(ctx context.Context, q querier, ids []id.UUID) (map[id.UUID]*Scoring, error) {
	a := tenancy.Must(ctx)
	if len(a.SiteIDs) > 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, `SELECT id, status, error, created_at, finished_at, day, assets, scored, unscored
		FROM scoring_jobs WHERE tenant_id = $1 AND id = ANY ($2)`, a.TenantID, ids)
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Scoring, error) {
		var x Scoring
		var failure []byte
		err := r.Scan(&x.ID, &x.Status, &failure, &x.CreatedAt, &x.FinishedAt, &x.Day, &x.Assets, &x.Scored, &x.Unscored)
		x.Failure = jobs.ToldFailure(failure)
		if x.Ended() {
			total := uint64(x.Assets)
			x.Done, x.Total = total, &total
		}
		return &x, err
	})
	return keyset.ByID(found, err, func(x *Scoring) id.UUID { return x.ID })
}

// ScoringsByID loads scorings in one statement; those that the actor does not see are
// absent.
func (s *Service) ScoringsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Scoring, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return nil, err
	}
	return s.scorings(ctx, s.App, ids)
}
