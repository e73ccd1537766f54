package landing

import (
	"sync"
	"time"
)

// troubleLasts is how long a failure to write counts: longer than the pause before the
// next try, and not for ever, as the partition may have gone to another process.
const troubleLasts = 2 * time.Minute

// trouble is the newest failure to write, until something is written.
type trouble struct {
	mu  sync.Mutex
	err error
	at  time.Time
}

func (t *trouble) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err, t.at = err, time.Now()
}

// Check returns why the storage takes no files, as the last writing of this process had
// it. It asks nobody.
func (l *Lander) Check() error {
	l.trouble.mu.Lock()
	defer l.trouble.mu.Unlock()
	if time.Since(l.trouble.at) > troubleLasts {
		return nil
	}
	return l.trouble.err
}
