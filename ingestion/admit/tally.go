package admit

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
)

// TallyOptions are the options of a Tally. Pool and Counters are required.
type TallyOptions struct {
	Pool     *pgxpool.Pool // role foresight_worker
	Counters *Counters
	Interval time.Duration // between writes; 10 s when zero
	// Keep is how long counts are kept; 7 days when zero.
	Keep time.Duration
	Log  *slog.Logger
}

// Tally adds what the Counters of this process have counted to the table
// ingestion_counts, per tenant and minute, so that the sum of all processes can be
// asked for. Counts of a write that failed go with the next one; when a commit's answer
// is lost, they may be added twice. It is a lifecycle.Part.
type Tally struct {
	opt    TallyOptions
	log    *slog.Logger
	cancel context.CancelFunc
	done   chan struct{}
}

// NewTally returns a Tally that writes from Start on.
func NewTally(o TallyOptions) *Tally {
	if o.Interval <= 0 {
		o.Interval = 10 * time.Second
	}
	if o.Keep <= 0 {
		o.Keep = 7 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Tally{opt: o, log: o.Log.With("part", "tally of messages")}
}

// Name of the part.
func (y *Tally) Name() string { return "tally of messages" }

// Start begins to write.
func (y *Tally) Start(ctx context.Context) error {
	ctx, y.cancel = context.WithCancel(context.WithoutCancel(ctx))
	y.done = make(chan struct{})
	go func() {
		defer close(y.done)
		y.run(ctx)
	}()
	return nil
}

// Stop writes what is not written yet.
func (y *Tally) Stop(ctx context.Context) error {
	if y.cancel == nil {
		return nil
	}
	y.cancel()
	select {
	case <-y.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return y.write(ctx, time.Now())
}

func (y *Tally) run(ctx context.Context) {
	write, purge := time.NewTicker(y.opt.Interval), time.NewTicker(purgeEvery)
	defer write.Stop()
	defer purge.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case now := <-write.C:
			err = y.write(ctx, now)
		case now := <-purge.C:
			err = y.purge(ctx, now)
		}
		if err != nil && ctx.Err() == nil {
			y.log.WarnContext(ctx, "counts of messages wait", "error", err)
		}
	}
}

const addCounts = `
INSERT INTO ingestion_counts AS c (tenant_id, minute, outcome, n)
SELECT $1, $2, a.outcome, a.n FROM unnest($3::text[], $4::bigint[]) AS a (outcome, n)
ON CONFLICT (tenant_id, minute, outcome) DO UPDATE SET n = c.n + excluded.n`

// write adds the counts since the last write to the minute of now, tenant by tenant in
// the order of their ids, as all processes do.
func (y *Tally) write(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, letterTimeout)
	defer cancel()
	tenants := y.opt.Counters.all()
	slices.SortFunc(tenants, func(a, b *tenantCounters) int { return bytes.Compare(a.id[:], b.id[:]) })
	batch := &pgx.Batch{}
	var written []func()
	for _, t := range tenants {
		if t.id == id.Nil { // of no tenant: the metrics have them
			continue
		}
		var names []string
		var counts []int64
		for o, c := range t.of {
			n := c.n.Load()
			if n == c.written {
				continue
			}
			names, counts = append(names, o), append(counts, int64(n-c.written))
			written = append(written, func() { c.written = n })
		}
		if len(names) > 0 {
			batch.Queue("SELECT set_config('app.tenant_id', $1, true)", t.id.String())
			batch.Queue(addCounts, t.id, now.UTC().Truncate(time.Minute), names, counts)
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := pgx.BeginFunc(ctx, y.opt.Pool, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() }); err != nil {
		return fmt.Errorf("admit: write counts: %w", err)
	}
	for _, done := range written {
		done()
	}
	return nil
}

// purge removes the counts that are older than they are kept.
func (y *Tally) purge(ctx context.Context, now time.Time) error {
	return purgeAll(ctx, y.opt.Pool, "foresight_purge_ingestion_counts", now.Add(-y.opt.Keep))
}

// purgeAll calls a function that removes a chunk of what is older, until there is less.
func purgeAll(ctx context.Context, pool *pgxpool.Pool, function string, before time.Time) error {
	for {
		var n int
		err := pool.QueryRow(ctx, "SELECT "+pgx.Identifier{function}.Sanitize()+"($1, $2)", before, purgeChunk).Scan(&n)
		if err != nil {
			return fmt.Errorf("admit: %s: %w", function, err)
		}
		if n < purgeChunk {
			return nil
		}
	}
}
