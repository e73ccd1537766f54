package bus

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"foresight/internal/id"
)

// Backlog is how many records a log holds, by tenant and sensor; those that have none are
// not there.
type Backlog map[id.UUID]map[id.UUID]uint64

// Backlog returns how many records of each sensor the log holds. It asks for every
// subject, of which there is one for each sensor with a record: for logs that are
// mostly empty.
func (l *Log) Backlog(ctx context.Context) (Backlog, error) {
	info, err := l.ask(ctx)
	if err != nil {
		return nil, l.unavailable("backlog", err)
	}
	out := Backlog{}
	if info.State.Msgs == 0 {
		return out, nil
	}
	if info, err = l.ask(ctx, jetstream.WithSubjectFilter(l.opt.Prefix+".>")); err != nil {
		return nil, l.unavailable("backlog", err)
	}
	for subject, n := range info.State.Subjects {
		_, tenant, sensor, err := ParseSubject(subject)
		if err != nil {
			return nil, err
		}
		if out[tenant] == nil {
			out[tenant] = map[id.UUID]uint64{}
		}
		out[tenant][sensor] += n
	}
	return out, nil
}

// ReadTenant returns a reader of the tenant's records in all partitions, in the order
// of the log.
func (l *Log) ReadTenant(tenant id.UUID, from uint64) *Reader {
	return l.reader(l.ofTenant(tenant), from)
}

// RemoveTenant removes the tenant's records whose sequence is below.
func (l *Log) RemoveTenant(ctx context.Context, tenant id.UUID, below uint64) error {
	err := l.stream.Purge(ctx, jetstream.WithPurgeSubject(l.ofTenant(tenant)), jetstream.WithPurgeSequence(below))
	if err != nil {
		return l.unavailable("remove", err)
	}
	return nil
}
