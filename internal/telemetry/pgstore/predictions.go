package pgstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"

	"github.com/jackc/pgx/v5"
)

const insertPredictions = `INSERT INTO predictions (tenant_id, id, timestamp_utc, site_id, asset_id, sensor_id, ingest_id,
	prediction_label, probability, top_predictions, model_version_id, model_version_label, role, out_of_distribution)
SELECT $1, * FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[],
	$8::text[], $9::float8[], $10::jsonb[], $11::uuid[], $12::text[], $13::text[], $14::boolean[])
ON CONFLICT DO NOTHING`

// WritePredictions implements telemetry.Store.
func (s *Store) WritePredictions(ctx context.Context, docs []telemetry.FaultPrediction) error {
	if len(docs) == 0 {
		return nil
	}
	var days []day
	order := make([]*telemetry.FaultPrediction, len(docs))
	for i := range docs {
		if docs[i].Tenant == id.Nil {
			return failed("write predictions", telemetry.ErrNoTenant)
		}
		order[i] = &docs[i]
		days = addDay(days, docs[i].Timestamp)
	}
	slices.SortStableFunc(order, func(a, b *telemetry.FaultPrediction) int {
		if c := bytes.Compare(a.Tenant[:], b.Tenant[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	err := s.inDays(ctx, days, func() error {
		b := &pgx.Batch{}
		if s.deferSync {
			b.Queue(deferSync)
		}
		for from := 0; from < len(order); {
			to := from + 1
			for to < len(order) && order[to].Tenant == order[from].Tenant {
				to++
			}
			b.Queue(setTenant, order[from].Tenant.String())
			b.Queue(insertPredictions, predictionArgs(order[from:to])...)
			from = to
		}
		return s.write.SendBatch(ctx, b).Close()
	})
	return failed("write predictions", err)
}

// predictionArgs turns the predictions of one tenant into a column each.
func predictionArgs(docs []*telemetry.FaultPrediction) []any {
	n := len(docs)
	var (
		ids, sites, assets, sensors, ingest, versions = make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n)
		times                                         = make([]time.Time, n)
		labels, versionLabels, roles                  = make([]string, n), make([]string, n), make([]string, n)
		top                                           = make([][]byte, n)
		probabilities                                 = make([]float64, n)
		outliers                                      = make([]bool, n)
	)
	for i, d := range docs {
		ids[i], times[i], ingest[i] = d.ID, d.Timestamp, id.UUID(d.IngestID)
		sites[i], assets[i], sensors[i] = d.Site, d.Asset, d.Sensor
		labels[i], probabilities[i], top[i] = d.Label, d.Probability, topJSON(d.Top)
		versions[i], versionLabels[i], roles[i] = d.VersionID, d.VersionLabel, string(d.Role)
		outliers[i] = d.OutOfDistribution
	}
	return []any{docs[0].Tenant, ids, times, sites, assets, sensors, ingest, labels, probabilities, top, versions, versionLabels, roles, outliers}
}

// topJSON returns the stored form of the answer's classes, nil for none.
func topJSON(top []telemetry.LabelProbability) []byte {
	if len(top) == 0 {
		return nil
	}
	b := make([]byte, 0, 64*len(top))
	sep := byte('[')
	for _, t := range top {
		b = appendJSONString(append(append(b, sep), `{"label":`...), t.Label)
		b = strconv.AppendFloat(append(b, `,"probability":`...), t.Probability, 'g', -1, 64)
		b = append(b, '}')
		sep = ','
	}
	return append(b, ']')
}

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
	sql := `SELECT ` + predictionColumns + ` FROM predictions t WHERE ` + w.sql.String() +
		` ORDER BY t.timestamp_utc DESC, t.ingest_id DESC, t.id DESC LIMIT ` + w.arg(q.Limit)
	out, err := s.predictions(ctx, q.Tenant, sql, w.args)
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
