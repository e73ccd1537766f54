package graph_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// rawClient is the least that a client of a WebSocket can be: no goroutine and no
// buffer of its own, so that thousands of them cost what the server costs.
type rawClient struct{ net.Conn }

// dialRaw opens a WebSocket of the subprotocol. A receive buffer of some bytes, when it
// is not 0, has the client's end take that little before it is read.
func dialRaw(ctx context.Context, url string, receiveBuffer int) (rawClient, error) {
	d := net.Dialer{Timeout: time.Minute}
	if receiveBuffer > 0 {
		d.Control = func(_, _ string, c syscall.RawConn) (err error) {
			return errors.Join(c.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)
			}), err)
		}
	}
	host := strings.TrimPrefix(url, "http://")
	c, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return rawClient{}, err
	}
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute)) // nothing hangs for ever
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n", host)
	var answer [1]byte
	var head strings.Builder
	for !strings.HasSuffix(head.String(), "\r\n\r\n") { // and nothing beyond
		if _, err := c.Read(answer[:]); err != nil {
			return rawClient{}, err
		}
		head.Write(answer[:])
	}
	if !strings.HasPrefix(head.String(), "HTTP/1.1 101") {
		return rawClient{}, fmt.Errorf("not upgraded: %s", head.String())
	}
	return rawClient{c}, nil
}

// send writes a text frame; its mask is zero, which changes nothing.
func (c rawClient) send(text string) error {
	b := []byte{0x81}
	if len(text) < 126 {
		b = append(b, 0x80|byte(len(text)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(text)))
	}
	_, err := c.Write(append(append(b, 0, 0, 0, 0), text...))
	return err
}

// receive reads one frame into the buffer, which it may let grow, and answers pings.
func (c rawClient) receive(b []byte) ([]byte, error) { return c.receiveBy(c.Conn, b) }

// receiveBy reads through the reader.
func (c rawClient) receiveBy(r io.Reader, b []byte) ([]byte, error) {
	for {
		b = append(b[:0], 0, 0)
		if _, err := io.ReadFull(r, b); err != nil {
			return b, err
		}
		op, size := b[0]&0xf, int(b[1]&0x7f)
		if size >= 126 {
			n := 2
			if size == 127 {
				n = 8
			}
			var long [8]byte
			if _, err := io.ReadFull(r, long[8-n:]); err != nil {
				return b, err
			}
			size = int(binary.BigEndian.Uint64(long[:]))
		}
		if cap(b) < size {
			b = make([]byte, size)
		}
		b = b[:size]
		if _, err := io.ReadFull(r, b); err != nil {
			return b, err
		}
		switch op {
		case 1:
			return b, nil
		case 9:
			if _, err := c.Write([]byte{0x8a, 0x80, 0, 0, 0, 0}); err != nil {
				return b, err
			}
		case 8:
			return b, fmt.Errorf("closed with %d %s", binary.BigEndian.Uint16(b), b[2:])
		}
	}
}

// subscribe opens a session of the actor with one subscription and returns when it was
// acknowledged.
func (c rawClient) subscribe(actor, query string) error {
	if err := c.send(`{"type":"connection_init","payload":{"authorization":"` + actor + `"}}`); err != nil {
		return err
	}
	b, err := c.receive(nil)
	if err != nil || !strings.Contains(string(b), "connection_ack") {
		return fmt.Errorf("not accepted: %s %w", b, err)
	}
	return c.send(fmt.Sprintf(`{"type":"subscribe","id":"1","payload":{"query":%q}}`, query))
}
