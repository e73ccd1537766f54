package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/embedded/natsd"
	"foresight/internal/testkit"
)

// restartable is an embedded server that can be taken down and brought up on the
// same store while clients stay connected to it.
type restartable struct {
	dir string
	mu  sync.Mutex
	srv *natsd.Server
}

func (r *restartable) InProcessConn() (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.srv == nil {
		return nil, errors.New("the server is down")
	}
	return r.srv.InProcessConn()
}

func (r *restartable) up(t *testing.T) {
	t.Helper()
	s := natsd.New(natsd.Options{StoreDir: r.dir, Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.srv = s
}

func (r *restartable) down(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	s := r.srv
	r.srv = nil
	r.mu.Unlock()
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func newRestartable(t *testing.T) *restartable {
	r := &restartable{dir: t.TempDir()}
	r.up(t)
	t.Cleanup(func() { r.down(t) })
	return r
}

// checkOrder fails unless the records are 0, 1, 2, …
func checkOrder(t *testing.T, got []Entry) {
	t.Helper()
	for i, e := range got {
		if string(e.Data) != fmt.Sprint(i) {
			t.Fatalf("record %d is %q", i, e.Data)
		}
		if i > 0 && e.Seq <= got[i-1].Seq {
			t.Fatalf("sequence %d after %d", e.Seq, got[i-1].Seq)
		}
	}
}

func TestReaderGoesOnAfterARestart(t *testing.T) {
	server := newRestartable(t)
	// One that failed may be in the log, and is appended again: it counts once.
	l := openLogOn(t, connect(t, Options{InProcess: server}), LogOptions{Partitions: 1, Identify: func(data []byte) string { return string(data) }})
	r, err := l.Read(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []Entry
	for round := range 3 {
		for i := range 50 {
			testkit.Eventually(t, testkit.Patience, func() bool { // the first after a restart may fail
				_, err := l.Append(t.Context(), 0, tenantA, sensorA, fmt.Append(nil, round*50+i))
				return err == nil
			})
		}
		got = append(got, readN(t, r, 25)...)
		if round < 2 {
			server.down(t)
			server.up(t)
		}
		got = append(got, readN(t, r, 25)...)
	}
	checkOrder(t, got)
}

func TestAppendFailsBoundedWhileTheServerIsDown(t *testing.T) {
	server := newRestartable(t)
	l := openLogOn(t, connect(t, Options{InProcess: server}), LogOptions{MaxInFlight: 8, AckTimeout: 300 * time.Millisecond})
	server.down(t)
	var pending []Pending
	for range 8 {
		p, err := l.AppendAsync(t.Context(), 0, tenantA, sensorA, []byte("x"))
		if errors.Is(err, ErrUnavailable) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
	}
	for _, p := range pending {
		if _, err := p.Wait(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return len(l.slots) == 0 })
	server.up(t)
	testkit.Eventually(t, testkit.Patience, func() bool {
		_, err := l.Append(t.Context(), 0, tenantA, sensorA, []byte("y"))
		return err == nil
	})
}

func TestAppendBlocksWhenTooMuchIsInFlight(t *testing.T) {
	server := newRestartable(t)
	l := openLogOn(t, connect(t, Options{InProcess: server}), LogOptions{MaxInFlight: 2, AckTimeout: time.Minute})
	l.slots <- struct{}{}
	l.slots <- struct{}{} // as if two were on their way
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.AppendAsync(ctx, 0, tenantA, sensorA, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third append: %v", err)
	}
	<-l.slots
	if _, err := l.Append(t.Context(), 0, tenantA, sensorA, nil); err != nil {
		t.Errorf("with a slot free: %v", err)
	}
}

func TestForgottenReaderGoesOn(t *testing.T) {
	const n = 4 * flowBuffer // more than a reader that stalls asks for
	l := openLog(t, LogOptions{Partitions: 1})
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			if _, err := l.AppendAsync(t.Context(), 0, tenantA, sensorA, fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(0, n)
	r, err := l.Read(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	r.inactive = 100 * time.Millisecond
	got := readN(t, r, 2)
	testkit.Eventually(t, testkit.Patience, func() bool { // the worker stalls; the server forgets
		info, err := l.stream.Info(t.Context())
		return err == nil && info.State.Consumers == 0
	})
	fill(n, n+3)
	checkOrder(t, append(got, readN(t, r, n+1)...))
}

// The last records of a batch can be lost on the way with none behind them.
func TestLostTailIsReadAgain(t *testing.T) {
	l := openLog(t, LogOptions{Partitions: 1})
	r, err := l.Read(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, l, 0, "0")
	got := readN(t, r, 1)
	appendTo(t, l, 0, "1")
	lose(t, r, "1")
	r.verified = time.Now().Add(-readerVerify)
	if err := r.verify(t.Context()); err != nil || r.flow != nil {
		t.Errorf("an idle reader does not notice the loss (%v)", err)
	}
	got = append(got, readN(t, r, 1)...)

	// And with one behind them.
	appendTo(t, l, 0, "2")
	lose(t, r, "2")
	appendTo(t, l, 0, "3")
	checkOrder(t, append(got, readN(t, r, 2)...))
}

// lose makes the next record of the reader one that never arrived.
func lose(t *testing.T, r *Reader, want string) {
	t.Helper()
	f := r.flow
	testkit.Eventually(t, testkit.Patience, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.got) == 0 {
			return false
		}
		if len(f.got) > 1 || string(f.got[0].Data) != want {
			t.Fatalf("%d records arrived, not %s alone", len(f.got), want)
		}
		f.got, f.seen = nil, f.seen-1
		return true
	})
}

// cutter is a TCP proxy that breaks its connections on demand.
type cutter struct {
	net.Listener
	target string
	mu     sync.Mutex
	open   []net.Conn
	done   sync.WaitGroup
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, target: target}
	c.done.Go(c.serve)
	t.Cleanup(func() {
		_ = l.Close()
		c.cut()
		c.done.Wait()
	})
	return c
}

func (c *cutter) serve() {
	for {
		in, err := c.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, in, out)
		c.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			c.done.Go(func() {
				_, _ = io.Copy(pair[0], pair[1]) // ends when either is cut
				_ = pair[0].Close()
				_ = pair[1].Close()
			})
		}
	}
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		_ = conn.Close()
	}
	c.open = nil
}

func TestReadingOverABadConnection(t *testing.T) {
	server := natsd.New(natsd.Options{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	const n = 20000
	l := openLogOn(t, connect(t, Options{InProcess: server}), LogOptions{Partitions: 1})
	for i := range n {
		if _, err := l.AppendAsync(t.Context(), 0, tenantA, sensorA, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	proxy := newCutter(t, server.ClientURL()[len("nats://"):])
	far := openLogOn(t, connect(t, Options{URL: "nats://" + proxy.Addr().String()}), LogOptions{Partitions: 1})
	r, err := far.Read(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []Entry
	var cuts atomic.Int32
	testkit.Eventually(t, 3*testkit.Patience, func() bool {
		if len(got) > int(cuts.Load()+1)*n/8 && cuts.Load() < 6 {
			cuts.Add(1)
			time.AfterFunc(time.Millisecond, proxy.cut) // amidst the next batch
		}
		es, err := r.Next(t.Context(), 500, 100*time.Millisecond)
		if err != nil && !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		got = append(got, es...)
		return len(got) >= n
	})
	if len(got) != n || cuts.Load() < 6 {
		t.Errorf("%d records over %d cuts, want %d over 6", len(got), cuts.Load(), n)
	}
	checkOrder(t, got)
}
