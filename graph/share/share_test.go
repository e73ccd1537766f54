package share_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"foresight/graph/internal/testgraph"
	"foresight/graph/share"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const patience = testkit.Patience

// counter is a source: it counts, and tells those who listen. Its snapshot is the
// present number.
type counter struct {
	testgraph.SubscriptionResolver

	mu        sync.Mutex
	value     int
	ears      map[chan int]struct{}
	listens   atomic.Int64
	snapshots atomic.Int64
	reading   chan chan struct{} // a snapshot that is read waits for what it sends here; nil: it does not
	mistake   error
	lossless  bool
	frozen    bool // snapshots are of the beginning
}

func (c *counter) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value++
	for e := range c.ears {
		e <- c.value
	}
}

// end ends the source.
func (c *counter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := range c.ears {
		close(e)
		delete(c.ears, e)
	}
}

// Count is the subscription that is shared.
func (c *counter) Count(ctx context.Context, to int) (<-chan int, error) {
	s := share.Stream[int]{Listen: c.listen, Begin: c.begin}
	if gap := -1; !c.lossless {
		s.Gap = &gap
	}
	return share.Serve(ctx, s)
}

func (c *counter) listen(ctx context.Context) (share.Next[int], error) {
	c.listens.Add(1)
	if c.mistake != nil {
		return nil, c.mistake
	}
	ear := make(chan int, 10_000)
	c.mu.Lock()
	c.ears[ear] = struct{}{}
	c.mu.Unlock()
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.ears, ear)
	})
	return func(ctx context.Context) (share.Live[int], error) {
		select {
		case v, ok := <-ear:
			if !ok {
				return share.Live[int]{}, io.EOF
			}
			return share.Live[int]{Value: v, Mark: v}, nil
		case <-ctx.Done():
			return share.Live[int]{}, ctx.Err()
		}
	}, nil
}

func (c *counter) begin(ctx context.Context) (b share.Beginning[int], err error) {
	c.snapshots.Add(1)
	if c.reading != nil {
		goOn := make(chan struct{})
		c.reading <- goOn
		<-goOn
	}
	c.mu.Lock()
	now := c.value
	if c.frozen {
		now = 0
	}
	c.mu.Unlock()
	b.Items = share.All([]int{now})
	b.Known.Has = func(mark any) bool { return mark.(int) <= now }
	return b, nil
}

type root struct {
	*testgraph.Resolver
	c *counter
}

func (r root) Subscription() testgraph.SubscriptionResolver { return r.c }

// rig runs the counter's subscription.
type rig struct {
	*testing.T
	*counter
	groups *share.Groups
	exec   *executor.Executor
}

func newRig(t *testing.T, change ...func(*share.Options)) *rig {
	c := &counter{ears: map[chan int]struct{}{}}
	o := share.Options{Fields: share.Fields{"count": nil},
		View: func(ctx context.Context, _ *graphql.OperationContext) (share.View, bool) {
			return share.View{Dress: func(ctx context.Context) context.Context { return ctx }}, true
		},
		Encode: func(b []byte, r *graphql.Response) ([]byte, error) { return append(b, r.Data...), nil },
	}
	for _, f := range change {
		f(&o)
	}
	r := &rig{T: t, counter: c, groups: share.New(o),
		exec: executor.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: root{&testgraph.Resolver{}, c}}))}
	t.Cleanup(r.groups.Close)
	return r
}

// ticket prepares the query.
func (r *rig) ticket(query string) *share.Ticket {
	r.Helper()
	t := r.groups.Ticket(r.Context(), r.exec, testgraph.Prepare(r.Context(), r.exec, query))
	if t == nil {
		r.Fatalf("not shared: %s", query)
	}
	return t
}

// subscriber notes what it is given.
type subscriber struct {
	mu   sync.Mutex
	got  []int
	ends chan share.End
}

