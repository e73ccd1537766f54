package admit

import (
	"context"
	"errors"
	"sync"

	"foresight/ingestion/decode"
)

// ErrStreamEnded is returned by Submit after the stream has ended.
var ErrStreamEnded = errors.New("admit: the stream has ended")

// Result is what became of a submitted message: with a Rejection or with neither it
// is to be acknowledged, with Err it must not be.
type Result[T any] struct {
	Tag       T
	Rejection *decode.Rejection
	Seq       uint64
	Err       error
}

// Stream admits the messages of one sender: many are under way at once, and their
// results come back in the order of submission. One goroutine submits; the results
// come from another one, the stream's own.
type Stream[T any] struct {
	admitter *Admitter
	deliver  func([]Result[T]) error
	ended    func()
	window   chan struct{} // an element per message under way
	ctx      context.Context
	cancel   context.CancelCauseFunc
	done     chan struct{}

	mu     sync.Mutex
	queue  []submitted[T]
	wake   chan struct{} // capacity 1: something was queued, or no more will be
	closed bool
}

type submitted[T any] struct {
	ticket Ticket
	tag    T
}

// NewStream returns a stream that lets window messages be under way at once. deliver
// gets the results that are at hand, in order, and may block: then so does Submit, in
// the end. After a result with Err, or an error of deliver itself, it is not called
// again and the stream has ended: the message that failed and all behind it stay
// unacknowledged, so that the sender repeats them in their order. A stream must be
// ended by Finish, Close or Abort; ctx ends it too. ended, when not nil, is called once
// when it has ended.
func NewStream[T any](ctx context.Context, a *Admitter, window int, deliver func([]Result[T]) error, ended func()) *Stream[T] {
	s := &Stream[T]{
		admitter: a, deliver: deliver, ended: ended, window: make(chan struct{}, window),
		done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	go s.run()
	return s
}

// Submit begins the admission of a message. It blocks while window messages are
// under way, and as Admit does. An error says that the stream has ended.
func (s *Stream[T]) Submit(m Message, tag T) error {
	select {
	case s.window <- struct{}{}:
	case <-s.ctx.Done():
		return s.Err()
	}
	if err := s.Err(); err != nil { // select chooses at will when both are open
		return err
	}
	ticket := s.admitter.Admit(s.ctx, m)
	s.mu.Lock()
	if !s.closed {
		s.queue = append(s.queue, submitted[T]{ticket, tag})
	}
	s.mu.Unlock()
	s.signal()
	return s.Err()
}

// Err returns why the stream has ended, ErrStreamEnded when it was closed, nil while
// it runs.
func (s *Stream[T]) Err() error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrStreamEnded
	}
	return nil
}

// Done is closed when deliver will not be called any more.
func (s *Stream[T]) Done() <-chan struct{} { return s.done }

// Finish takes no more messages and ends the stream when those under way are
// delivered. It does not wait.
func (s *Stream[T]) Finish() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.signal()
}

// Close is Finish, and waits for the end. When ctx ends before, the rest stays
// undelivered.
func (s *Stream[T]) Close(ctx context.Context) error {
	s.Finish()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.Abort()
		<-s.done
		return ctx.Err()
	}
}

// Abort ends the stream now; what is under way is not delivered. It does not wait.
func (s *Stream[T]) Abort() { s.cancel(ErrStreamEnded) }

func (s *Stream[T]) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Stream[T]) run() {
	defer close(s.done)
	if s.ended != nil {
		defer s.ended()
	}
	var taken []submitted[T]
	var results []Result[T]
	for {
		var more bool
		if taken, more = s.take(taken); !more {
			s.cancel(ErrStreamEnded)
			return
		}
		results = results[:0]
		for i := range taken {
			sub := &taken[i]
			if len(results) > 0 && !sub.ticket.Ready() {
				if !s.hand(results) {
					return
				}
				results = results[:0]
			}
			r := Result[T]{Tag: sub.tag, Rejection: sub.ticket.Rejection}
			r.Seq, r.Err = sub.ticket.Wait(s.ctx)
			results = append(results, r)
			if r.Err != nil {
				s.hand(results)
				s.cancel(r.Err)
				return
			}
		}
		if !s.hand(results) {
			return
		}
	}
}

// hand delivers, and ends the stream when that fails.
func (s *Stream[T]) hand(results []Result[T]) bool {
	if s.ctx.Err() != nil {
		return false
	}
	if err := s.deliver(results); err != nil {
		s.cancel(err)
		return false
	}
	for range results {
		<-s.window
	}
	return true
}

// take returns what is queued, in the memory of the former batch; false when nothing
// will come any more.
func (s *Stream[T]) take(former []submitted[T]) ([]submitted[T], bool) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			batch := s.queue
			clear(former)
			s.queue = former[:0]
			s.mu.Unlock()
			return batch, true
		}
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return nil, false
		}
		select {
		case <-s.wake:
		case <-s.ctx.Done():
			return nil, false
		}
	}
}
