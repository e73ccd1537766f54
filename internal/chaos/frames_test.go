package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// alarmFrames is a subscriber of the tenant's alarms at the process of the API. When its
// stream ends it begins again after the last change that it has seen, as clients do.
type alarmFrames struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	counts map[uint64]int // by seq, changes only
	last   *uint64
}

func followAlarms(m *member, token string) (*alarmFrames, error) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &alarmFrames{cancel: cancel, done: make(chan struct{}), counts: map[uint64]int{}}
	opened := make(chan struct{}, 1)
	go func() {
		defer close(f.done)
		for ctx.Err() == nil {
			f.stream(ctx, m, token, opened)
			wait(ctx, 200*time.Millisecond)
		}
	}()
	select {
	case <-opened:
		return f, nil
	case <-time.After(patience):
		f.end()
		return nil, fmt.Errorf("no stream of alarms\n%s", m.out)
	}
}

func (f *alarmFrames) end() {
	f.cancel()
	<-f.done
}

// seen returns how often each transition was received.
func (f *alarmFrames) seen() map[uint64]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make(map[uint64]int, len(f.counts))
	for seq, n := range f.counts {
		out[seq] = n
	}
	return out
}

// stream reads one stream of events to its end.
func (f *alarmFrames) stream(ctx context.Context, m *member, token string, opened chan<- struct{}) {
	f.mu.Lock()
	after := f.last
	f.mu.Unlock()
	body, err := json.Marshal(map[string]any{"query": `subscription($after: Long) { alarms(after: $after) { seq snapshot resync } }`, "variables": map[string]any{"after": after}})
	if err != nil {
		return
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url()+"/graphql", bytes.NewReader(body))
	if err != nil {
		return
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := (&http.Client{Transport: web.Transport}).Do(q) // without a time limit
	if err != nil {
		return
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		select {
		case opened <- struct{}{}:
		default:
		}
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var item struct {
			Data struct {
				Alarms *struct {
					Seq              uint64
					Snapshot, Resync bool
				}
			}
		}
		if json.Unmarshal([]byte(data), &item) != nil || item.Data.Alarms == nil {
			continue
		}
		a := item.Data.Alarms
		f.mu.Lock()
		if !a.Snapshot && !a.Resync {
			f.counts[a.Seq]++
		}
		if f.last == nil || a.Seq > *f.last {
			f.last = &a.Seq
		}
		f.mu.Unlock()
	}
}
