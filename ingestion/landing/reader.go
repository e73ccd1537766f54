package landing

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Query says which messages of a tenant to read.
type Query struct {
	Tenant   id.UUID
	From, To time.Time // of event time: [From, To)
	// Sensors and Sites, when not nil, narrow it to these.
	Sensors, Sites []id.UUID
}

// Reader reads the landing zone. It is safe for concurrent use.
type Reader struct {
	files *blob.Store
	// dir is where files are put while they are read.
	dir string
}

// NewReader returns a reader of the files, which it copies to the directory one by one
// while it reads them; "" is the system's for temporary files.
func NewReader(files *blob.Store, dir string) *Reader { return &Reader{files, dir} }

// clockAhead is how far an event time may lie behind its arrival's (decode.Limits).
const clockAhead = 5 * time.Minute

// maxOpen bounds the files of one partition whose times overlap.
const maxOpen = 512

// ErrOverlap says that too many files of a partition hold messages of the same time:
// take a shorter time.
var ErrOverlap = fault.New(fault.BadInput, "error.landing.overlap")

// Partition is what the zone has of one partition of the log for a query.
type Partition struct {
	Number, Of int
	Rows       uint64 // in the files that may hold some of it: at least as many as are found
	files      []file // in the order of their oldest
}

// Partitions lists what the zone has for a query, in the order of their numbers. What
// arrives meanwhile may be missing.
func (r *Reader) Partitions(ctx context.Context, q Query) ([]Partition, error) {
	ctx = tenancy.AsSystem(ctx, q.Tenant)
	days, err := r.files.Levels(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("landing: %w", err)
	}
	type which struct{ number, of int }
	found := map[which]*Partition{}
	for _, name := range days {
		day, err := time.Parse(dayForm, name)
		if err != nil || !day.AddDate(0, 0, 1).After(q.From.Add(-clockAhead)) {
			continue
		}
		for listed, err := range r.files.List(ctx, name+"/") {
			if err != nil {
				return nil, fmt.Errorf("landing: %w", err)
			}
			f, ok := parseName(listed.Name)
			if !ok || f.newest.Before(q.From) || !f.oldest.Before(q.To) {
				continue
			}
			w := which{f.partition, f.partitions}
			p := found[w]
			if p == nil {
				p = &Partition{Number: w.number, Of: w.of}
				found[w] = p
			}
			p.files = append(p.files, f)
		}
	}
	out := make([]Partition, 0, len(found))
	for _, p := range found {
		p.files = slices.DeleteFunc(slices.Clone(p.files), func(f file) bool {
			return slices.ContainsFunc(p.files, func(g file) bool { return g.replaces(&f) })
		})
		for _, f := range p.files {
			p.Rows += f.rows
		}
		slices.SortFunc(p.files, func(a, b file) int {
			return cmp.Or(a.oldest.Compare(b.oldest), cmp.Compare(a.name(), b.name()))
		})
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Partition) int { return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Number, b.Number)) })
	return out, nil
}

// Read gives the messages of a query, partition after partition, and within one in the
// order of event time, those of one time in the order of the log. All messages of a
// sensor are of one partition (as long as the log keeps its number of partitions). A
// message that was sent, or landed, several times is given once.
//
// It holds little in memory: of the files that overlap in time a few thousand rows
// each. The loop may be left at any time. After an error, which ends the loop, the
// reading is nil.
func (r *Reader) Read(ctx context.Context, q Query) iter.Seq2[*telemetry.Raw, error] {
	return func(yield func(*telemetry.Raw, error) bool) {
		parts, err := r.Partitions(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, p := range parts {
			for raw, err := range r.ReadPartition(ctx, q, p) {
				if !yield(raw, err) || err != nil {
					return
				}
			}
		}
	}
}

// ReadPartition is Read for one of the query's partitions.
func (r *Reader) ReadPartition(ctx context.Context, q Query, p Partition) iter.Seq2[*telemetry.Raw, error] {
	return func(yield func(*telemetry.Raw, error) bool) {
		m := &merge{r: r, ctx: tenancy.AsSystem(ctx, q.Tenant), q: q, waiting: slices.Clone(p.files), seen: map[telemetry.IngestID]bool{}}
		defer m.close()
		for {
			raw, err := m.next()
			if raw == nil && err == nil || !yield(raw, err) || err != nil {
				return
			}
		}
	}
}

// wants reports whether a row is one of the query's.
func (q *Query) wants(x *row) bool {
	at := x.Timestamp
	return at >= q.From.UnixMilli() && at < ceilMilli(q.To) &&
		(q.Sensors == nil || slices.Contains(q.Sensors, id.UUID(x.Sensor))) &&
		(q.Sites == nil || slices.Contains(q.Sites, id.UUID(x.Site)))
}

// ceilMilli is the first millisecond that is not before the time.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	return ms
}
