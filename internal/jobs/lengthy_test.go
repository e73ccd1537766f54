package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/jobs"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

type epic struct {
	jobs.Behalf
	jobs.Lengthy
}

func (epic) Kind() string { return "epic" }

// Jobs that take hours are worked by the runners made for it, for as long as these say,
// and hold up no others.
func TestLengthyJobsAreWorkedApart(t *testing.T) {
	w := newWorld(t)
	ctx := w.acme.As(t.Context(), tenancy.Viewer)
	behalf, err := jobs.Of(ctx, tenancy.PlantRead)
	w.ok(err)
	deadline, notes := make(chan time.Duration, 4), make(chan string, 4)
	start := func(o jobs.Options) {
		t.Helper()
		o.Pool, o.Log = w.worker, slog.New(slog.DiscardHandler)
		r := jobs.NewRunner(o)
		jobs.Handle(r, jobs.Work[epic]{Do: func(ctx context.Context, _ epic) error {
			until, _ := ctx.Deadline()
			deadline <- time.Until(until)
			return nil
		}})
		jobs.Handle(r, jobs.Work[note]{Do: func(_ context.Context, n note) error { notes <- n.Text; return nil }})
		w.ok(r.Start(t.Context()))
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
			defer cancel()
			w.ok(r.Stop(ctx))
		})
	}
	start(jobs.Options{})
	w.ok(pgx.BeginFunc(ctx, w.app, func(tx pgx.Tx) error {
		return errors.Join(w.queue.Add(ctx, tx, epic{Behalf: behalf}, time.Time{}), w.queue.Add(ctx, tx, note{behalf, "short"}, time.Time{}))
	}))
	if got := receive(w, notes); got != "short" || len(deadline) != 0 {
		t.Fatalf("worked %q, and %d lengthy jobs by a runner that does none", got, len(deadline))
	}
	start(jobs.Options{Lengthy: 1, LengthyTimeout: 3 * time.Hour})
	if got := receive(w, deadline); got < 2*time.Hour || got > 3*time.Hour {
		t.Errorf("may take %s", got)
	}
}
