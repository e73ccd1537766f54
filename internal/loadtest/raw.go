package loadtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
)

// rawSender speaks the part of MQTT 3.1.1 that publishing needs.
type rawSender struct {
	conn  net.Conn
	out   *bufio.Writer
	slots chan struct{}         // one element per unacknowledged message
	sent  [1 << 16]atomic.Int64 // by packet id: the message
	next  uint16
	busy  atomic.Int64 // unacknowledged, with those not yet sent

	acked func(i int)
	ended chan struct{} // the reader has ended
	err   error         // why; read after ended
	calm  chan struct{} // has an element when nothing is unacknowledged
}

// The packets.
const (
	packetConnect    = 0x10
	packetConnack    = 0x20
	packetPublish1   = 0x32 // QoS 1
	packetPuback     = 0x40
	packetDisconnect = 0xe0

	cleanSession    = 0x02
	withPassword    = 0x40
	withUsername    = 0x80
	protocolVersion = 4

	gathered = 64 << 10 // bytes written at once
)

func dialRaw(ctx context.Context, t target, clientID string, acked func(i int)) (sender, error) {
	conn, err := dialBroker(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("loadtest: connect to %s: %w", t.broker, err)
	}
	r := &rawSender{conn: conn, out: bufio.NewWriterSize(conn, gathered), slots: make(chan struct{}, min(t.window, 1<<16-1)), acked: acked,
		ended: make(chan struct{}), calm: make(chan struct{}, 1)}
	in := bufio.NewReaderSize(conn, gathered)
	if err := r.connect(in, t, clientID); err != nil {
		return nil, errors.Join(fmt.Errorf("loadtest: connect to %s: %w", t.broker, err), conn.Close())
	}
	go func() {
		defer close(r.ended)
		r.err = r.read(in)
	}()
	return r, nil
}

func dialBroker(ctx context.Context, t target) (net.Conn, error) {
	u, err := url.Parse(t.broker)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "tcp", "mqtt":
		return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	case "ssl", "tls", "mqtts":
		return (&tls.Dialer{Config: t.tls}).DialContext(ctx, "tcp", u.Host)
	}
	return nil, fmt.Errorf("scheme %q: want tcp or ssl", u.Scheme)
}

func (r *rawSender) connect(in *bufio.Reader, t target, clientID string) error {
	flags := byte(cleanSession)
	fields := []string{clientID}
	if t.username != "" {
		flags |= withUsername | withPassword
		fields = append(fields, t.username, t.password)
	}
	b := append(appendText(nil, "MQTT"), protocolVersion, flags, 0, 0) // no keep-alive
	for _, s := range fields {
		b = appendText(b, s)
	}
	if _, err := r.conn.Write(append(appendLength([]byte{packetConnect}, len(b)), b...)); err != nil {
		return err
	}
	var answer [4]byte
	if _, err := io.ReadFull(in, answer[:]); err != nil {
		return err
	}
	if answer[0] != packetConnack || answer[3] != 0 {
		return fmt.Errorf("refused with code %d", answer[3])
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// appendLength appends a remaining length (MQTT 3.1.1, section 2.2.3).
func appendLength(b []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func (r *rawSender) publish(ctx context.Context, i int, topic string, payload []byte) error {
	select {
	case r.slots <- struct{}{}:
	default: // the window is full: what is gathered must go out first
		if err := r.flush(); err != nil {
			return err
		}
		select {
		case r.slots <- struct{}{}:
		case <-r.ended:
			return fmt.Errorf("loadtest: connection lost: %w", r.err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.next++; r.next == 0 {
		r.next = 1
	}
	r.sent[r.next].Store(int64(i))
	r.busy.Add(1)
	var head [8]byte
	b := appendLength(append(head[:0], packetPublish1), 2+len(topic)+2+len(payload))
	b = binary.BigEndian.AppendUint16(b, uint16(len(topic)))
	_, _ = r.out.Write(b) // errors stay with the writer until the flush
	_, _ = r.out.WriteString(topic)
	_, _ = r.out.Write(binary.BigEndian.AppendUint16(head[:0], r.next))
	_, err := r.out.Write(payload)
	return err
}

func (r *rawSender) flush() error { return r.out.Flush() }

// read takes the acknowledgements; a server sends nothing else to who only publishes.
func (r *rawSender) read(in *bufio.Reader) error {
	var p [4]byte
	for {
		if _, err := io.ReadFull(in, p[:]); err != nil {
			return err
		}
		if p[0] != packetPuback || p[1] != 2 {
			return fmt.Errorf("an unexpected packet %#x", p[0])
		}
		r.acked(int(r.sent[binary.BigEndian.Uint16(p[2:])].Load()))
		<-r.slots
		if r.busy.Add(-1) == 0 {
			select {
			case r.calm <- struct{}{}:
			default:
			}
		}
	}
}

func (r *rawSender) settle(ctx context.Context) error {
	if err := r.flush(); err != nil {
		return err
	}
	for r.busy.Load() > 0 {
		select {
		case <-r.calm:
		case <-r.ended:
			return fmt.Errorf("loadtest: connection lost: %w", r.err)
		case <-ctx.Done():
			return errors.New("loadtest: not all messages were acknowledged")
		}
	}
	return nil
}

func (r *rawSender) close() {
	_, _ = r.conn.Write([]byte{packetDisconnect, 0}) // a farewell
	_ = r.conn.Close()
	<-r.ended
}