func newSubscriber() *subscriber { return &subscriber{ends: make(chan share.End, 1)} }

func (s *subscriber) note(i *share.Item) {
	var n int
	_, _ = fmt.Sscanf(string(i.Payload), `{"count":%d}`, &n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, n)
}

func (s *subscriber) seen() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *subscriber) Send(_ context.Context, i *share.Item) bool { s.note(i); return true }
func (s *subscriber) Offer(i, _ *share.Item)                     { s.note(i) }
func (s *subscriber) End(e share.End)                            { s.ends <- e }

const all = `subscription { count(to: 0) }`

// Subscribers come and go while the source counts on: each sees a number, and from
// there every following one once.
func TestNoHoleAndNoDouble(t *testing.T) {
	const last = 3000
	// All may be counted while the first snapshot is read, and none is to be left out.
	r := newRig(t, func(o *share.Options) { o.Kept = last })
	var w sync.WaitGroup
	for range 40 {
		w.Go(func() {
			s := newSubscriber()
			leave, errs := r.ticket(all).Join(t.Context(), s)
			if errs != nil || leave == nil {
				t.Errorf("not joined: %v", errs)
				return
			}
			defer leave()
			testkit.Eventually(t, patience, func() bool { got := s.seen(); return got[len(got)-1] == last })
			for i, n := range s.seen() {
				if n != s.got[0]+i {
					t.Errorf("%d behind %v", n, s.got[max(0, i-3):i])
					return
				}
			}
		})
		for range last / 40 {
			r.tick()
		}
	}
	w.Wait()
}

// Who comes while a snapshot is read waits for the next, which is one for all of them.
func TestOneSnapshotForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.reading = make(chan chan struct{})
		var joined sync.WaitGroup
		join := func() {
			s := newSubscriber()
			leave, errs := r.ticket(all).Join(t.Context(), s)
			if errs != nil {
				t.Error(errs)
			}
			if got := s.seen(); len(got) != 1 {
				t.Errorf("it began with %v", got)
			}
			leave()
		}
		joined.Go(join)
		first := <-r.reading
		for range 50 {
			joined.Go(join)
		}
		synctest.Wait()
		close(first)
		close(<-r.reading)
		joined.Wait()
		if n, l := r.snapshots.Load(), r.listens.Load(); n != 2 || l != 1 {
			t.Errorf("%d snapshots, listened %d times", n, l)
		}
	})
}

func TestWhatIsTheSame(t *testing.T) {
	r := newRig(t, func(o *share.Options) { o.Fields["count"] = []string{"to"} })
	const base = `query ignored { hello } subscription S($to: Int!, $yes: Boolean!) { count(to: $to) @include(if: $yes) }`
	const twice = `subscription S($to: Int!) { count(to: $to) ...F } fragment F on Subscription { count(to: $to) }`
	join := func(query string, variables map[string]any) int64 {
		t.Helper()
		oc, errs := r.exec.CreateOperationContext(graphql.StartOperationTrace(t.Context()),
			&graphql.RawParams{Query: query, OperationName: "S", Variables: variables})
		if errs != nil {
			t.Fatal(errs)
		}
		leave, errs := r.groups.Ticket(t.Context(), r.exec, oc).Join(t.Context(), newSubscriber())
		if errs != nil {
			t.Fatal(errs)
		}
		t.Cleanup(leave)
		return r.listens.Load()
	}
	for _, c := range []struct {
		name, query string
		variables   map[string]any
		executions  int64
	}{
		{"the first", base, map[string]any{"to": 1, "yes": true}, 1},
		{"the same", base, map[string]any{"to": 1, "yes": true}, 1},
		{"another place to begin at", base, map[string]any{"to": 2, "yes": true}, 1},
		{"another document", base + " ", map[string]any{"to": 1, "yes": true}, 2},
		{"a place that is no variable", `subscription S { count(to: 5) }`, nil, 3},
		{"a variable that is used elsewhere", twice, map[string]any{"to": 1}, 4},
		{"another value of it", twice, map[string]any{"to": 2}, 5},
	} {
		if got := join(c.query, c.variables); got != c.executions {
			t.Errorf("%s: %d executions, want %d", c.name, got, c.executions)
		}
	}
	for _, query := range []string{`subscription { flood(size: 1) }`, `{ hello }`} {
		if r.groups.Ticket(t.Context(), r.exec, testgraph.Prepare(t.Context(), r.exec, query)) != nil {
			t.Errorf("%s is shared", query)
		}
	}
	var none *share.Groups
	if none.Ticket(t.Context(), r.exec, testgraph.Prepare(t.Context(), r.exec, all)) != nil {
		t.Error("shared by no groups")
	}
}

