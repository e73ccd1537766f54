package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

const (
	replayBatch = 500             // messages
	replaySlice = 2 * time.Minute // of work, after which other jobs have their turn
	replayPause = 500 * time.Millisecond
	replayRests = 5 * time.Second // the longest pause while the log is full
)

// runReplay reads a stretch of history and appends it to the log of history, batch by
// batch, and waits until the workers have done it. Where it stands is kept after each
// batch; after a crash it may append some again, which the workers find to be there.
func (s *Service) runReplay(ctx context.Context, args replayArgs) error {
	tenant := tenancy.Must(ctx).TenantID
	tag, err := s.App.Exec(ctx, `UPDATE replay_jobs SET status = 'running' WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenant, args.Job)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	found, err := s.replays(ctx, s.App, []id.UUID{args.Job})
	x, err := one(found, err, args.Job, "ReplayJob")
	if err != nil {
		return err
	}
	w := &replaying{Service: s, Replay: x, report: s.Reporter(ctx, x.ID), until: time.Now().Add(replaySlice)}
	if w.Rejected == nil {
		w.Rejected = map[string]uint64{}
	}
	if w.place.Last == nil {
		w.place.Last = map[string]uint64{}
	}
	if !w.place.Ended {
		if err := w.read(ctx); err != nil {
			return err
		}
	}
	if err := w.settled(ctx); err != nil {
		return err
	}
	if _, err := s.App.Exec(ctx, `UPDATE replay_jobs SET status = 'succeeded', finished_at = now()
		WHERE tenant_id = $1 AND id = $2 AND status = 'running'`, tenant, x.ID); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	s.Announce(ctx, x.ID, enum.JobSucceeded, "", int64(w.place.Read), int64(w.place.Total))
	return nil
}

// replaying is a replay at work.
type replaying struct {
	*Service
	*Replay
	report *Reporter
	until  time.Time
}

// read appends what is left of the stretch. It returns jobs.ErrMore when others are to
// have their turn.
func (w *replaying) read(ctx context.Context) error {
	tenant := tenancy.Must(ctx).TenantID
	parts, err := w.History.Parts(ctx, Stretch{Tenant: tenant, From: w.From, To: w.To, Sensors: w.Sensors, Sites: w.Sites})
	if err != nil {
		return err
	}
	if w.place.Total == 0 {
		for _, p := range parts {
			w.place.Total += p.Rows
		}
	}
	begun := w.place.Part == "" // else up to the part where it stands all is done
	for _, p := range parts {
		from := w.From
		if !begun {
			if p.Name != w.place.Part {
				continue
			}
			begun, from = true, w.place.At
		}
		if err := w.part(ctx, p, from); err != nil {
			return err
		}
	}
	w.place.Ended = true
	return w.save(ctx)
}

func (w *replaying) part(ctx context.Context, p HistoryPart, from time.Time) error {
	batch := make([]*telemetry.Raw, 0, replayBatch)
	for raw, err := range p.Read(ctx, from) {
		if err != nil {
			return err
		}
		if batch = append(batch, raw); len(batch) < replayBatch {
			continue
		}
		if err := w.append(ctx, p, batch); err != nil {
			return err
		}
		batch = batch[:0]
		if time.Now().After(w.until) {
			return jobs.ErrMore
		}
	}
	return w.append(ctx, p, batch)
}

// append brings a batch in, and waits while the log of history is full.
func (w *replaying) append(ctx context.Context, p HistoryPart, batch []*telemetry.Raw) error {
	if len(batch) == 0 {
		return nil
	}
	done, err := w.Gate.Readmit(ctx, tenancy.Must(ctx).TenantID, w.Sites, batch)
	for wait := replayPause; fault.Is(err, fault.Unavailable); wait = min(2*wait, replayRests) {
		if time.Now().After(w.until) {
			return jobs.ErrMore
		}
		if err := rest(ctx, wait); err != nil {
			return err
		}
		done, err = w.Gate.Readmit(ctx, tenancy.Must(ctx).TenantID, w.Sites, batch)
	}
	if err != nil {
		return err
	}
	for _, d := range done {
		if d.Reason != "" {
			w.Rejected[d.Reason]++
			continue
		}
		w.Appended++
		w.place.Last[strconv.Itoa(d.Partition)] = d.Seq
	}
	w.place.Part, w.place.At = p.Name, batch[len(batch)-1].Timestamp
	w.place.Read += uint64(len(batch))
	if err := w.save(ctx); err != nil {
		return err
	}
	w.report.Tell(Reading, int64(w.place.Read), int64(max(w.place.Total, w.place.Read)))
	return nil
}

func (w *replaying) save(ctx context.Context) error {
	at, err := json.Marshal(w.place)
	if err != nil {
		return err
	}
	rejected, err := json.Marshal(w.Rejected)
	if err != nil {
		return err
	}
	_, err = w.App.Exec(ctx, `UPDATE replay_jobs SET place = $3, appended = $4, rejected = $5 WHERE tenant_id = $1 AND id = $2`,
		tenancy.Must(ctx).TenantID, w.ID, string(at), int64(w.Appended), string(rejected))
	if err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	return nil
}

// settled waits until the workers have passed everything that was appended.
func (w *replaying) settled(ctx context.Context) error {
	for {
		left := 0
		rows, err := w.App.Query(ctx, `SELECT number, sequence FROM log_checkpoints WHERE reader = 'backfill'`)
		if err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		passed := map[string]uint64{}
		var number int
		var sequence int64
		if _, err := pgx.ForEachRow(rows, []any{&number, &sequence}, func() error {
			passed[strconv.Itoa(number)] = uint64(sequence)
			return nil
		}); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		for partition, seq := range w.place.Last {
			if passed[partition] < seq {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		w.report.Tell(Writing, int64(len(w.place.Last)-left), int64(len(w.place.Last)))
		if time.Now().After(w.until) {
			return jobs.ErrMore
		}
		if err := rest(ctx, replayPause); err != nil {
			return err
		}
	}
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// replayGaveUp says why there is no further attempt.
func (s *Service) replayGaveUp(ctx context.Context, args replayArgs, cause error) {
	if err := s.failReplay(ctx, args.Job, jobs.StoredFailure(cause)); err != nil {
		s.Log.ErrorContext(ctx, "a failed replay was not told of", "job", args.Job, "error", err)
		return
	}
	s.Announce(ctx, args.Job, enum.JobFailed, "", 0, -1)
}

func (s *Service) failReplay(ctx context.Context, job id.UUID, failure []byte) error {
	_, err := s.App.Exec(ctx, `UPDATE replay_jobs SET status = 'failed', error = $3, finished_at = now()
		WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenancy.Must(ctx).TenantID, job, failure)
	return err
}

// sweepReplay ends a replay that nobody works any more; one that gets on is looked at
// again later.
func (s *Service) sweepReplay(ctx context.Context, args sweepArgs, lost []byte) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		var going bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM job_progress WHERE job_id = j.id AND tenant_id = j.tenant_id AND updated_at > now() - $3::interval)
			FROM replay_jobs j WHERE j.tenant_id = $1 AND j.id = $2 AND j.status IN ('queued', 'running')`,
			tenancy.Must(ctx).TenantID, args.Of, sweepLater).Scan(&going)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("bulk: %w", err)
		case going:
			return s.Queue.Add(ctx, tx, args, time.Now().Add(sweepLater))
		}
		_, err = tx.Exec(ctx, `UPDATE replay_jobs SET status = 'failed', error = $3, finished_at = now() WHERE tenant_id = $1 AND id = $2`,
			tenancy.Must(ctx).TenantID, args.Of, lost)
		return err
	})
}
