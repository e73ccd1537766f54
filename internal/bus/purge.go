package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Purge removes what nobody needs any more. needed holds for every partition the
// first sequence that is still needed: one more than the lowest of its
// checkpoints. A partition that is missing keeps everything, which is an error.
//
// The log is cut at one place, below the first needed record of all partitions
// (holes would cost the server a scan). A partition without a needed record does
// not hold the cut back; one that stands still does, until the log is full.
// It returns the new first sequence.
func (l *Log) Purge(ctx context.Context, needed map[int]uint64) (uint64, error) {
	info, err := l.ask(ctx)
	if err != nil {
		return 0, l.unavailable("purge", err)
	}
	// Taken before the look-ups: what arrives meanwhile lies above it.
	floor := info.State.LastSeq + 1
	for p := range l.opt.Partitions {
		from, ok := needed[p]
		if !ok {
			return 0, fmt.Errorf("bus: purge: nothing said of partition %d", p)
		}
		if from >= floor {
			continue
		}
		m, err := l.stream.GetMsg(ctx, max(from, info.State.FirstSeq), jetstream.WithGetMsgSubject(l.ofPartition(p)))
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return 0, l.unavailable("purge", err)
		default:
			floor = min(floor, m.Sequence)
		}
	}
	if floor <= info.State.FirstSeq {
		return info.State.FirstSeq, nil
	}
	if err := l.stream.Purge(ctx, jetstream.WithPurgeSequence(floor)); err != nil {
		return 0, l.unavailable("purge", err)
	}
	return floor, nil
}
