package admit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/decode"
	"foresight/internal/id"
)

// DeadLetter is a message that was rejected.
type DeadLetter struct {
	Tenant  id.UUID // nil when it belongs to no known tenant
	Reason  decode.Reason
	Detail  string
	Topic   string
	Payload []byte
	At      time.Time // of arrival
}

// DeadLetters keeps what was rejected for people to look at. Put never blocks and
// keeps nothing of the letter's payload after it returned.
type DeadLetters interface{ Put(DeadLetter) }

const (
	keptPayload   = 1024 // bytes of a payload that are kept
	keptTopic     = 512
	letterQueue   = 4096
	letterBatch   = 500
	letterFlush   = 500 * time.Millisecond
	letterRetry   = time.Second
	letterTimeout = 10 * time.Second
	purgeEvery    = time.Hour
	purgeChunk    = 10000
)

// LettersOptions are the options of Letters.
type LettersOptions struct {
	Pool *pgxpool.Pool // role foresight_worker
	// Keep is how long letters are kept; 7 days when zero.
	Keep    time.Duration
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Letters writes dead letters to the table rejected_readings, in batches, behind a
// bounded queue: when the database is slower than the flood, letters are lost and
// counted (each message has been counted with its reason already). It is a
// lifecycle.Part and safe for concurrent use.
type Letters struct {
	opt      LettersOptions
	log      *slog.Logger
	queue    chan DeadLetter
	overflow atomic.Uint64
	dropped  prometheus.Counter
	cancel   context.CancelFunc
	done     chan struct{}
}

// NewLetters returns a writer that gathers from now on and writes from Start on.
func NewLetters(o LettersOptions) *Letters {
	if o.Keep <= 0 {
		o.Keep = 7 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	l := &Letters{
		opt: o, log: o.Log.With("part", "dead letters"), queue: make(chan DeadLetter, letterQueue),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_ingest_dead_letters_dropped_total", Help: "Dead letters that were counted but not kept, as the queue was full.",
		}),
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(l.dropped)
	}
	return l
}

// Put queues a letter, or counts it as lost when the queue is full.
func (l *Letters) Put(d DeadLetter) {
	if len(l.queue) < cap(l.queue) {
		d.Payload = append([]byte{}, d.Payload[:min(len(d.Payload), keptPayload)]...)
		d.Topic = strings.Clone(d.Topic[:min(len(d.Topic), keptTopic)])
		select {
		case l.queue <- d:
			return
		default:
		}
	}
	l.lose(1)
}

func (l *Letters) lose(n int) {
	l.overflow.Add(uint64(n))
	l.dropped.Add(float64(n))
}

// Overflow returns how many letters were lost: the queue was full, or they could not be stored.
func (l *Letters) Overflow() uint64 { return l.overflow.Load() }

// Name of the part.
func (l *Letters) Name() string { return "dead letters" }

// Start begins to write.
func (l *Letters) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel, l.done = cancel, make(chan struct{})
	go func() {
		defer close(l.done)
		l.run(run)
	}()
	return nil
}

// Stop writes what is queued, for as long as ctx allows.
func (l *Letters) Stop(ctx context.Context) error {
	if l.cancel == nil {
		return nil
	}
	l.cancel()
	select {
	case <-l.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	var errs []error
	for batch := l.gather(nil); len(batch) > 0 && len(errs) == 0; batch = l.gather(nil) {
		errs = append(errs, l.write(ctx, batch))
		errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	}
	return errors.Join(errs...)
}

func (l *Letters) run(ctx context.Context) {
	flush, purge := time.NewTicker(letterFlush), time.NewTicker(purgeEvery)
	defer flush.Stop()
	defer purge.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
		case <-purge.C:
			if err := l.Purge(ctx); err != nil && ctx.Err() == nil {
				l.log.Warn("old dead letters were not removed", "error", err)
			}
			continue
		}
		for batch := l.gather(nil); len(batch) > 0; batch = l.gather(nil) {
			if !l.insist(ctx, batch) {
				return
			}
		}
	}
}

