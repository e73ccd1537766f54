package pipeline

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
)

// Letters keeps dead letters in the table rejected_readings, beside those of the
// admission. It is safe for concurrent use.
type Letters struct{ pool *pgxpool.Pool }

// NewLetters returns dead letters over the worker's pool.
func NewLetters(pool *pgxpool.Pool) *Letters { return &Letters{pool} }

// What the table takes.
const (
	keptDetail  = 500
	keptTopic   = 512
	keptPayload = 1024 // bytes
)

// The id follows from the log entry, so that a repetition finds it there.
const insertLetter = `INSERT INTO rejected_readings (id, tenant_id, reason, detail, topic, payload, at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`

// Reject implements DeadLetters.
func (l *Letters) Reject(ctx context.Context, r Rejected) error {
	at := r.At.UTC()
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], r.Seq)
	var tenant *id.UUID
	setting := ""
	if r.Tenant != id.Nil {
		tenant, setting = &r.Tenant, r.Tenant.String()
	}
	topic, payload, detail := "", r.Data, ""
	if r.Reading != nil {
		topic, payload = r.Reading.Topic, r.Reading.Payload
	}
	if r.Cause != nil {
		detail = r.Cause.Error()
	}
	b := &pgx.Batch{}
	b.Queue(setTenant, setting)
	b.Queue(insertLetter, id.Derive(id.RejectedReading, at, r.Tenant[:], seq[:]), tenant, r.Reason,
		storable(detail, keptDetail), storable(topic, keptTopic), append([]byte{}, payload[:min(len(payload), keptPayload)]...), at)
	return wrap("write a dead letter", l.pool.SendBatch(ctx, b).Close())
}

// storable makes foreign text fit for a text column.
func storable(s string, most int) string {
	s = s[:min(len(s), most)]
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}
