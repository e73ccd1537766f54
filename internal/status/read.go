package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/bus"
)

// Installation is how everything stands at one time.
type Installation struct {
	At         time.Time   `json:"at"`
	Processes  []Process   `json:"processes"`
	Partitions []Partition `json:"partitions"`
	Readers    []Follower  `json:"readers"` // beside the processing of live readings
	Streams    []Stream    `json:"streams"` // none when the log cannot be asked
	// LogFailure says why nothing is known of the log: lags and streams are missing then.
	LogFailure string `json:"logFailure,omitempty"`
}

// Process is one of the product.
type Process struct {
	Name           string    `json:"name"` // host/pid
	Roles          []string  `json:"roles"`
	Version        string    `json:"version"`
	Address        string    `json:"address"`
	StartedAt      time.Time `json:"startedAt"`
	SilentSeconds  float64   `json:"silentSeconds"` // since it last said that it runs
	Alive          bool      `json:"alive"`
	PartitionsHeld int       `json:"partitionsHeld"`
}

// Partition is one of the log, with its owner.
type Partition struct {
	Number     int    `json:"number"`
	Owner      string `json:"owner"` // process and worker; "" for nobody
	Process    string `json:"process"`
	Epoch      int64  `json:"epoch"`
	Checkpoint uint64 `json:"checkpoint"` // log sequence up to which everything is done
	Leased     bool   `json:"leased"`     // the lease runs
	// LeaseSeconds is how long the lease still runs, negative when it is over.
	LeaseSeconds float64  `json:"leaseSeconds"`
	LagMessages  *uint64  `json:"lagMessages"` // null when the log cannot be asked
	LagSeconds   *float64 `json:"lagSeconds"`  // age of the oldest message that waits
}

// Follower is what reads a log beside the processing of live readings, partition by
// partition with checkpoints of its own: the landing zone reads the live log, the
// backfill one of its own.
type Follower struct {
	Name        string   `json:"name"`
	Log         string   `json:"log"`
	LagMessages *uint64  `json:"lagMessages"` // of all partitions; null when the log cannot be asked
	LagSeconds  *float64 `json:"lagSeconds"`  // age of the oldest message that waits

	checkpoints map[int]uint64
}

// followed are the logs of the readers in the table log_checkpoints.
var followed = map[string]string{"landing": "READINGS", "backfill": "BACKFILL"}

// Stream is one of the log's server: the live log and what else is kept there.
type Stream struct {
	Name       string     `json:"name"`
	Messages   uint64     `json:"messages"`
	Bytes      uint64     `json:"bytes"`
	LimitBytes int64      `json:"limitBytes"` // -1: none
	Replicas   int        `json:"replicas"`
	Current    int        `json:"currentReplicas"`
	Leader     string     `json:"leader,omitempty"`
	Consumers  []Consumer `json:"consumers,omitempty"`
}

// Consumer is one that works a stream off by itself.
type Consumer struct {
	Name        string `json:"name"`
	LagMessages uint64 `json:"lagMessages"`
	Unacked     int    `json:"unacknowledged"`
}

// Reader reads the status. The pool's role is foresight_worker.
type Reader struct {
	Pool *pgxpool.Pool
	Bus  *bus.Bus
	Log  *bus.Log
}

// logWithin bounds all questions to the log: a cluster without a leader answers nothing.
const logWithin = 3 * time.Second

// Read asks the database and the log. Without the database it fails; without the log
// what the database knows is returned.
func (r *Reader) Read(ctx context.Context) (*Installation, error) {
	i := &Installation{Readers: []Follower{}, Streams: []Stream{}}
	if err := r.readDatabase(ctx, i); err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, logWithin)
	defer cancel()
	if err := r.readLog(ctx, i); err != nil {
		i.LogFailure = "the log does not answer"
		i.Streams = []Stream{}
		for n := range i.Partitions {
			i.Partitions[n].LagMessages, i.Partitions[n].LagSeconds = nil, nil
		}
		for n := range i.Readers {
			i.Readers[n].LagMessages, i.Readers[n].LagSeconds = nil, nil
		}
	}
	return i, nil
}