// insist writes a batch until it succeeds; false says that ctx ended before, and the
// batch is back in the queue as far as there is room.
func (l *Letters) insist(ctx context.Context, batch []DeadLetter) bool {
	for {
		err := l.write(ctx, batch)
		if err == nil {
			return true
		}
		var pg *pgconn.PgError
		if errors.As(err, &pg) && (sqlClass(pg.Code) == dataException || sqlClass(pg.Code) == constraintViolation) {
			l.log.Error("dead letters that cannot be stored", "error", err, "letters", len(batch))
			l.lose(len(batch)) // and never will be: the others must not wait for them
			return true
		}
		if ctx.Err() == nil {
			l.log.Warn("dead letters wait for the database", "error", err, "queued", len(l.queue), "lost", l.Overflow())
		}
		t := time.NewTimer(letterRetry)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			for _, d := range batch {
				l.Put(d)
			}
			return false
		}
	}
}

// Classes of SQLSTATE that say that the data is at fault, not the time.
const (
	dataException       = "22"
	constraintViolation = "23"
)

func sqlClass(code string) string { return code[:min(2, len(code))] }

// gather takes up to a batch of what is queued, without waiting.
func (l *Letters) gather(batch []DeadLetter) []DeadLetter {
	for len(batch) < letterBatch {
		select {
		case d := <-l.queue:
			batch = append(batch, d)
		default:
			return batch
		}
	}
	return batch
}

const insertLetters = `
INSERT INTO rejected_readings (id, tenant_id, reason, detail, topic, payload, at)
SELECT r.id, $1, r.reason, r.detail, r.topic, r.payload, r.at
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::timestamptz[])
  AS r (id, reason, detail, topic, payload, at)`

// write stores a batch in one transaction, tenant by tenant, each under its own
// row-level security.
func (l *Letters) write(ctx context.Context, letters []DeadLetter) error {
	ctx, cancel := context.WithTimeout(ctx, letterTimeout)
	defer cancel()
	slices.SortStableFunc(letters, func(a, b DeadLetter) int { return cmp.Compare(string(a.Tenant[:]), string(b.Tenant[:])) })
	batch := &pgx.Batch{}
	for rest := letters; len(rest) > 0; {
		tenant := rest[0].Tenant
		n := 1
		for n < len(rest) && rest[n].Tenant == tenant {
			n++
		}
		queueTenant(batch, tenant, rest[:n])
		rest = rest[n:]
	}
	err := pgx.BeginFunc(ctx, l.opt.Pool, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() })
	if err != nil {
		return fmt.Errorf("admit: write dead letters: %w", err)
	}
	return nil
}

func queueTenant(batch *pgx.Batch, tenant id.UUID, letters []DeadLetter) {
	var (
		ids                    []id.UUID
		reasons, details, tops []string
		payloads               [][]byte
		times                  []time.Time
		setting                string
		owner                  *id.UUID
	)
	if tenant != id.Nil {
		setting, owner = tenant.String(), &tenant
	}
	for _, d := range letters {
		ids = append(ids, id.New(id.RejectedReading))
		reasons = append(reasons, string(d.Reason))
		details = append(details, storable(d.Detail))
		tops = append(tops, storable(d.Topic))
		payloads = append(payloads, d.Payload)
		times = append(times, d.At)
	}
	batch.Queue("SELECT set_config('app.tenant_id', $1, true)", setting)
	batch.Queue(insertLetters, owner, ids, reasons, details, tops, payloads, times)
}

// storable makes foreign text fit for a text column.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// Purge removes the letters that are older than they are kept.
func (l *Letters) Purge(ctx context.Context) error {
	return purgeAll(ctx, l.opt.Pool, "foresight_purge_rejected_readings", time.Now().Add(-l.opt.Keep))
}
