package landing

import (
	"time"

	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// batch is what one partition gathers until its files are closed.
type batch struct {
	first, last uint64 // sequences; first is 0 before the first entry
	bytes       int    // of the entries
	entries     uint64
	unreadable  uint64    // of them
	begun       time.Time // when the first entry was read
	at          map[key]int
	parts       []part
}

type key struct {
	tenant id.UUID
	hour   time.Time
}

// part is what goes into one file.
type part struct {
	key
	rows []row
}

func newBatch() *batch { return &batch{at: map[key]int{}} }

// add takes an entry in, whose memory it keeps. What is no envelope was never a
// message: it is counted, and the pipeline makes a dead letter of it.
func (b *batch) add(e *bus.Entry, now time.Time) {
	if b.first == 0 {
		b.first, b.begun = e.Seq, now
	}
	b.last = e.Seq
	b.entries++
	b.bytes += len(e.Data)
	var raw telemetry.Raw
	if err := telemetry.DecodeEnvelope(e.Data, &raw); err != nil || raw.Tenant == id.Nil {
		b.unreadable++
		return
	}
	raw.LogSeq = e.Seq
	k := key{raw.Tenant, raw.ReceivedAt.Truncate(time.Hour)}
	n, ok := b.at[k]
	if !ok {
		n = len(b.parts)
		b.at[k] = n
		b.parts = append(b.parts, part{key: k})
	}
	p := &b.parts[n]
	p.rows = append(p.rows, row{})
	p.rows[len(p.rows)-1].fill(&raw)
}
