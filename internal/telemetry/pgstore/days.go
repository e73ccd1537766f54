package pgstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// day counts days since 1970-01-01 UTC; a partition holds one.
type day int64

func dayOf(t time.Time) day {
	s := t.Unix()
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return day(d)
}

func (d day) start() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func addDay(days []day, t time.Time) []day {
	d := dayOf(t)
	if slices.Contains(days, d) { // a batch spans one day, or two, or a backfill's few
		return days
	}
	return append(days, d)
}

// inDays does the write after making the days' partitions where they are not known
// to be there. A day that another process dropped meanwhile is made again, once.
func (s *Store) inDays(ctx context.Context, days []day, write func() error) error {
	if err := s.ensure(ctx, days); err != nil {
		return err
	}
	err := write()
	if !noPartition(err) {
		return err
	}
	s.forget()
	if err := s.ensure(ctx, days); err != nil {
		return err
	}
	return write()
}

// noPartition says that a row's day has no partition: a check violation without a
// constraint.
func noPartition(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" && pg.ConstraintName == ""
}

// EnsureDays makes the partitions from the day of one time to that of another, so
// that no write has to. The times lie within the last 3 years and the next 7 days.
func (s *Store) EnsureDays(ctx context.Context, from, to time.Time) error {
	if _, err := s.write.Exec(ctx, `SELECT foresight_ensure_telemetry_partitions($1, $2)`, from, to); err != nil {
		return failed("make partitions", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := dayOf(from); d <= dayOf(to); d++ {
		s.days[d] = struct{}{}
	}
	return nil
}

func (s *Store) ensure(ctx context.Context, days []day) error {
	for _, d := range days {
		s.mu.RLock()
		_, known := s.days[d]
		s.mu.RUnlock()
		if known {
			continue
		}
		if err := s.EnsureDays(ctx, d.start(), d.start()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) forget() {
	s.mu.Lock()
	clear(s.days)
	s.mu.Unlock()
}

// DropReadingsBefore drops the days of readings that ended before the time, of all
// tenants. It waits at most 2 s for running queries and then fails; call it again.
func (s *Store) DropReadingsBefore(ctx context.Context, before time.Time) error {
	return s.drop(ctx, `SELECT foresight_drop_telemetry_before($1)`, before)
}

// DropPredictionsBefore does the same for predictions.
func (s *Store) DropPredictionsBefore(ctx context.Context, before time.Time) error {
	return s.drop(ctx, `SELECT foresight_drop_predictions_before($1)`, before)
}

// DropRollupsBefore does the same for 5-minute rollups.
func (s *Store) DropRollupsBefore(ctx context.Context, before time.Time) error {
	return s.drop(ctx, `SELECT foresight_drop_rollups_before($1)`, before)
}

func (s *Store) drop(ctx context.Context, sql string, before time.Time) error {
	defer s.forget()
	_, err := s.write.Exec(ctx, sql, before)
	return failed("drop partitions", err)
}
