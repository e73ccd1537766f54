package bus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"foresight/internal/fault"
)

var (
	// ErrFull says that the log has reached its byte limit. It clears by itself
	// when the workers have caught up and the log was purged.
	ErrFull = fault.New(fault.Unavailable, "error.log.full")
	// ErrUnavailable says that the log did not confirm: the server is gone, has no
	// leader or is too slow. The record may be in the log nevertheless.
	ErrUnavailable = fault.New(fault.Unavailable, "error.log.unavailable")
	// ErrPartitions says that the log was made with another number of partitions.
	ErrPartitions = errors.New("bus: the log has another number of partitions")
)

// LogOptions says what the log is like. The zero value is a log of the live
// readings on one server.
type LogOptions struct {
	Name       string // of the stream; "READINGS"
	Prefix     string // first token of the subjects; "readings"
	Partitions int    // 16; fixed when the log is made
	Replicas   int    // 1; 3 on a cluster
	MaxBytes   int64  // 1 GiB
	// MaxInFlight bounds the unconfirmed appends of this process; 4096.
	MaxInFlight int
	// AckTimeout bounds the wait for one confirmation; 2 s. A cluster that has lost its
	// leader has no other for 2.5 s at least (package natsd; NATS's own servers, 3 s): what was on its way to the one that died has
	// failed, and its sender has stopped, before the next one could take anything that
	// was sent behind it.
	AckTimeout time.Duration
	// Identify returns a message id; the server keeps only the first record of an
	// id within Duplicates (and confirms the others with its sequence). nil: none.
	Identify   func(data []byte) string
	Duplicates time.Duration // 2 min
}

func (o LogOptions) withDefaults() LogOptions {
	if o.Name == "" {
		o.Name = "READINGS"
	}
	if o.Prefix == "" {
		o.Prefix = "readings"
	}
	if o.Partitions == 0 {
		o.Partitions = 16
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 4096
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = 2 * time.Second
	}
	if o.Duplicates == 0 {
		o.Duplicates = 2 * time.Minute
	}
	return o
}

// Log is the partitioned, ordered record of everything admitted: a JetStream
// stream with subjects `{prefix}.{partition}.{tenant}.{sensor}`. It is safe for
// concurrent use.
type Log struct {
	opt    LogOptions
	stream jetstream.Stream
	api    jetstream.JetStream // of its own: its handlers free the slots
	slots  chan struct{}       // one element per unconfirmed append
}

const partitionsKey = "partitions"

// OpenLog makes the stream or opens it, with the limits given. It waits up to two
// minutes for a cluster to elect.
func OpenLog(ctx context.Context, b *Bus, o LogOptions) (*Log, error) {
	l := &Log{opt: o.withDefaults()}
	l.slots = make(chan struct{}, l.opt.MaxInFlight)
	var err error
	l.api, err = jetstream.New(b.conn,
		jetstream.WithPublishAsyncTimeout(l.opt.AckTimeout),
		jetstream.WithPublishAsyncMaxPending(2*l.opt.MaxInFlight), // never reached: slots are fewer
		jetstream.WithPublishAsyncAckHandler(l.confirmed),
		jetstream.WithPublishAsyncErrHandler(l.failed),
	)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	if l.stream, err = l.ensureStream(ctx); err != nil {
		return nil, fmt.Errorf("bus: log %s: %w", l.opt.Name, err)
	}
	return l, nil
}

// openWithin bounds the wait for a leader; tryWithin one question for the stream.
const (
	openWithin = 2 * time.Minute
	tryWithin  = 5 * time.Second
	tryPause   = 500 * time.Millisecond
)

// ensureStream waits for a cluster that has no leader, as it is new or has lost a
// server: several processes start together with it.
func (l *Log) ensureStream(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	for {
		s, err := l.tryStream(ctx)
		if err == nil || !leaderless(err) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(tryPause):
		}
	}
}

// leaderless reports an error that passes when the cluster has elected.
func leaderless(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.As(err, &api) && api.Code == http.StatusServiceUnavailable
}

func (l *Log) tryStream(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	want := strconv.Itoa(l.opt.Partitions)
	s, err := l.api.Stream(ctx, l.opt.Name)
	switch {
	case err == nil:
		if have := s.CachedInfo().Config.Metadata[partitionsKey]; have != want {
			return nil, fmt.Errorf("%w: %s, not %s", ErrPartitions, have, want)
		}
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, err
	}
	return l.api.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:       l.opt.Name,
		Subjects:   []string{l.opt.Prefix + ".*.*.*"},
		Storage:    jetstream.FileStorage,
		Replicas:   l.opt.Replicas,
		MaxBytes:   l.opt.MaxBytes,
		Discard:    jetstream.DiscardNew, // refuse the new; the default throws away what was acknowledged
		Duplicates: l.opt.Duplicates,
		// Every look-up goes to the leader: Purge must not believe a follower that
		// lags.
		AllowDirect: false,
		Metadata:    map[string]string{partitionsKey: want},
	})
}

// Partitions returns the number of partitions.
func (l *Log) Partitions() int { return l.opt.Partitions }

// Identity names this incarnation of the log: a sequence means something only
// together with it. Checkpoints keep it; a mismatch says that the log was made anew.
func (l *Log) Identity(ctx context.Context) (string, error) {
	info, err := l.ask(ctx)
	if err != nil {
		return "", l.unavailable("identity", err)
	}
	return info.Created.UTC().Format(time.RFC3339Nano), nil
}

// Info is the state of the log.
type Info struct {
	Messages, Bytes   uint64
	MaxBytes          int64
	FirstSeq, LastSeq uint64 // of the whole log; FirstSeq is LastSeq+1 when it is empty
	InFlight          int    // unconfirmed appends of this process
}

// Info asks the server for the state of the log.
func (l *Log) Info(ctx context.Context) (Info, error) {
	i, err := l.ask(ctx)
	if err != nil {
		return Info{}, l.unavailable("info", err)
	}
	return Info{
		Messages: i.State.Msgs, Bytes: i.State.Bytes, MaxBytes: i.Config.MaxBytes,
		FirstSeq: i.State.FirstSeq, LastSeq: i.State.LastSeq, InFlight: len(l.slots),
	}, nil
}

// errLeaderless says that nobody leads the log, so that it takes nothing.
var errLeaderless = errors.New("the log has no leader")

// ask asks the leader for the state of the stream. Without one a follower answers, which
// may lag, and cannot take anything.
func (l *Log) ask(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	info, err := l.stream.Info(ctx, opts...)
	if err == nil && info.Cluster != nil && info.Config.Replicas > 1 && info.Cluster.Leader == "" {
		return nil, errLeaderless
	}
	return info, err
}

func (l *Log) unavailable(what string, err error) error {
	return fmt.Errorf("bus: log %s: %s: %w: %w", l.opt.Name, what, ErrUnavailable, err)
}