func (r *Reader) readDatabase(ctx context.Context, i *Installation) error {
	if err := r.Pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&i.At); err != nil {
		return err
	}
	rows, err := r.Pool.Query(ctx, `SELECT p.name, p.roles, p.version, p.address, p.started_at, extract(epoch FROM clock_timestamp() - p.seen_at)::float8,
			(SELECT count(*) FROM partitions x WHERE x.expires_at > clock_timestamp() AND starts_with(x.owner, p.name || '/'))
		FROM processes p ORDER BY p.started_at, p.name`)
	if err != nil {
		return err
	}
	if i.Processes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Process, err error) {
		err = row.Scan(&p.Name, &p.Roles, &p.Version, &p.Address, &p.StartedAt, &p.SilentSeconds, &p.PartitionsHeld)
		p.Alive = p.SilentSeconds < aliveFor.Seconds()
		return p, err
	}); err != nil {
		return err
	}
	rows, err = r.Pool.Query(ctx, `SELECT number, owner, coalesce(substring(owner FROM '^(.*)/[^/]*$'), ''), epoch, sequence, expires_at > clock_timestamp() AND owner <> '',
			CASE WHEN isfinite(expires_at) THEN extract(epoch FROM expires_at - clock_timestamp())::float8 ELSE 0 END
		FROM partitions ORDER BY number`)
	if err != nil {
		return err
	}
	i.Partitions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Partition, err error) {
		var checkpoint int64
		err = row.Scan(&p.Number, &p.Owner, &p.Process, &p.Epoch, &checkpoint, &p.Leased, &p.LeaseSeconds)
		p.Checkpoint = uint64(checkpoint)
		return p, err
	})
	if err != nil {
		return err
	}
	return r.readFollowers(ctx, i)
}

func (r *Reader) readFollowers(ctx context.Context, i *Installation) error {
	rows, err := r.Pool.Query(ctx, `SELECT reader, number, sequence FROM log_checkpoints ORDER BY reader, number`)
	if err != nil {
		return err
	}
	var name string
	var number int
	var sequence int64
	_, err = pgx.ForEachRow(rows, []any{&name, &number, &sequence}, func() error {
		if n := len(i.Readers); n == 0 || i.Readers[n-1].Name != name {
			i.Readers = append(i.Readers, Follower{Name: name, Log: followed[name], checkpoints: map[int]uint64{}})
		}
		i.Readers[len(i.Readers)-1].checkpoints[number] = uint64(sequence)
		return nil
	})
	return err
}

func (r *Reader) readLog(ctx context.Context, i *Installation) error {
	streams, err := r.Bus.Streams(ctx)
	if err != nil {
		return err
	}
	for _, s := range streams {
		out := Stream{Name: s.Name, Messages: s.Messages, Bytes: s.Bytes, LimitBytes: s.MaxBytes, Replicas: s.Replicas, Current: s.Current, Leader: s.Leader}
		for _, c := range s.Consumers {
			out.Consumers = append(out.Consumers, Consumer{c.Name, c.Pending, c.Unacked})
		}
		i.Streams = append(i.Streams, out)
	}
	slices.SortFunc(i.Streams, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	checkpoints := make(map[int]uint64, len(i.Partitions))
	for _, p := range i.Partitions {
		checkpoints[p.Number] = p.Checkpoint
	}
	lags, err := lagsOf(ctx, r.Log, checkpoints)
	if err != nil {
		return err
	}
	for n := range i.Partitions {
		p := &i.Partitions[n]
		if lag, ok := lags[p.Number]; ok {
			seconds := age(i.At, lag.Oldest)
			p.LagMessages, p.LagSeconds = &lag.Messages, &seconds
		}
	}
	for n := range i.Readers {
		if err := r.readFollower(ctx, i.At, &i.Readers[n]); err != nil {
			return err
		}
	}
	return nil
}

// readFollower adds up the partitions of a reader; a log that was never made has none.
func (r *Reader) readFollower(ctx context.Context, now time.Time, f *Follower) error {
	log, err := bus.ExistingLog(ctx, r.Bus, f.Log)
	if errors.Is(err, bus.ErrNoLog) {
		return nil
	}
	if err != nil {
		return err
	}
	lags, err := lagsOf(ctx, log, f.checkpoints)
	if err != nil {
		return err
	}
	var messages uint64
	var seconds float64
	for _, lag := range lags {
		messages += lag.Messages
		seconds = max(seconds, age(now, lag.Oldest))
	}
	f.LagMessages, f.LagSeconds = &messages, &seconds
	return nil
}

// lagsOf asks for the partitions that the log still has.
func lagsOf(ctx context.Context, log *bus.Log, checkpoints map[int]uint64) (map[int]bus.Lag, error) {
	out := map[int]bus.Lag{}
	for number, checkpoint := range checkpoints {
		if number >= log.Partitions() {
			continue
		}
		lag, err := log.Lag(ctx, number, checkpoint)
		if err != nil {
			return nil, err
		}
		out[number] = lag
	}
	return out, nil
}

// age is how long ago that was, 0 for never.
func age(now, then time.Time) float64 {
	if then.IsZero() {
		return 0
	}
	return max(0, now.Sub(then).Seconds())
}
