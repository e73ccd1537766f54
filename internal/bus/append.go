package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"foresight/internal/id"
)

// A second try of one append could overtake the next one of the same sensor, so
// there is none: the caller decides.
var withoutRetry = []jetstream.PublishOpt{jetstream.WithRetryAttempts(0)}

// Pending is an append that is on its way.
type Pending struct {
	log *Log
	ack jetstream.PubAckFuture
}

// Append adds a record and waits for its sequence. Errors are ErrFull,
// ErrUnavailable or the context's; after the latter two the record may be in the
// log all the same.
func (l *Log) Append(ctx context.Context, partition int, tenant, sensor id.UUID, data []byte) (uint64, error) {
	p, err := l.AppendAsync(ctx, partition, tenant, sensor, data)
	if err != nil {
		return 0, err
	}
	return p.Wait(ctx)
}

// AppendAsync sends a record and returns while it is on its way; records of one
// caller reach the log in the order of the calls. It blocks while MaxInFlight
// appends are unconfirmed. The data must not change before Wait has returned.
func (l *Log) AppendAsync(ctx context.Context, partition int, tenant, sensor id.UUID, data []byte) (Pending, error) {
	if partition < 0 || partition >= l.opt.Partitions {
		return Pending{}, fmt.Errorf("bus: partition %d of %d", partition, l.opt.Partitions)
	}
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return Pending{}, fmt.Errorf("bus: append: %w", ctx.Err())
	}
	m := &nats.Msg{Subject: l.subject(partition, tenant, sensor), Data: data}
	if l.opt.Identify != nil {
		m.Header = nats.Header{jetstream.MsgIDHeader: {l.opt.Identify(data)}}
	}
	ack, err := l.api.PublishMsgAsync(m, withoutRetry...)
	if err != nil {
		l.release()
		return Pending{}, l.appendError(err)
	}
	return Pending{l, ack}, nil
}

// Wait returns the sequence of the record, or why there is none. Call it once. It
// waits no longer than AckTimeout.
func (p Pending) Wait(ctx context.Context) (uint64, error) {
	select {
	case ack := <-p.ack.Ok():
		return ack.Sequence, nil
	case err := <-p.ack.Err():
		return 0, p.log.appendError(err)
	case <-ctx.Done():
		return 0, fmt.Errorf("bus: append: %w", ctx.Err())
	}
}

// Ready reports whether Wait would return at once: a caller with many appends on
// their way can gather those that are confirmed.
func (p Pending) Ready() bool { return len(p.ack.Ok()) > 0 || len(p.ack.Err()) > 0 }

func (l *Log) confirmed(jetstream.JetStream, *nats.Msg, *jetstream.PubAck) { l.release() }
func (l *Log) failed(jetstream.JetStream, *nats.Msg, error)                { l.release() }

// release frees a slot. It tolerates that an append which could not be sent is
// reported twice, by the call and by the handler.
func (l *Log) release() {
	select {
	case <-l.slots:
	default:
	}
}

// The server's error codes for a stream that takes no more.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeStorageExceeded       jetstream.ErrorCode = 10047
	codeStoreFailed           jetstream.ErrorCode = 10077 // with the text of the store's own error
)

func (l *Log) appendError(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch {
		case api.ErrorCode == codeInsufficientResources, api.ErrorCode == codeStorageExceeded,
			api.ErrorCode == codeStoreFailed && strings.Contains(api.Description, "maximum bytes"):
			return fmt.Errorf("bus: log %s: %w: %w", l.opt.Name, ErrFull, err)
		}
	}
	return l.unavailable("append", err)
}
