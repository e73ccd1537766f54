package pgstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const predictionColumns = `t.tenant_id, t.id, t.timestamp_utc, t.site_id, t.asset_id, t.sensor_id, t.ingest_id,
	t.prediction_label, t.probability, t.top_predictions, t.model_version_id, t.model_version_label, t.role, t.out_of_distribution`

// Predictions implements telemetry.Store.
func (s *Store) Predictions(ctx context.Context, q telemetry.PredictionQuery) ([]telemetry.FaultPrediction, error) {
	if err := checkLimit(q.Limit, telemetry.MaxLimit); err != nil {
		return nil, failed("predictions", err)
	}
	w := newWhere(q.Tenant)
	w.scope(q.Scope)
	w.timeRange(q.RangeQuery)
	if q.OnlyAbnormal {
		w.and("t.prediction_label <> 'normal'") // as the partial indexes have it
	}
	if len(q.Labels) > 0 {
		w.and("t.prediction_label = ANY(" + w.arg(q.Labels) + ")")
		if !slices.Contains(q.Labels, telemetry.Normal) && !q.OnlyAbnormal {
			w.and("t.prediction_label <> 'normal'")
		}
	}
	if q.MinProbability > 0 {
		w.and("t.probability >= " + w.arg(q.MinProbability))
	}
	w.and("t.role = ANY(" + w.arg(roleNames(q.Roles)) + ")")
	out, err := s.predictions(ctx, q.Tenant, w.newest(predictionColumns, "predictions", "ingest_id DESC, id DESC", q.Limit), w.args)
	return out, failed("predictions", err)
}

func roleNames(roles []telemetry.Role) []string {
	if len(roles) == 0 {
		return []string{string(telemetry.Production)}
	}
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = string(r)
	}
	return out
}

// Prediction implements telemetry.Store. The time in the id chooses the partition.
func (s *Store) Prediction(ctx context.Context, tenant, prediction id.UUID) (telemetry.FaultPrediction, error) {
	at := id.TimeOf(prediction)
	out, err := s.predictions(ctx, tenant, `SELECT `+predictionColumns+` FROM predictions t
		WHERE t.tenant_id = $1 AND t.id = $2 AND t.timestamp_utc >= $3 AND t.timestamp_utc < $4`,
		[]any{tenant, prediction, at, at.Add(time.Millisecond)})
	if err == nil && len(out) == 0 {
		err = telemetry.ErrNotFound
	}
	if err != nil {
		return telemetry.FaultPrediction{}, failed("prediction", err)
	}
	return out[0], nil
}

// PredictionsByID implements telemetry.Store. The time in each id chooses its partition.
func (s *Store) PredictionsByID(ctx context.Context, tenant id.UUID, ids []id.UUID) (map[id.UUID]telemetry.FaultPrediction, error) {
	at := make([]time.Time, len(ids))
	for i, u := range ids {
		at[i] = id.TimeOf(u)
	}
	found, err := s.predictions(ctx, tenant, `SELECT `+predictionColumns+`
		FROM unnest($2::uuid[], $3::timestamptz[]) AS w (id, at) CROSS JOIN LATERAL (
			SELECT * FROM predictions p WHERE p.tenant_id = $1 AND p.id = w.id
				AND p.timestamp_utc >= w.at AND p.timestamp_utc < w.at + interval '1 millisecond') t`, []any{tenant, ids, at})
	if err != nil {
		return nil, failed("predictions by id", err)
	}
	out := make(map[id.UUID]telemetry.FaultPrediction, len(found))
	for _, p := range found {
		out[p.ID] = p
	}
	return out, nil
}

func (s *Store) predictions(ctx context.Context, tenant id.UUID, sql string, args []any) ([]telemetry.FaultPrediction, error) {
	var out []telemetry.FaultPrediction
	err := rows(ctx, s.read, tenant, func(c [][]byte) error {
		p, err := decodePrediction(c)
		out = append(out, p)
		return err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// decodePrediction takes a row of predictionColumns.
func decodePrediction(raw [][]byte) (telemetry.FaultPrediction, error) {
	c := &columns{rest: raw}
	var p telemetry.FaultPrediction
	tenant := c.uuid()
	p.ID, p.Timestamp = c.uuid(), c.time()
	p.Key = c.key()
	p.Tenant = tenant
	p.IngestID = telemetry.IngestID(c.uuid())
	p.Label, p.Probability = c.text(), c.float64()
	top := c.take(-1)
	p.VersionID, p.VersionLabel = c.uuid(), c.text()
	p.Role, p.OutOfDistribution = telemetry.Role(c.text()), c.bool()
	if err := c.err(); err != nil || top == nil {
		return p, err
	}
	if err := json.Unmarshal(top, &p.Top); err != nil {
		return p, fmt.Errorf("%w: %w", errRow, err)
	}
	return p, nil
}
