package status

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A process writes its row so often; one that was silent for longer than aliveFor is
// shown as gone, and after forgetAfter its row is removed.
const (
	writeEvery  = 5 * time.Second
	aliveFor    = 3 * writeEvery
	forgetAfter = time.Hour
	writeWithin = 2 * time.Second
)

// Self is this process.
type Self struct {
	Name    string // host/pid
	Roles   []string
	Version string
	Address string // of health and metrics
}

// Roster keeps this process in the list of processes. It is a lifecycle.Part.
type Roster struct {
	self  Self
	pool  *pgxpool.Pool // of the role foresight_worker
	log   *slog.Logger
	begun time.Time
	stop  context.CancelFunc
	done  chan struct{}
}

// NewRoster returns one that is not started yet.
func NewRoster(pool *pgxpool.Pool, self Self, log *slog.Logger) *Roster {
	return &Roster{self: self, pool: pool, log: log, done: make(chan struct{})}
}

// Name implements lifecycle.Part.
func (r *Roster) Name() string { return "roster" }

// Start writes the row, as soon as the database takes it, and keeps it fresh.
func (r *Roster) Start(ctx context.Context) error {
	r.begun = time.Now()
	if err := r.write(ctx); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	go func() {
		defer close(r.done)
		tick := time.NewTicker(writeEvery)
		defer tick.Stop()
		for {
			select {
			case <-run.Done():
				return
			case <-tick.C:
				ctx, cancel := context.WithTimeout(run, writeWithin)
				if err := r.write(ctx); err != nil && run.Err() == nil {
					r.log.Warn("this process is not in the list of processes", "error", err)
				}
				cancel()
			}
		}
	}()
	return nil
}

// Stop removes the row.
func (r *Roster) Stop(ctx context.Context) error {
	r.stop()
	<-r.done
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if _, err := r.pool.Exec(ctx, `DELETE FROM processes WHERE name = $1`, r.self.Name); err != nil {
		r.log.Warn("this process stays in the list of processes for a while", "error", err)
	}
	return nil
}

func (r *Roster) write(ctx context.Context) error {
	b := &pgx.Batch{}
	// All times are the database's but for the age, so that clocks may differ.
	b.Queue(`INSERT INTO processes (name, roles, version, address, started_at, seen_at)
		VALUES ($1, $2, $3, $4, clock_timestamp() - $5::interval, clock_timestamp())
		ON CONFLICT (name) DO UPDATE SET roles = excluded.roles, version = excluded.version, address = excluded.address,
			started_at = excluded.started_at, seen_at = excluded.seen_at`,
		r.self.Name, r.self.Roles, r.self.Version, r.self.Address, time.Since(r.begun))
	b.Queue(`DELETE FROM processes WHERE seen_at < clock_timestamp() - $1::interval`, forgetAfter)
	if err := r.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("status: write the process: %w", err)
	}
	return nil
}
