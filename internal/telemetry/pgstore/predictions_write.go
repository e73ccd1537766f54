package pgstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strconv"

	"foresight/internal/id"
	"foresight/internal/telemetry"

	"github.com/jackc/pgx/v5"
)

const predictionStage = `CREATE TEMPORARY TABLE IF NOT EXISTS prediction_stage (
	tenant_id uuid, id uuid, site_id uuid, asset_id uuid, sensor_id uuid, ingest_id uuid, model_version_id uuid,
	timestamp_utc timestamptz, probability double precision, out_of_distribution boolean,
	prediction_label text, model_version_label text, role text, top_predictions jsonb
) ON COMMIT DELETE ROWS`

const copyToPredictionStage = `COPY pg_temp.prediction_stage FROM STDIN BINARY`

const insertStagedPredictions = `INSERT INTO predictions (tenant_id, id, site_id, asset_id, sensor_id, ingest_id, model_version_id,
	timestamp_utc, probability, out_of_distribution, prediction_label, model_version_label, role, top_predictions)
SELECT * FROM pg_temp.prediction_stage WHERE tenant_id = $1 ORDER BY id
ON CONFLICT DO NOTHING`

// WritePredictions implements telemetry.Store.
func (s *Store) WritePredictions(ctx context.Context, docs []telemetry.FaultPrediction) error {
	if len(docs) == 0 {
		return nil
	}
	var days []day
	order := make([]int, len(docs))
	for i := range docs {
		if docs[i].Tenant == id.Nil {
			return failed("write predictions", telemetry.ErrNoTenant)
		}
		order[i] = i
		days = addDay(days, docs[i].Timestamp)
	}
	slices.SortStableFunc(order, func(a, b int) int { return bytes.Compare(docs[a].Tenant[:], docs[b].Tenant[:]) })

	buf := borrow()
	defer giveBack(buf)
	var tenants []id.UUID
	b := append((*buf)[:0], copyHeader...)
	for _, i := range order {
		if n := len(tenants); n == 0 || tenants[n-1] != docs[i].Tenant {
			tenants = append(tenants, docs[i].Tenant)
		}
		b = appendPrediction(b, &docs[i])
	}
	b = append(b, copyTrailer...)
	*buf = b

	err := s.inDays(ctx, days, func() error {
		return s.staged(ctx, predictionStage, copyToPredictionStage, b, func(tx pgx.Tx) error {
			var batch pgx.Batch
			for _, tenant := range tenants {
				batch.Queue(setTenant, tenant.String())
				batch.Queue(insertStagedPredictions, tenant)
			}
			return tx.SendBatch(ctx, &batch).Close()
		})
	})
	return failed("write predictions", err)
}

// appendPrediction appends one row of prediction_stage.
func appendPrediction(b []byte, p *telemetry.FaultPrediction) []byte {
	b = binary.BigEndian.AppendUint16(b, 14)
	for _, u := range [][16]byte{p.Tenant, p.ID, p.Site, p.Asset, p.Sensor, p.IngestID, p.VersionID} {
		b = append(append(b, 0, 0, 0, 16), u[:]...)
	}
	b = appendTime(b, p.Timestamp)
	b = appendFloat(b, p.Probability)
	b = append(b, 0, 0, 0, 1, boolByte(p.OutOfDistribution))
	b = appendBytes(b, p.Label)
	b = appendBytes(b, p.VersionLabel)
	b = appendBytes(b, string(p.Role))
	return appendTop(b, p.Top)
}

// appendTop writes the answer's classes as a jsonb list, NULL for none.
func appendTop(b []byte, top []telemetry.LabelProbability) []byte {
	if len(top) == 0 {
		return appendNull(b)
	}
	b, at := beginJSON(b)
	sep := byte('[')
	for _, t := range top {
		b = appendJSONString(append(append(b, sep), `{"label":`...), t.Label)
		b = strconv.AppendFloat(append(b, `,"probability":`...), t.Probability, 'g', -1, 64)
		b = append(b, '}')
		sep = ','
	}
	return endLength(append(b, ']'), at)
}
