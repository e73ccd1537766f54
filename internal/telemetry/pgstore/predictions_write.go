package pgstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strconv"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var predictionRows = rowKind{name: "predictions", row: "prediction_row", sql: `INSERT INTO predictions (tenant_id,
	id, timestamp_utc, site_id, asset_id, sensor_id, ingest_id, prediction_label, probability, top_predictions,
	model_version_id, model_version_label, role, out_of_distribution)
SELECT $1, p.* FROM unnest($2::prediction_row[]) AS p
ON CONFLICT DO NOTHING`}

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
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(bytes.Compare(docs[a].Tenant[:], docs[b].Tenant[:]), bytes.Compare(docs[a].ID[:], docs[b].ID[:]))
	})
	runs := runsOf(len(order), func(i int) id.UUID { return docs[order[i]].Tenant })
	put := func(b []byte, i int) []byte { return appendPrediction(b, &docs[order[i]]) }
	return failed("write predictions", s.inDays(ctx, days, func() error {
		return s.writeRows(ctx, &predictionRows, runs, put, nil)
	}))
}

// appendPrediction appends a prediction_row.
func appendPrediction(b []byte, p *telemetry.FaultPrediction) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 13)
	b = appendTypedUUID(b, p.ID)
	b = appendTime(appendOID(b, oidTimestamptz), p.Timestamp)
	b = appendTypedUUID(b, p.Site)
	b = appendTypedUUID(b, p.Asset)
	b = appendTypedUUID(b, p.Sensor)
	b = appendTypedUUID(b, id.UUID(p.IngestID))
	b = appendBytes(appendOID(b, oidText), p.Label)
	b = appendFloat(appendOID(b, oidFloat8), p.Probability)
	b = appendTop(appendOID(b, oidJSONB), p.Top)
	b = appendTypedUUID(b, p.VersionID)
	b = appendBytes(appendOID(b, oidText), p.VersionLabel)
	b = appendBytes(appendOID(b, oidText), string(p.Role))
	b = append(appendOID(b, oidBool), 0, 0, 0, 1, boolByte(p.OutOfDistribution))
	return endLength(b, at)
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
