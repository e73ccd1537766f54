package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Stream is the state of one stream of the server.
type Stream struct {
	Name            string
	Messages, Bytes uint64
	MaxBytes        int64 // -1: no limit
	FirstSeq        uint64
	LastSeq         uint64
	LastAt          time.Time // of the newest record; zero when there was none
	Replicas        int
	Leader          string          // "" on a single server, and without one
	Current         int             // copies that have everything, the leader's too
	Consumers       []ConsumerState // those with a name of their own, which outlive a connection
}

// ConsumerState is how far a durable consumer has come.
type ConsumerState struct {
	Name    string
	Pending uint64 // records not delivered yet
	Unacked int    // delivered and not acknowledged yet
}

// Streams returns the state of every stream: the log, and whatever else is kept there.
func (b *Bus) Streams(ctx context.Context) ([]Stream, error) {
	list := b.js.ListStreams(ctx)
	var out []Stream
	for i := range list.Info() {
		s := Stream{Name: i.Config.Name, Messages: i.State.Msgs, Bytes: i.State.Bytes, MaxBytes: i.Config.MaxBytes,
			FirstSeq: i.State.FirstSeq, LastSeq: i.State.LastSeq, LastAt: i.State.LastTime, Replicas: i.Config.Replicas}
		if s.Replicas == 1 {
			s.Current = 1
		}
		if c := i.Cluster; c != nil && s.Replicas > 1 {
			s.Leader, s.Current = c.Leader, 0
			if c.Leader != "" {
				s.Current = 1
			}
			for _, r := range c.Replicas {
				if r.Current && !r.Offline {
					s.Current++
				}
			}
		}
		out = append(out, s)
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("bus: streams: %w: %w", ErrUnavailable, err)
	}
	for i := range out {
		if err := b.consumers(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *Bus) consumers(ctx context.Context, s *Stream) error {
	stream, err := b.js.Stream(ctx, s.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil // it has gone meanwhile
	}
	if err != nil {
		return fmt.Errorf("bus: stream %s: %w: %w", s.Name, ErrUnavailable, err)
	}
	list := stream.ListConsumers(ctx)
	for c := range list.Info() {
		if c.Config.Durable != "" {
			s.Consumers = append(s.Consumers, ConsumerState{c.Config.Durable, c.NumPending, c.NumAckPending})
		}
	}
	if err := list.Err(); err != nil {
		return fmt.Errorf("bus: consumers of %s: %w: %w", s.Name, ErrUnavailable, err)
	}
	return nil
}

// Lag is what of a partition lies behind a checkpoint.
type Lag struct {
	Messages uint64
	Oldest   time.Time // when the log took the first of them; zero when there is none
}

// Lag returns what the partition has beyond the checkpoint, by asking the server.
func (l *Log) Lag(ctx context.Context, partition int, checkpoint uint64) (lag Lag, err error) {
	r, err := l.Read(partition, checkpoint+1)
	if err != nil {
		return Lag{}, err
	}
	r.inactive = requestLimit
	if err := r.begin(ctx); err != nil {
		return Lag{}, err
	}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	if r.pending == 0 {
		return Lag{}, nil
	}
	m, err := l.stream.GetMsg(ctx, checkpoint+1, jetstream.WithGetMsgSubject(l.ofPartition(partition)))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Lag{}, nil // purged meanwhile: it is done
	case err != nil:
		return Lag{}, l.unavailable("lag", err)
	}
	return Lag{r.pending, m.Time}, nil
}

// ExistingLog opens a log as it is, to look at it; ErrNoLog when there is none.
func ExistingLog(ctx context.Context, b *Bus, name string) (*Log, error) {
	s, err := b.js.Stream(ctx, name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("%w: %s", ErrNoLog, name)
	case err != nil:
		return nil, fmt.Errorf("bus: log %s: %w: %w", name, ErrUnavailable, err)
	}
	c := s.CachedInfo().Config
	partitions, err := strconv.Atoi(c.Metadata[partitionsKey])
	if err != nil || len(c.Subjects) != 1 {
		return nil, fmt.Errorf("%w: %s is a stream of another kind", ErrNoLog, name)
	}
	prefix, _, _ := strings.Cut(c.Subjects[0], ".")
	l := &Log{opt: LogOptions{Name: name, Prefix: prefix, Partitions: partitions}.withDefaults(), stream: s, api: b.js}
	l.slots = make(chan struct{}, l.opt.MaxInFlight)
	return l, nil
}

// ErrNoLog says that no log has the name.
var ErrNoLog = errors.New("bus: no such log")
