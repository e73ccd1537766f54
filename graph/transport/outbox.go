package transport

import (
	"context"
	"slices"
	"sync"

	"foresight/graph/share"
)

// outbox is what waits to be written to one client, in order and bounded. While it is
// empty nothing is at work for the client: wake is called when there is something to
// write and no writer, which takes what there is until there is nothing.
type outbox struct {
	wake func()

	mu      sync.Mutex
	frames  []frame
	writing bool          // between wake and the take that finds nothing
	shut    bool          // takes nothing in
	room    chan struct{} // closed when there may be room; nil while nobody waits
	idle    chan struct{} // closed when nothing is written any longer; nil while nobody waits
}

// frame is a message in the outbox; one of an operation is dropped when the client has
// completed it meanwhile, so that its id can be used again.
type frame struct {
	op   *operation  // nil: of the connection
	b    []byte      // the message; nil where item is given
	item *share.Item // the payload of a `next`
}

// put waits until fewer than most frames are waiting. It returns false when the context
// or the client's time ends first.
func (o *outbox) put(ctx context.Context, f frame, most int) bool {
	for {
		o.mu.Lock()
		if o.shut {
			o.mu.Unlock()
			return false
		}
		if len(o.frames) < most {
			o.add(f)
			return true
		}
		if o.room == nil {
			o.room = make(chan struct{})
		}
		room := o.room
		o.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return false
		}
	}
}

// add appends the frame and unlocks.
func (o *outbox) add(f frame) {
	o.frames = append(o.frames, f)
	wake := !o.writing
	o.writing = true
	o.mu.Unlock()
	if wake {
		o.wake()
	}
}

// offer adds an item without waiting. Where most of the operation's wait already and
// gap is given, the older of the same subject, or else the oldest, makes room, and gap
// tells of it in its place. Without gap the answer is false, and nothing was added.
func (o *outbox) offer(op *operation, i, gap *share.Item, most int) bool {
	o.mu.Lock()
	if o.shut {
		o.mu.Unlock()
		return true // it is all the same now
	}
	if len(o.frames) >= most && o.waiting(op) >= most {
		if gap == nil {
			o.mu.Unlock()
			return false
		}
		o.makeRoom(op, i, gap)
		op.frames.leftOut()
	}
	o.add(frame{op: op, item: i})
	return true
}

func (o *outbox) waiting(op *operation) (n int) {
	for k := range o.frames {
		if o.frames[k].op == op {
			n++
		}
	}
	return n
}

// makeRoom takes one item of the operation away, and has gap stand where items went.
func (o *outbox) makeRoom(op *operation, i, gap *share.Item) {
	if !slices.ContainsFunc(o.frames, func(f frame) bool { return f.op == op && f.item == gap }) {
		if at := o.spare(op, i, gap); at >= 0 {
			o.frames[at].item = gap
		}
	}
	if at := o.spare(op, i, gap); at >= 0 {
		o.frames = slices.Delete(o.frames, at, at+1)
	}
}

// spare finds the item that is best left out: the older one of the same subject, or
// else the oldest; -1: there is none.
func (o *outbox) spare(op *operation, i, gap *share.Item) int {
	oldest := -1
	for k, f := range o.frames {
		if f.op != op || f.item == nil || f.item == gap {
			continue
		}
		if i.About != nil && f.item.About == i.About {
			return k
		}
		if oldest < 0 {
			oldest = k
		}
	}
	return oldest
}

// take moves what waits, up to most frames, into the buffer. When there is nothing the
// writer's work is over.
func (o *outbox) take(into []frame, most int) []frame {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(most, len(o.frames))
	into = append(into, o.frames[:n]...)
	if n == len(o.frames) {
		clear(o.frames)
		o.frames = o.frames[:0]
		if cap(o.frames) > keptFrames {
			o.frames = nil
		}
	} else {
		o.frames = slices.Delete(o.frames, 0, n)
	}
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
	if n == 0 {
		o.rest()
	}
	return into
}

// keptFrames bounds the room that is kept for frames to come.
const keptFrames = 16

// rest notes that nothing is being written; the lock is held.
func (o *outbox) rest() {
	o.writing = false
	if o.idle != nil {
		close(o.idle)
		o.idle = nil
	}
}

// gaveUp is called by a writer whose client cannot be reached.
func (o *outbox) gaveUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget()
	o.rest()
}

// close takes nothing in any longer. What waits is written, or forgotten. It returns
// when nothing is written any longer.
func (o *outbox) close(forget bool) {
	o.mu.Lock()
	o.shut = true
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
	if forget {
		o.forget()
	}
	if !o.writing {
		o.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	o.idle = idle
	o.mu.Unlock()
	<-idle
}

// forget drops what waits; the lock is held.
func (o *outbox) forget() {
	o.shut = true
	o.frames = nil
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}
