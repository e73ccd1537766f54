package admit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"foresight/ingestion/admit"
)

// inbox collects what a stream delivers.
type inbox struct {
	mu   sync.Mutex
	tags []int
	errs []error
}

func (in *inbox) deliver(rs []admit.Result[int]) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, r := range rs {
		if r.Err != nil {
			in.errs = append(in.errs, r.Err)
			continue
		}
		in.tags = append(in.tags, r.Tag)
	}
	return nil
}

func (in *inbox) got() []int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.tags)
}

func held(t *testing.T) (*rig, *heldLog) {
	log := &heldLog{}
	return newRig(t, setup{log: func(l admit.Log) admit.Log { log.Log = l; return log }}), log
}

func (r *rig) flow(i int) admit.Message {
	return admit.Message{Credential: gateway(r.a), Topic: "sensors/pump-1-a", Payload: fmt.Appendf(nil, `{"flow":%d}`, i)}
}

func submit(t *testing.T, s *admit.Stream[int], m admit.Message, tag int) {
	t.Helper()
	if err := s.Submit(m, tag); err != nil {
		t.Fatal(err)
	}
}

func TestStreamDeliversInOrderOfSubmission(t *testing.T) {
	r, log := held(t)
	var in inbox
	s := admit.NewStream(t.Context(), r.admitter, 16, in.deliver, nil)
	bad := r.flow(3)
	bad.Payload = []byte("rubbish")
	for i := range 6 {
		if i == 3 {
			submit(t, s, bad, i) // is ready at once and must wait its turn
			continue
		}
		submit(t, s, r.flow(i), i)
	}
	// appends 0 1 2 4 5 are held, at places 0 to 4
	for _, place := range []int{4, 2, 1, 3} {
		log.free(place, nil)
	}
	if got := in.got(); len(got) != 0 {
		t.Fatalf("%v came before the first was confirmed", got)
	}
	log.free(0, nil)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(in.got(), want) {
		t.Errorf("%v, want %v", in.got(), want)
	}
}

func TestStreamStopsAtTheFirstFailure(t *testing.T) {
	r, log := held(t)
	var in inbox
	ended := make(chan struct{})
	s := admit.NewStream(t.Context(), r.admitter, 16, in.deliver, func() { close(ended) })
	for i := range 5 {
		submit(t, s, r.flow(i), i)
	}
	for place, err := range []error{nil, nil, errGone, nil, nil} {
		log.free(place, err)
	}
	<-s.Done()
	<-ended
	if got := in.got(); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("delivered %v, want those before the failure", got)
	}
	if len(in.errs) != 1 || !errors.Is(in.errs[0], errGone) || !errors.Is(s.Err(), errGone) {
		t.Errorf("%v, %v", in.errs, s.Err())
	}
	if err := s.Submit(r.flow(9), 9); !errors.Is(err, errGone) {
		t.Errorf("Submit says %v", err)
	}
}

func TestStreamWindowBoundsWhatIsUnderWay(t *testing.T) {
	r, log := held(t)
	var in inbox
	s := admit.NewStream(t.Context(), r.admitter, 3, in.deliver, nil)
	more := make(chan error, 1)
	for i := range 3 {
		submit(t, s, r.flow(i), i)
	}
	go func() { more <- s.Submit(r.flow(3), 3) }()
	select {
	case err := <-more:
		t.Fatalf("the fourth did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if n := log.count(); n != 3 {
		t.Fatalf("%d under way", n)
	}
	log.free(0, nil)
	if err := <-more; err != nil {
		t.Fatal(err)
	}
	for place := 1; place < 4; place++ {
		log.free(place, nil)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := in.got(); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Error(got)
	}
}

func TestStreamEnds(t *testing.T) {
	broken := errors.New("the connection is gone")
	for name, c := range map[string]struct {
		deliver error
		end     func(*admit.Stream[int])
		want    error
	}{
		"by Abort":           {nil, func(s *admit.Stream[int]) { s.Abort() }, admit.ErrStreamEnded},
		"when deliver fails": {broken, nil, broken},
		"with a late Close": {nil, func(s *admit.Stream[int]) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close: %v", err)
			}
		}, admit.ErrStreamEnded},
	} {
		t.Run(name, func(t *testing.T) {
			r, log := held(t)
			calls := 0
			s := admit.NewStream(t.Context(), r.admitter, 4, func([]admit.Result[int]) error { calls++; return c.deliver }, nil)
			submit(t, s, r.flow(0), 0)
			submit(t, s, r.flow(1), 1)
			if c.end != nil {
				c.end(s)
			} else {
				log.free(0, nil)
			}
			<-s.Done()
			if !errors.Is(s.Err(), c.want) || !errors.Is(s.Submit(r.flow(2), 2), c.want) {
				t.Errorf("%v, want %v", s.Err(), c.want)
			}
			if c.end != nil && calls != 0 {
				t.Error("delivered what was not confirmed")
			}
		})
	}
}

func TestStreamKeepsUpWithTheLog(t *testing.T) {
	r := newRig(t, setup{})
	var in inbox
	s := admit.NewStream(t.Context(), r.admitter, 64, in.deliver, nil)
	const n = 5000
	for i := range n {
		submit(t, s, r.flow(i), i)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := in.got(); len(got) != n || !slices.IsSorted(got) {
		t.Errorf("%d delivered, sorted %v", len(got), slices.IsSorted(got))
	}
	kept := r.records(t, r.log)
	if len(kept) != n {
		t.Fatalf("%d in the log", len(kept))
	}
	for i, k := range kept {
		if v, _ := k.Parameter("flow"); v != float64(i) {
			t.Fatalf("record %d is message %v", i, v)
		}
	}
}
