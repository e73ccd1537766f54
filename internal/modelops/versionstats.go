package modelops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/mlmodelversion"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Lives tells what versions do where they serve. It is safe for concurrent use.
type Lives struct {
	ent   *ent.Client
	pool  *pgxpool.Pool
	store telemetry.VersionCounter
}

// NewLives returns the service, in the role of requests.
func NewLives(client *ent.Client, pool *pgxpool.Pool, store telemetry.VersionCounter) *Lives {
	return &Lives{client, pool, store}
}

// Bounds of a range of statistics.
const (
	maxStatsRange     = 100 * 24 * time.Hour // longer than predictions are kept
	defaultStatsRange = 30 * 24 * time.Hour
)

// Stats counts what the version has predicted from a time (30 days before the end when
// zero) to another (now when zero): the latest day first, then by role and label.
func (l *Lives) Stats(ctx context.Context, version id.UUID, from, to time.Time) ([]telemetry.VersionCount, error) {
	actor, err := tenancy.Must(ctx).Under(tenancy.ModelsRead, tenancy.PredictionsRead)
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = time.Now()
	}
	if from.IsZero() {
		from = to.Add(-defaultStatsRange)
	}
	if !from.Before(to) || to.Sub(from) > maxStatsRange {
		return nil, fault.Invalid("from", "error.version.range").With("Days", int(maxStatsRange/(24*time.Hour)))
	}
	v, err := l.ent.MLModelVersion.Query().Where(mlmodelversion.ID(version)).WithModel().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("ModelVersion").At("modelVersionId")
	}
	if err != nil {
		return nil, err
	}
	var out []telemetry.VersionCount
	if v.Edges.Model.Type == enum.ModelFailurePrediction {
		out, err = l.failures(ctx, actor, v, from, to)
	} else {
		out, err = l.store.VersionCounts(ctx, telemetry.VersionQuery{Tenant: actor.TenantID, Version: v.ID, Scope: telemetry.Scope{Sites: some(actor.SiteIDs)}, From: from, To: to})
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b telemetry.VersionCount) int {
		return cmp.Or(b.Day.Compare(a.Day), cmp.Compare(a.Role, b.Role), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label))
	})
	return out, nil
}

// failures counts predictions of failures: a failure is a probability within 30 days from
// the version's threshold on.
func (l *Lives) failures(ctx context.Context, actor *tenancy.Actor, v *ent.MLModelVersion, from, to time.Time) ([]telemetry.VersionCount, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT date_trunc('day', p.predicted_at, 'UTC'), 'production', CASE WHEN p.failure_prob_30d >= $5 THEN 'failure' ELSE 'healthy' END, count(*),
			avg(CASE WHEN p.failure_prob_30d >= $5 THEN p.failure_prob_30d ELSE 1 - p.failure_prob_30d END)
		FROM failure_predictions p JOIN assets a ON a.tenant_id = p.tenant_id AND a.id = p.asset_id
		WHERE p.tenant_id = $1 AND p.model_version_id = $2 AND p.predicted_at >= $3 AND p.predicted_at < $4 AND ($6::uuid[] IS NULL OR a.site_id = ANY ($6))
		GROUP BY 1, 3`, actor.TenantID, v.ID, from, to, v.DecisionThreshold, some(actor.SiteIDs))
	if err != nil {
		return nil, fmt.Errorf("modelops: failure predictions: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[telemetry.VersionCount])
	if err != nil {
		return nil, fmt.Errorf("modelops: failure predictions: %w", err)
	}
	return out, nil
}
