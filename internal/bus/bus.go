// Package bus connects to NATS, embedded or external, and keeps the log there: the
// ordered, partitioned record of everything that was admitted.
//
// # Guarantees of the log
//
// Append returns a sequence after the stream has the record (on a replicated
// stream: after a majority has it). Records of one sensor appended by one caller
// one after the other are read in that order; sequences grow over the whole log
// and are unique in it. A Reader gives every record of its partition from a
// sequence on, in order, without gap or repeat, across lost connections and
// changed leaders.
//
// # Back-pressure
//
// The log is bounded in bytes and refuses what does not fit (ErrFull) instead of
// discarding the oldest: whoever acknowledges only what was appended, slows its
// senders down. AppendAsync blocks when too many appends are unconfirmed. Space
// returns by Purge.
package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options says how to reach NATS: InProcess or URL, not both.
type Options struct {
	// InProcess is a server in this process.
	InProcess nats.InProcessConnProvider
	// URL is one address or several, separated by commas: nats://host:4222, tls://host:4222.
	URL string
	// At most one kind of credential.
	User, Password  string
	Token           string
	CredentialsFile string // user JWT and seed
	// TLS is used for tls:// addresses; nil: the system's roots.
	TLS *tls.Config
	// Name tells the connection apart in the server's monitoring.
	Name string
	// Log receives lost and regained connections; slog.Default() when nil.
	Log *slog.Logger
}

// Bus is a connection that mends itself for as long as it is open. It is safe for
// concurrent use.
type Bus struct {
	conn *nats.Conn
	js   jetstream.JetStream
	log  *slog.Logger
}

const (
	reconnectWait   = 200 * time.Millisecond
	reconnectJitter = 200 * time.Millisecond
	// A silent peer counts as gone after two missed pings.
	pingInterval = 5 * time.Second
	maxPings     = 2
)

// Connect returns when the connection stands, or the error of the first attempt.
func Connect(ctx context.Context, o Options) (*Bus, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	opts, err := o.natsOptions()
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		opts = append(opts, nats.Timeout(max(time.Until(deadline), time.Millisecond)))
	}
	conn, err := nats.Connect(o.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("bus: connect: %w", err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("bus: %w", err)
	}
	return &Bus{conn: conn, js: js, log: o.Log}, nil
}

func (o Options) natsOptions() ([]nats.Option, error) {
	log := o.Log.With("part", "bus")
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil: closed by us
				log.Warn("connection to NATS lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) { log.Info("connection to NATS regained", "server", c.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) {
			subject := ""
			if s != nil {
				subject = s.Subject
			}
			log.Warn("NATS reports an error", "subject", subject, "error", err)
		}),
	}
	switch {
	case o.InProcess != nil && o.URL != "":
		return nil, errors.New("both an embedded server and a URL are given")
	case o.InProcess != nil:
		opts = append(opts, nats.InProcessServer(o.InProcess))
	case o.URL == "":
		return nil, errors.New("neither an embedded server nor a URL is given")
	}
	switch {
	case o.CredentialsFile != "":
		opts = append(opts, nats.UserCredentials(o.CredentialsFile))
	case o.Token != "":
		opts = append(opts, nats.Token(o.Token))
	case o.User != "":
		opts = append(opts, nats.UserInfo(o.User, o.Password))
	}
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	}
	return opts, nil
}

// Conn returns the connection for publishing and subscribing without the log.
func (b *Bus) Conn() *nats.Conn { return b.conn }

// Ping makes a round trip to the server: nil says that it serves.
func (b *Bus) Ping(ctx context.Context) error {
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	return nil
}

// Close sends what is buffered and closes the connection. Unconfirmed appends fail.
func (b *Bus) Close(ctx context.Context) error {
	defer b.conn.Close()
	if !b.conn.IsConnected() {
		return nil
	}
	return b.Ping(ctx)
}
