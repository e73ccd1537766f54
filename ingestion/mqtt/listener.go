package mqtt

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// listener bounds the number of connections and the time until a client has logged
// in, survives errors of accept that pass, and can close what it has accepted.
type listener struct {
	net.Listener
	max       int
	handshake time.Duration
	refused   prometheus.Counter

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func newListener(l net.Listener, max int, handshake time.Duration, refused prometheus.Counter) *listener {
	return &listener{Listener: l, max: max, handshake: handshake, refused: refused, conns: map[*conn]struct{}{}}
}

// Accept returns an error only when the listener is closed: the server ends at the first.
func (l *listener) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; {
		raw, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil { // no descriptors, an aborted connection
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		if c := l.keep(raw); c != nil {
			// The server lifts the deadline when the client has logged in.
			_ = c.SetDeadline(time.Now().Add(l.handshake))
			return c, nil
		}
		l.refused.Inc()
		_ = raw.Close()
	}
}

func (l *listener) keep(raw net.Conn) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.max {
		return nil
	}
	c := &conn{Conn: raw, of: l}
	l.conns[c] = struct{}{}
	return c
}

func (l *listener) closeConns() {
	l.mu.Lock()
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

type conn struct {
	net.Conn
	of *listener
}

// Close forgets the connection; it may be called often.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
