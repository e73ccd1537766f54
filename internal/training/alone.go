package training

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/tenancy"
)

const (
	beatEvery  = time.Second // whether it is still wanted, and that it is alive
	lockRetry  = 200 * time.Millisecond
	lockWithin = 10 * time.Second // how long a trainer that was cancelled may take to end
	unlockSoon = 5 * time.Second
)

// lockName is what the advisory lock of a run's model is made of.
func lockName(r *Run) string { return "training of " + r.Model.String() }

const (
	lock   = `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`
	unlock = `SELECT pg_advisory_unlock(hashtextextended($1, 0))`
)

// alone works a run while it holds the lock on the run's model, and keeps the row
// fresh. The lock goes with the connection: a process that loses it ends its work
// (with an error that another attempt may mend), one that dies leaves it to others. It
// returns errOver when the run is cancelled meanwhile, or is at work elsewhere.
func (s *Service) alone(ctx context.Context, r *Run, f func(context.Context, *Run) error) error {
	conn, err := s.App.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	defer conn.Release()
	if err := s.lock(ctx, conn, r); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockSoon)
		defer cancel()
		if _, err := conn.Exec(ctx, unlock, lockName(r)); err != nil {
			_ = conn.Conn().Close(ctx) // the lock goes with the session
		}
	}()
	if r, err = s.begin(ctx, r.ID); err != nil {
		return err
	}
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		s.beat(ctx, stop, conn, r, cancel)
	}()
	defer func() { // before the connection is given back, also when the work panics
		close(stop)
		<-done
	}()
	err = f(work, r)
	if cause := context.Cause(work); err != nil && cause != nil && ctx.Err() == nil {
		err = cause // what failed, failed because of it
	}
	return err
}

// lock takes the lock. One of a run before may be held for a moment still.
func (s *Service) lock(ctx context.Context, conn *pgxpool.Conn, r *Run) error {
	again := time.NewTicker(lockRetry)
	defer again.Stop()
	for until := time.Now().Add(lockWithin); ; {
		var got bool
		if err := conn.QueryRow(ctx, lock, lockName(r)).Scan(&got); err != nil {
			return fmt.Errorf("training: %w", err)
		}
		if got {
			return nil
		}
		if r.attempts > 0 { // whoever holds it works this very run
			return errOver
		}
		if time.Now().After(until) {
			return errors.New("training: the run before has not ended yet")
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// beat keeps the row fresh, on the connection that holds the lock, and ends the work
// when the row says so or cannot be reached.
func (s *Service) beat(ctx context.Context, stop <-chan struct{}, conn *pgxpool.Conn, r *Run, end context.CancelCauseFunc) {
	every := time.NewTicker(beatEvery)
	defer every.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-every.C:
		}
		over, err := s.beatOnce(ctx, conn, r)
		switch {
		case err != nil:
			end(fmt.Errorf("training: lost the lock: %w", err))
			return
		case over:
			end(errOver)
			return
		}
	}
}

func (s *Service) beatOnce(ctx context.Context, conn *pgxpool.Conn, r *Run) (over bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Limits.Lost/3) // it ends well before others take the run up
	defer cancel()
	tag, err := conn.Exec(ctx, `UPDATE training_runs SET updated_at = now() WHERE tenant_id = $1 AND id = $2 AND status = 'running'`,
		tenancy.Must(ctx).TenantID, r.ID)
	return err == nil && tag.RowsAffected() == 0, err
}
