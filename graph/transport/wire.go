package transport

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the network connection below a WebSocket. Data frames are written to it as
// they are, many at once: coder/websocket does the handshake, reads, and writes control
// frames. Each Write holds whole frames, so that the two do not mix.
type wire struct {
	net.Conn
	timeout time.Duration // of a Write
	until   atomic.Int64  // Unix nanoseconds by which every Write is done; 0: none
	early   []byte        // what the HTTP server had read already

	mu sync.Mutex
}

// Sizes of the buffers between WebSocket and network, of which every connection has
// its own: messages of clients are short and rare, and control frames have 131 bytes
// at most.
const (
	readBuffer  = 512
	writeBuffer = 144
)

// Write implements io.Writer.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline := time.Now().Add(w.timeout)
	if until := w.until.Load(); until != 0 && until < deadline.UnixNano() {
		deadline = time.Unix(0, until)
	}
	if err := w.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}

// hurry bounds all that is written from now on, the present Write included.
func (w *wire) hurry(d time.Duration) {
	until := time.Now().Add(d)
	w.until.Store(until.UnixNano())
	_ = w.SetWriteDeadline(until) // of a connection that may be closed
}

// Read implements io.Reader.
func (w *wire) Read(b []byte) (int, error) {
	if len(w.early) > 0 {
		n := copy(b, w.early)
		if w.early = w.early[n:]; len(w.early) == 0 {
			w.early = nil
		}
		return n, nil
	}
	return w.Conn.Read(b)
}

// hijacker hands a wire and small buffers over in place of the HTTP server's.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, b, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire.Conn = c
	if n := b.Reader.Buffered(); n > 0 {
		h.wire.early = make([]byte, n)
		_, _ = b.Reader.Read(h.wire.early) // as many as are buffered
	}
	return h.wire, bufio.NewReadWriter(bufio.NewReaderSize(h.wire, readBuffer), bufio.NewWriterSize(h.wire, writeBuffer)), nil
}

// The first bytes of frames of a server, after RFC 6455, 5.2: final, not masked.
const (
	textFrame = 0x80 | 0x1
	pingFrame = 0x80 | 0x9
)

// appendFrameHeader appends the header of a text frame with so many bytes.
func appendFrameHeader(b []byte, size int) []byte {
	b = append(b, textFrame)
	switch {
	case size < 126:
		return append(b, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
}
