package training

import (
	"fmt"
	"sync"
	"time"
)

// What is kept of a log: its beginning, which says what was done, and its end, which
// says what came of it. Bytes.
const (
	logHead = 64 << 10
	logTail = 192 << 10
	logMax  = logHead + logTail + 1<<10
)

// runLog is the log of a run, of bounded size. It is safe for concurrent use.
type runLog struct {
	mu      sync.Mutex
	head    []byte
	tail    []byte
	dropped int // bytes between them
}

// Write implements io.Writer.
func (l *runLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(b)
	if room := logHead - len(l.head); room > 0 {
		k := min(room, len(b))
		l.head, b = append(l.head, b[:k]...), b[k:]
	}
	l.tail = append(l.tail, b...)
	if over := len(l.tail) - logTail; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
		l.dropped += over
	}
	return n, nil
}

// say adds a line of ours, with the time.
func (l *runLog) say(format string, args ...any) {
	fmt.Fprintf(l, "%s %s\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
}

// Bytes returns what is kept.
func (l *runLog) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := append([]byte(nil), l.head...)
	if l.dropped > 0 {
		out = fmt.Appendf(out, "\n[%d bytes left out]\n", l.dropped)
	}
	return append(out, l.tail...)
}