func TestHowItEnds(t *testing.T) {
	t.Run("its source ends", func(t *testing.T) {
		r := newRig(t)
		s, another := newSubscriber(), newSubscriber()
		for _, s := range []*subscriber{s, another} {
			leave, _ := r.ticket(all).Join(t.Context(), s)
			defer leave()
		}
		r.end()
		for _, s := range []*subscriber{s, another} {
			if e := <-s.ends; e.Reason != share.Completed || e.Errors != nil {
				t.Errorf("%+v", e)
			}
		}
		leave, errs := r.ticket(all).Join(t.Context(), newSubscriber())
		if errs != nil || r.listens.Load() != 2 {
			t.Errorf("the next does not begin anew: %v", errs)
		}
		leave()
	})
	t.Run("it is refused", func(t *testing.T) {
		r := newRig(t)
		r.mistake = errors.New("no such thing")
		for range 2 {
			leave, errs := r.ticket(all).Join(t.Context(), newSubscriber())
			if leave != nil || len(errs) != 1 || errs[0].Message != "no such thing" {
				t.Errorf("%v", errs)
			}
		}
	})
	t.Run("the last leaves", func(t *testing.T) {
		r := newRig(t)
		a, _ := r.ticket(all).Join(t.Context(), newSubscriber())
		b, _ := r.ticket(all).Join(t.Context(), newSubscriber())
		a()
		a() // once more changes nothing
		r.tick()
		if n := r.hearers(); n != 1 {
			t.Errorf("%d listen", n)
		}
		b()
		testkit.Eventually(t, patience, func() bool { return r.hearers() == 0 })
	})
	t.Run("one leaves while it joins", func(t *testing.T) {
		r := newRig(t)
		r.reading = make(chan chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan func())
		go func() {
			leave, _ := r.ticket(all).Join(ctx, newSubscriber())
			left <- leave
		}()
		reading := <-r.reading
		cancel()
		if leave := <-left; leave != nil {
			t.Error("it has joined")
		}
		close(reading)
		testkit.Eventually(t, patience, func() bool { return r.hearers() == 0 })
	})
}

func (c *counter) hearers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ears)
}

// What is kept back for a subscriber while its snapshot is read is bounded.
func TestKeptBack(t *testing.T) {
	for _, lossless := range []bool{false, true} {
		t.Run(fmt.Sprintf("lossless %t", lossless), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(o *share.Options) { o.Kept = 3 })
				r.lossless, r.reading = lossless, make(chan chan struct{})
				s := newSubscriber()
				done := make(chan func())
				go func() {
					leave, _ := r.ticket(all).Join(t.Context(), s)
					done <- leave
				}()
				// The snapshot is of before what follows.
				goOn := <-r.reading
				r.frozen = true
				for range 5 {
					r.tick()
				}
				synctest.Wait()
				close(goOn)
				leave := <-done
				defer leave()
				if lossless {
					if e := <-s.ends; e.Reason != share.TooSlow {
						t.Errorf("%+v", e)
					}
					return
				}
				if got := s.seen(); !slices.Equal(got, []int{0, -1, 3, 4, 5}) {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}
