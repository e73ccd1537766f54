package transport

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"foresight/graph/share"
)

// operation is a running operation. It is compared by identity: its id may be given
// to another one as soon as the client completes it.
type operation struct {
	id     string
	prefix []byte // of a `next` message up to its payload
	cancel context.CancelFunc
	over   atomic.Bool // completed by either side: nothing more is sent

	// Of a shared subscription:
	box     *outbox
	frames  *Frames         // is told of items that made room for others
	queue   int             // messages that may wait before Send does
	backlog int             // items that may wait before some are left out
	slow    func()          // disconnects the client, which would miss what must not be missed
	ended   func(share.End) // ends the operation; it returns at once
}

var _ share.Sink = (*operation)(nil)

// Send implements share.Sink.
func (o *operation) Send(ctx context.Context, i *share.Item) bool {
	return o.box.put(ctx, frame{op: o, item: i}, o.queue)
}

// Offer implements share.Sink.
func (o *operation) Offer(i, gap *share.Item) {
	if !o.box.offer(o, i, gap, o.backlog) {
		o.slow()
	}
}

// End implements share.Sink.
func (o *operation) End(e share.End) { o.ended(e) }

func nextPrefix(id string) []byte {
	q, _ := json.Marshal(id) // a string
	b := append([]byte(`{"id":`), q...)
	return append(b, `,"type":"next","payload":`...)
}
