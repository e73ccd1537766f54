package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foresight/internal/id"
)

var (
	acme   = id.UUID{1}
	globex = id.UUID{2}
)

// loads records what a follower asked for, and when.
type loads struct {
	mu    sync.Mutex
	begin time.Time
	asked [][]id.UUID
	at    []time.Duration
	fail  int           // so many loads fail
	hold  chan struct{} // when not nil, a load waits for it or for its time to be over
}

func (l *loads) load(ctx context.Context, tenants []id.UUID) error {
	slices.SortFunc(tenants, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	l.mu.Lock()
	l.asked, l.at = append(l.asked, tenants), append(l.at, time.Since(l.begin))
	fails, hold := l.fail > 0, l.hold
	if fails {
		l.fail--
	}
	l.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fails {
		return errors.New("no")
	}
	return nil
}

// holds makes loads wait until the returned function is called.
func (l *loads) holds() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hold := make(chan struct{})
	l.hold = hold
	return func() {
		close(hold)
		synctest.Wait()
	}
}

func (l *loads) fails(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = n
}

// done returns what was loaded, and after how long.
func (l *loads) done() ([][]id.UUID, []time.Duration) {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked, l.at
}

// follow starts a follower in a bubble of synctest; deliver hands it a notice and
// waits until all is quiet.
func follow(t *testing.T, l *loads, refresh time.Duration) (f *Follower, deliver func(table string, tenant id.UUID)) {
	t.Helper()
	notices := make(chan string)
	l.begin = time.Now()
	f = NewFollower(FollowOptions{
		Name: "rules", Tables: []string{"alarm_rules", "tenants"}, Load: l.load, Refresh: refresh, Log: slog.New(slog.DiscardHandler),
		Listen: func(ctx context.Context, deliver func(string)) error {
			for {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case p := <-notices:
					deliver(p)
				}
			}
		},
	})
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return f, func(table string, tenant id.UUID) {
		notices <- fmt.Sprintf(`{"tenant":%q,"table":%q}`, tenant, table)
		synctest.Wait()
	}
}

func equal(t *testing.T, got, want [][]id.UUID) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b []id.UUID) bool { return slices.Equal(a, b) && (a == nil) == (b == nil) }) {
		t.Errorf("loaded %v, want %v", got, want)
	}
}

func TestAFollowerLoadsWhatNoticesName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l loads
		f, deliver := follow(t, &l, time.Hour)
		deliver("alarm_rules", acme)
		deliver("sensors", globex) // not followed
		deliver("tenants", globex)
		deliver("tenants", id.Nil)
		f.notice("")
		synctest.Wait()
		f.Refresh()
		got, _ := l.done()
		equal(t, got, [][]id.UUID{nil, {acme}, {globex}, nil, nil, nil})
	})
}

func TestNoticesDuringALoadCauseOneMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l loads
		_, deliver := follow(t, &l, time.Hour)
		release := l.holds()
		deliver("alarm_rules", acme)
		for range 10 {
			deliver("alarm_rules", globex)
			deliver("alarm_rules", acme)
		}
		release()
		got, _ := l.done()
		equal(t, got, [][]id.UUID{nil, {acme}, {acme, globex}})

		release = l.holds()
		deliver("alarm_rules", acme)
		for i := range manyTenants + 1 {
			deliver("alarm_rules", id.UUID{9, byte(i >> 8), byte(i)})
		}
		release()
		got, _ = l.done()
		equal(t, got[3:], [][]id.UUID{{acme}, nil})
	})
}

func TestAFollowerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l loads
		_, deliver := follow(t, &l, time.Hour)
		l.fails(7)
		deliver("alarm_rules", acme)
		time.Sleep(200 * time.Second) // of the bubble
		got, at := l.done()
		want := []time.Duration{0, 0, 1, 3, 7, 15, 31, 61, 91}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(at, want) {
			t.Errorf("loaded after %v, want %v", at, want)
		}
		equal(t, got, append([][]id.UUID{nil}, slices.Repeat([][]id.UUID{{acme}}, 8)...))

		l.fails(1)
		deliver("tenants", globex)
		time.Sleep(firstReload)
		if _, at = l.done(); at[len(at)-1]-at[len(at)-2] != firstReload {
			t.Errorf("after a success it waits %s", at[len(at)-1]-at[len(at)-2])
		}
	})
}

func TestAFollowerRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l loads
		follow(t, &l, 0)
		l.holds()
		time.Sleep(defaultRefresh + loadTimeout + firstReload)
		got, at := l.done()
		if want := []time.Duration{0, defaultRefresh, defaultRefresh + loadTimeout + firstReload}; !slices.Equal(at, want) {
			t.Errorf("loaded after %v, want %v", at, want)
		}
		equal(t, got, [][]id.UUID{nil, nil, nil})
	})
}

func TestAFollowerListensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l loads
		begun := 0
		f := NewFollower(FollowOptions{Name: "x", Load: l.load, Refresh: time.Hour, Log: slog.New(slog.DiscardHandler),
			Listen: func(context.Context, func(string)) error { begun++; return errors.New("refused") }})
		if err := f.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3500 * time.Millisecond)
		if err := f.Stop(t.Context()); err != nil || begun != 4 {
			t.Errorf("listened %d times in 3.5 s, %v", begun, err)
		}
	})
}

// The bubble fails the test when a goroutine outlives it.
func TestAFollowerThatCannotLoadDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loads{fail: 1}
		f := NewFollower(FollowOptions{Name: "x", Load: l.load,
			Listen: func(ctx context.Context, _ func(string)) error { <-ctx.Done(); return ctx.Err() }})
		if err := f.Start(t.Context()); err == nil {
			t.Error("it started")
		}
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
