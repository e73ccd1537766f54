package transport

import (
	"fmt"
	"sync"
	"time"
)

// A writer writes so many frames, or about so many bytes, at once, if that many wait.
const (
	framesAtOnce = 64
	bytesAtOnce  = 64 << 10
)

// scratch is what a writer needs while it writes.
type scratch struct {
	frames []frame
	b      []byte
}

var scratches = sync.Pool{New: func() any { return &scratch{frames: make([]frame, 0, framesAtOnce), b: make([]byte, 0, 4<<10)} }}

// write writes what waits and returns when nothing does. It is the only writer of
// messages. A write that is not done in time leaves a torn frame, so the connection is
// over.
func (c *conn) write() {
	s := scratches.Get().(*scratch)
	defer func() {
		if cap(s.b) <= 2*bytesAtOnce {
			scratches.Put(s)
		}
	}()
	for {
		s.frames = c.box.take(s.frames[:0], framesAtOnce)
		if len(s.frames) == 0 {
			return
		}
		if err := c.writeFrames(s); err != nil {
			c.torn.Store(true)
			c.box.gaveUp()
			c.cancel(fmt.Errorf("%w: %w", errGone, err))
			return
		}
	}
}

func (c *conn) writeFrames(s *scratch) (err error) {
	defer clear(s.frames)
	s.b = s.b[:0]
	begin, first := time.Now(), 0
	for i, f := range s.frames {
		if f.op == nil || !f.op.over.Load() {
			s.b = appendMessage(s.b, f)
		}
		if len(s.b) > 0 && (i == len(s.frames)-1 || len(s.b) >= bytesAtOnce) {
			if _, err := c.wire.Write(s.b); err != nil {
				return err
			}
			c.t.c.Frames.written(c.ctx, bySocket, s.frames[first:i+1], begin)
			s.b, begin, first = s.b[:0], time.Now(), i+1
		}
	}
	return nil
}

// appendMessage appends the message in a frame. The payload of an item is the same for
// all who get it; the envelope names the operation of this client.
func appendMessage(b []byte, f frame) []byte {
	if f.item == nil {
		return append(appendFrameHeader(b, len(f.b)), f.b...)
	}
	b = appendFrameHeader(b, len(f.op.prefix)+len(f.item.Payload)+1)
	b = append(append(b, f.op.prefix...), f.item.Payload...)
	return append(b, '}')
}
