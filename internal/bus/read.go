package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Entry is one record of the log.
type Entry struct {
	Seq     uint64
	Subject string // see ParseSubject
	Data    []byte
	Time    time.Time // when the log took it
}

const (
	// The server forgets a reader that has not asked for so long; the reader then
	// begins anew where it was. A long stall of the worker is no error.
	readerInactive = time.Minute
	// How often an idle reader compares itself with the server.
	readerVerify = 2 * time.Second
	requestLimit = 3 * time.Second
	maxWait      = 5 * time.Second
)

// Reader reads one partition, or the records of one tenant, in order, without gap or
// repeat. It stands on a consumer of the server that acknowledges nothing and is thrown away whenever
// something is odd (a gap in its numbering, a lost connection or leader, silence);
// the position is the reader's own. One goroutine uses it at a time.
//
// It is not jetstream's OrderedConsumer, because that one begins anew with a
// back-off of up to 10 s which no context ends, and takes no batches.
type Reader struct {
	log     *Log
	filter  string // of the subjects
	next    uint64 // the first sequence not returned yet
	pending uint64

	flow     *flow // nil: begin anew
	verified time.Time
	inactive time.Duration
}

// Read returns a reader of the partition that begins with the first record whose
// sequence is at least from.
func (l *Log) Read(partition int, from uint64) (*Reader, error) {
	if partition < 0 || partition >= l.opt.Partitions {
		return nil, fmt.Errorf("bus: partition %d of %d", partition, l.opt.Partitions)
	}
	return l.reader(l.ofPartition(partition), from), nil
}

func (l *Log) reader(filter string, from uint64) *Reader {
	return &Reader{log: l, filter: filter, next: max(from, 1), inactive: readerInactive}
}

// Next returns up to most records: at once when there are some, else as soon as
// there is one, else none after about wait (at most 5 s). After an error
// (ErrUnavailable or the context's) nothing is lost; pause and call again. It may return
// none a little early.
func (r *Reader) Next(ctx context.Context, most int, wait time.Duration) ([]Entry, error) {
	if r.flow == nil {
		if err := r.begin(ctx); err != nil {
			return nil, err
		}
	}
	until := time.Now().Add(min(wait, maxWait))
	for {
		got, err := r.take(most)
		if len(got) > 0 {
			return got, nil // what went wrong shows at the next call
		}
		if err != nil {
			return nil, r.log.unavailable("read", err)
		}
		left := time.Until(until)
		if left <= 0 {
			return nil, r.verify(ctx)
		}
		r.flow.wait(ctx, left)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// Arrived returns up to most records that need not be waited for.
func (r *Reader) Arrived(most int) []Entry {
	if r.flow == nil {
		return nil
	}
	got, _ := r.take(most)
	return got
}

func (r *Reader) take(most int) (got []Entry, err error) {
	got, r.pending, err = r.flow.take(most)
	if err != nil {
		r.drop()
	}
	if n := len(got); n > 0 {
		r.next = got[n-1].Seq + 1
	}
	return got, err
}

// Pending returns how many records the partition is known to have beyond those
// returned.
func (r *Reader) Pending() uint64 { return r.pending }

// Close forgets the reader at the server, which otherwise does so by itself after
// a minute.
func (r *Reader) Close(ctx context.Context) error {
	if r.flow == nil {
		return nil
	}
	name := r.flow.consumer.CachedInfo().Name
	r.drop()
	if err := r.log.stream.DeleteConsumer(ctx, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return r.log.unavailable("close reader", err)
	}
	return nil
}

func (r *Reader) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	c, err := r.log.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.next,
		FilterSubject:     r.filter,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: r.inactive,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return r.log.unavailable("read", err)
	}
	f, err := newFlow(c)
	if err != nil {
		return r.log.unavailable("read", err)
	}
	r.flow, r.verified, r.pending = f, time.Now(), c.CachedInfo().NumPending
	return nil
}

func (r *Reader) drop() {
	r.flow.stop()
	r.flow = nil
}

// verify looks, now and then, whether an idle reader has missed something.
func (r *Reader) verify(ctx context.Context) error {
	if time.Since(r.verified) < readerVerify {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	missed, err := r.flow.missed(ctx)
	if err != nil {
		r.drop()
		return r.log.unavailable("read", err)
	}
	if missed {
		r.drop()
	}
	r.verified = time.Now()
	return nil
}
