package mqtt_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

// wire is an MQTT client that sends and sees bytes, for what a library hides: the
// order of acknowledgements and their absence.
type wire struct {
	net.Conn
	r  *bufio.Reader
	v5 bool
}

const (
	connack    = 2
	puback     = 4
	pubrec     = 5
	pubcomp    = 7
	disconnect = 14
)

func dial(t testing.TB, addr string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(3 * within)) // for all that the test does with it
	return &wire{Conn: c, r: bufio.NewReader(c)}
}

// logIn connects and returns the code of the CONNACK.
func (w *wire) logIn(t testing.TB, version byte, client, user, password string) byte {
	t.Helper()
	w.connect(t, version, client, user, password)
	return w.connected(t)
}

func (w *wire) connect(t testing.TB, version byte, client, user, password string) {
	t.Helper()
	w.v5 = version == 5
	body := text(nil, "MQTT")
	body = append(body, version, 0xc2, 0, 0)
	if w.v5 {
		body = append(body, 0)
	}
	body = text(text(text(body, client), user), password)
	w.send(t, packet(0x10, body))
}

// connected reads the answer to a CONNECT, and returns its code.
func (w *wire) connected(t testing.TB) byte {
	t.Helper()
	kind, answer := w.read(t)
	if kind != connack || len(answer) < 2 {
		t.Fatalf("packet %d %v instead of CONNACK", kind, answer)
	}
	return answer[1]
}

func logged(t testing.TB, addr string, version byte, user string) *wire {
	t.Helper()
	w := dial(t, addr)
	if code := w.logIn(t, version, "c-"+user, user, password); code != 0 {
		t.Fatalf("log-in refused: %d", code)
	}
	return w
}

// publish returns the bytes of a PUBLISH.
func (w *wire) publish(topic string, qos byte, id uint16, payload string) []byte {
	body := text(nil, topic)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	if w.v5 {
		body = append(body, 0)
	}
	return packet(0x30|qos<<1, append(body, payload...))
}

func (w *wire) send(t testing.TB, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}

// next reads a packet; an error is what a closed connection gives.
func (w *wire) next() (kind byte, body []byte, err error) {
	first, err := w.r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	n, shift := 0, 0
	for {
		b, err := w.r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		n |= int(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			break
		}
	}
	body = make([]byte, n)
	_, err = io.ReadFull(w.r, body)
	return first >> 4, body, err
}

func (w *wire) read(t testing.TB) (kind byte, body []byte) {
	t.Helper()
	kind, body, err := w.next()
	if err != nil {
		t.Fatal(err)
	}
	return kind, body
}

// ack reads an acknowledgement of the kind: its packet id and reason (0 in MQTT 3).
func (w *wire) ack(t testing.TB, kind byte) (id uint16, reason byte) {
	t.Helper()
	k, body := w.read(t)
	if k != kind || len(body) < 2 {
		t.Fatalf("packet %d %v instead of %d", k, body, kind)
	}
	if len(body) > 2 {
		reason = body[2]
	}
	return binary.BigEndian.Uint16(body), reason
}

// closed reads until the connection ends and returns the kinds of the packets before.
func (w *wire) closed(t testing.TB) (kinds []byte) {
	t.Helper()
	for {
		k, _, err := w.next()
		if err != nil {
			if n, ok := err.(net.Error); ok && n.Timeout() {
				t.Fatal("the connection is still open")
			}
			return kinds
		}
		kinds = append(kinds, k)
	}
}

func packet(first byte, body []byte) []byte {
	out := []byte{first}
	for n := len(body); ; {
		b := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			out = append(out, b|0x80)
			continue
		}
		out = append(out, b)
		break
	}
	return append(out, body...)
}

func text(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}
