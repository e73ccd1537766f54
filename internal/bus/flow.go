package bus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// A flow holds at most so many records, and has asked the server for at most as many.
	flowBuffer = 512
	// The server says that it is there when it has had nothing to deliver for so long,
	// and is taken for gone when it has not said so twice.
	flowHeartbeat = time.Second
	flowRequest   = 30 * time.Second // how long the server holds one request
)

// flow gathers what a consumer delivers until it is taken. One request stands at the
// server all the time: asking for every batch costs several times what its records do.
type flow struct {
	consumer jetstream.Consumer
	consume  jetstream.ConsumeContext
	ready    chan struct{} // has an element when there is something to take
	room     chan struct{} // has an element when something was taken
	stopped  chan struct{}

	mu      sync.Mutex
	got     []Entry
	seen    uint64 // the consumer's own number of the last record that arrived
	pending uint64 // behind that one
	broken  error  // nothing more comes
}

var errGap = errors.New("a record was lost on its way")

// newFlow begins to gather. The consumer acknowledges nothing and is this flow's alone.
func newFlow(c jetstream.Consumer) (*flow, error) {
	f := &flow{
		consumer: c, pending: c.CachedInfo().NumPending,
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	var err error
	f.consume, err = c.Consume(f.arrived,
		jetstream.PullMaxMessages(flowBuffer),
		jetstream.PullHeartbeat(flowHeartbeat),
		jetstream.PullExpiry(flowRequest),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { f.fail(err) }),
	)
	return f, err
}

// arrived keeps a record. It waits while there is no room, and so the client asks the
// server for no more.
func (f *flow) arrived(m jetstream.Msg) {
	md, err := m.Metadata()
	for {
		f.mu.Lock()
		if f.broken != nil {
			f.mu.Unlock()
			return
		}
		if len(f.got) < flowBuffer {
			break
		}
		f.mu.Unlock()
		select {
		case <-f.room:
		case <-f.stopped:
			return
		}
	}
	if err == nil && md.Sequence.Consumer != f.seen+1 {
		err = errGap
	}
	if err != nil {
		f.broken = err
	} else {
		f.got = append(f.got, Entry{Seq: md.Sequence.Stream, Subject: m.Subject(), Data: m.Data(), Time: md.Timestamp})
		f.seen, f.pending = md.Sequence.Consumer, md.NumPending
	}
	f.mu.Unlock()
	signal(f.ready)
}

func (f *flow) fail(err error) {
	f.mu.Lock()
	if f.broken == nil {
		f.broken = err
	}
	f.mu.Unlock()
	signal(f.ready)
}

// take returns up to most records, and how many are known to follow. The error says
// that none follow by this flow.
func (f *flow) take(most int) (got []Entry, pending uint64, err error) {
	f.mu.Lock()
	n := min(most, len(f.got))
	got, f.got = f.got[:n:n], f.got[n:]
	left := len(f.got)
	pending = f.pending + uint64(left)
	if left == 0 {
		f.got, err = nil, f.broken
	}
	f.mu.Unlock()
	if n > 0 {
		signal(f.room)
	}
	if left > 0 {
		signal(f.ready)
	}
	return got, pending, err
}

// wait returns when there may be something to take, or none came for so long.
func (f *flow) wait(ctx context.Context, atMost time.Duration) {
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-f.ready:
	case <-t.C:
	case <-ctx.Done():
	}
}

// missed asks the server whether it delivered more than arrived: the last records may
// be lost with no later one to show the gap.
func (f *flow) missed(ctx context.Context) (bool, error) {
	info, err := f.consumer.Info(ctx)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return info.Delivered.Consumer != f.seen, nil
}

// stop ends the flow; what was not taken is dropped.
func (f *flow) stop() {
	f.fail(context.Canceled)
	close(f.stopped)
	f.consume.Stop()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
