package share

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/obs/tracing"
)

// Item is one result of a subscription, encoded once for all who get it: read-only.
type Item struct {
	Payload []byte // a GraphQL response as JSON
	// About says what the item is about, such as a sensor: the newer of two that are
	// about the same may stand for both. It is comparable; nil where none may.
	About any

	Origin // of a live item

	mark    any          // by which a snapshot knows it
	written atomic.Int64 // how often, roughly
}

// Origin is where a live item comes from. The zero value tells nothing.
type Origin struct {
	Kind  string      // of what happened, for metrics: of a small set
	At    time.Time   // when it entered the product, or happened in it
	Trace tracing.Ref // of the message that it came of, when that is followed
}

// Written counts another writing to a client, and returns how many there were before; it
// does not count far, as thousands may write at once.
func (i *Item) Written() int64 {
	if n := i.written.Load(); n >= countedWritings {
		return n
	}
	return i.written.Add(1) - 1
}

const countedWritings = 16

// Sink takes the items of one subscriber, in order.
type Sink interface {
	// Send waits for room. It returns false when the context ends first.
	Send(ctx context.Context, i *Item) bool
	// Offer never waits. When there is no room for the item, and gap is given, older
	// items make room and gap takes the place of what was left out; without gap
	// nothing may be left out, and the subscriber must be disconnected.
	Offer(i, gap *Item)
	// End is called once, after the last item, unless the subscriber left before. It
	// returns at once.
	End(End)
}

// End says how a subscription ended by itself.
type End struct {
	Reason Reason
	Errors gqlerror.List // of Refused
}

// Reason is why a subscription ended.
type Reason int

const (
	Completed Reason = iota // there is no more
	TooSlow                 // items that must not be missed would be
	Failed                  // the source cannot be read any longer
	Refused                 // an item that cannot be shown
)
