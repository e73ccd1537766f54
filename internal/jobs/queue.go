// Package jobs is the queue of work that outlives a request: imports, exports and
// their cleaning up. River keeps it in PostgreSQL, in the schema river, so that a job
// is added in the transaction of what it is about, and survives the process.
//
// A job is worked at least once: what it does must bear repeating. It acts for the
// tenant and the actor in its arguments (Behalf), in the role of requests; the role of
// the pipeline only hands jobs out.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Schema is where River's tables are.
const Schema = "river"

// MaxAttempts bounds how often a job is tried that is not Outward.
const MaxAttempts = 3

// outward is the queue of jobs that wait for servers of others.
const outward = "outward"

// lengthy is the queue of jobs that take hours.
const lengthy = "lengthy"

// Queues are the queues, each worked by itself.
var Queues = []string{river.QueueDefault, outward, lengthy}

// outwardWaits are the times between attempts at them.
var outwardWaits = []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour}

// Outward is embedded by arguments of jobs that wait for servers of others: such jobs
// are worked apart, so that a server that does not answer holds up nobody else, and are
// tried again for most of a day.
type Outward struct{}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (Outward) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: outward, MaxAttempts: len(outwardWaits) + 1}
}

// Lengthy is embedded by arguments of jobs that take hours: they are worked apart, by
// the runners that are made for it (Options.Lengthy).
type Lengthy struct{}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (Lengthy) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: lengthy, MaxAttempts: MaxAttempts}
}

// Args are the arguments of a sort of job: a struct that embeds a Behalf and names the
// sort. It is stored as JSON.
type Args interface {
	river.JobArgs
	For() Behalf
}

// Queue adds jobs. It is safe for concurrent use.
type Queue struct {
	client *river.Client[pgx.Tx]
}

// NewQueue returns the queue as the role of requests sees it.
func NewQueue(app *pgxpool.Pool) (*Queue, error) {
	c, err := river.NewClient(riverpgxv5.New(app), &river.Config{Schema: Schema, MaxAttempts: MaxAttempts,
		Logger: slog.New(slog.DiscardHandler)}) // what goes wrong comes as an error
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Queue{c}, nil
}

// Add adds a job within a transaction of the actor of its arguments: it is there when
// the transaction commits, and never without. It is worked from the time at on; the
// zero time is at once.
func (q *Queue) Add(ctx context.Context, tx pgx.Tx, args Args, at time.Time) error {
	if _, err := q.client.InsertTx(ctx, tx, args, &river.InsertOpts{ScheduledAt: at}); err != nil {
		return fmt.Errorf("jobs: add %s: %w", args.Kind(), err)
	}
	return nil
}
