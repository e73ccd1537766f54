package share

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrTooSlow, returned by Next of a Live, ends a group whose source gave it up:
// subscribers are disconnected, and resume.
var ErrTooSlow = errors.New("share: too slow for the source")

// errUnshared is returned to an operation that no group runs.
var errUnshared = errors.New("share: the transport does not share this subscription")

// Stream is how a field of Subscription yields its items.
type Stream[T any] struct {
	// Listen begins to listen to the source and returns when nothing that happens from
	// then on is missed. The source is released when the context ends.
	Listen func(ctx context.Context) (Next[T], error)
	// Begin reads what a subscription begins with. It is called after Listen.
	Begin func(ctx context.Context) (Beginning[T], error)
	// Gap is the item that tells of others that were left out; nil where none may be.
	Gap *T
}

// Next waits for the next item of a source. io.EOF is its end.
type Next[T any] func(ctx context.Context) (Live[T], error)

// Live is an item as it happens.
type Live[T any] struct {
	Value T
	Mark  any // by which a snapshot knows it; see Known
	About any // see Item
	Origin
}

// Beginning is what a subscription begins with.
type Beginning[T any] struct {
	// Items may end with an error, which ends the subscription.
	Items iter.Seq2[T, error]
	// Known tells, once the items have been read, which live items are among them.
	Known Known
	// Last says that nothing comes behind the items: who begins with them has all.
	Last bool
}

// Known knows the marks of live items that a snapshot holds already.
type Known struct {
	Has func(mark any) bool // nil: none
	// For is how long after the snapshot such items may still come; 0: for ever.
	For time.Duration
}

// run is one execution of an operation, in its context. The resolver fills it in.
type run struct {
	live bool // rather than the beginning

	// Of a live run: next has the following item resolved; gap the one that tells of a
	// gap, nil where there is none.
	next   func(context.Context) (mark, about any, err error)
	gap    func()
	origin Origin // of what next returned last

	// Of a beginning, once its items are through.
	known Known
	last  bool
	err   error
}

type runKey struct{}

// Shared reports whether the context is of an operation that runs for all who asked.
func Shared(ctx context.Context) bool { return ctx.Value(runKey{}) != nil }

// Serve answers a field of Subscription: it gives the executor what the group that
// runs the operation wants.
func Serve[T any](ctx context.Context, s Stream[T]) (<-chan T, error) {
	r, ok := ctx.Value(runKey{}).(*run)
	switch {
	case !ok:
		return nil, errUnshared
	case r.live:
		return listen(ctx, r, s)
	}
	b, err := s.Begin(ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan T)
	go func() {
		defer close(out)
		for v, err := range b.Items {
			if err != nil {
				r.err = err
				return
			}
			select {
			case out <- v:
			case <-ctx.Done():
				r.err = ctx.Err()
				return
			}
		}
		r.known, r.last = b.Known, b.Last
	}()
	return out, nil
}

// listen has the group pull: the executor finds each item where next has put it, so
// that a mark belongs to the response that follows.
func listen[T any](ctx context.Context, r *run, s Stream[T]) (<-chan T, error) {
	next, err := s.Listen(ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan T, 1)
	r.next = func(ctx context.Context) (mark, about any, err error) {
		i, err := next(ctx)
		if err != nil {
			return nil, nil, err
		}
		out <- i.Value
		r.origin = i.Origin
		return i.Mark, i.About, nil
	}
	if s.Gap != nil {
		r.gap = func() { out <- *s.Gap }
	}
	return out, nil
}

// All is a beginning that was read at once.
func All[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range items {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// reasonOf maps what ended a source.
func reasonOf(err error) Reason {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return Completed
	case errors.Is(err, ErrTooSlow):
		return TooSlow
	}
	return Failed
}
