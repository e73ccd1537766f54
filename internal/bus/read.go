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

// Reader reads one partition in order, without gap or repeat. It stands on a
// consumer of the server that acknowledges nothing and is thrown away whenever
// something is odd (a gap in its numbering, a lost connection or leader, silence);
// the position is the reader's own. One goroutine uses it at a time.
//
// It is not jetstream's OrderedConsumer, because that one begins anew with a
// back-off of up to 10 s which no context ends, and takes no batches.
type Reader struct {
	log       *Log
	partition int
	next      uint64 // the first sequence not returned yet
	pending   uint64

	consumer  jetstream.Consumer // nil: begin anew
	delivered uint64             // the consumer's own number of the last record returned
	verified  time.Time
	inactive  time.Duration
}

// Read returns a reader of the partition that begins with the first record whose
// sequence is at least from.
func (l *Log) Read(partition int, from uint64) (*Reader, error) {
	if partition < 0 || partition >= l.opt.Partitions {
		return nil, fmt.Errorf("bus: partition %d of %d", partition, l.opt.Partitions)
	}
	return &Reader{log: l, partition: partition, next: max(from, 1), inactive: readerInactive}, nil
}

// Next returns up to most records: at once when there are some, else as soon as
// there is one, else none after about wait (at most 5 s). After an error
// (ErrUnavailable or the context's) nothing is lost; pause and call again.
func (r *Reader) Next(ctx context.Context, most int, wait time.Duration) ([]Entry, error) {
	if r.consumer == nil {
		if err := r.begin(ctx); err != nil {
			return nil, err
		}
	}
	if n := r.backlog(most); n > 0 {
		if got, err := r.take(r.consumer.FetchNoWait(n)); len(got) > 0 || err != nil || r.consumer == nil {
			return got, err
		}
	}
	got, err := r.await(ctx, min(wait, maxWait))
	if n := r.backlog(most - 1); len(got) > 0 && n > 0 && r.consumer != nil {
		more, _ := r.take(r.consumer.FetchNoWait(n)) // what went wrong shows at the next call
		got = append(got, more...)
	}
	return got, err
}

// Pending returns how many records the partition had beyond those returned, when
// the last one was read.
func (r *Reader) Pending() uint64 { return r.pending }

// Close forgets the reader at the server, which otherwise does so by itself after
// a minute.
func (r *Reader) Close(ctx context.Context) error {
	if r.consumer == nil {
		return nil
	}
	name := r.consumer.CachedInfo().Name
	r.consumer = nil
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
		FilterSubject:     r.log.ofPartition(r.partition),
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: r.inactive,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return r.log.unavailable("read", err)
	}
	r.consumer, r.delivered, r.verified = c, 0, time.Now()
	r.pending = c.CachedInfo().NumPending
	return nil
}

// backlog bounds a request to what is known to be there: the client allocates for
// the whole request.
func (r *Reader) backlog(most int) int { return int(min(uint64(max(most, 0)), r.pending)) }

// await waits for one record.
func (r *Reader) await(ctx context.Context, wait time.Duration) ([]Entry, error) {
	// The client asks the server to answer after nine tenths of the time it has.
	limited, cancel := context.WithTimeout(ctx, wait*10/9)
	defer cancel()
	got, err := r.take(r.consumer.Fetch(1, jetstream.FetchContext(limited)))
	switch {
	case ctx.Err() != nil && len(got) == 0:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		// The server, which is asked to answer before that, was silent; take has
		// dropped the consumer.
		return nil, nil
	case len(got) == 0 && err == nil && r.consumer != nil:
		return nil, r.verify(ctx)
	}
	return got, err
}

// take reads a batch to its end. It returns an error only when there is no record.
func (r *Reader) take(batch jetstream.MessageBatch, err error) ([]Entry, error) {
	if err != nil {
		r.consumer = nil
		return nil, r.log.unavailable("read", err)
	}
	var got []Entry
	for m := range batch.Messages() {
		md, err := m.Metadata()
		if err != nil || md.Sequence.Consumer != r.delivered+1 {
			r.consumer = nil // something was lost on the way
			return got, nil
		}
		got = append(got, Entry{Seq: md.Sequence.Stream, Subject: m.Subject(), Data: m.Data(), Time: md.Timestamp})
		r.delivered = md.Sequence.Consumer
		r.next = md.Sequence.Stream + 1
		r.pending = md.NumPending
	}
	if len(got) == 0 {
		r.pending = 0
	}
	if err := batch.Error(); err != nil {
		r.consumer = nil
		if len(got) == 0 {
			return nil, r.log.unavailable("read", err)
		}
	}
	return got, nil
}

// verify asks an idle reader's consumer whether it delivered more than arrived:
// the tail of a batch may be lost with no later record to show the gap.
func (r *Reader) verify(ctx context.Context) error {
	if time.Since(r.verified) < readerVerify {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	info, err := r.consumer.Info(ctx)
	if err != nil {
		r.consumer = nil
		return r.log.unavailable("read", err)
	}
	if info.Delivered.Consumer != r.delivered {
		r.consumer = nil
	}
	r.verified = time.Now()
	return nil
}
