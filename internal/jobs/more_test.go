package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"

	"foresight/internal/jobs"
)

// Long work is done piece by piece, in more pieces than a job has attempts, and lets
// others go between.
func TestWorkInPieces(t *testing.T) {
	w := newWorld(t)
	const pieces = jobs.MaxAttempts + 4
	var done atomic.Int64
	ended, gaveUp := make(chan int64, 1), make(chan error, 1)
	w.run(nil, jobs.Work[note]{
		Do: func(context.Context, note) error {
			if n := done.Add(1); n < pieces {
				return jobs.ErrMore
			}
			ended <- done.Load()
			return nil
		},
		GaveUp: func(_ context.Context, _ note, err error) { gaveUp <- err },
	})
	w.ok(w.add(w.acme, "long", nil))
	if n := receive(w, ended); n != pieces {
		t.Errorf("ended after %d pieces", n)
	}
	if len(gaveUp) > 0 {
		t.Errorf("given up: %v", <-gaveUp)
	}
}
