package admit

import (
	"context"

	"foresight/internal/bus"
	"foresight/internal/id"
)

// Log is the durable, partitioned record of everything admitted.
type Log interface {
	// AppendAsync sends a record and returns while it is on its way; records of one
	// caller reach the log in the order of the calls. It may block while too many
	// are unconfirmed. The data must not change before Wait has returned.
	AppendAsync(ctx context.Context, partition int, tenant, sensor id.UUID, data []byte) (Pending, error)
	// Partitions is the number of partitions.
	Partitions() int
}

// Pending is an append that is on its way.
type Pending interface {
	// Wait returns the record's sequence once the log has it. An error says that
	// the log may not have it. It is called once, and returns in bounded time.
	Wait(ctx context.Context) (seq uint64, err error)
	// Ready reports whether Wait would return at once.
	Ready() bool
}

// BusLog makes a Log of the bus's.
func BusLog(l *bus.Log) Log { return busLog{l} }

type busLog struct{ *bus.Log }

func (l busLog) AppendAsync(ctx context.Context, partition int, tenant, sensor id.UUID, data []byte) (Pending, error) {
	return l.Log.AppendAsync(ctx, partition, tenant, sensor, data)
}
