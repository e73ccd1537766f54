package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"foresight/internal/fault"
)

// heldGather is a gather whose calls wait to be let go.
type heldGather struct {
	*gather[int]
	mu    sync.Mutex
	calls [][]int
	begun chan struct{}
	goOn  chan error
}

func holdGather(most int) *heldGather {
	h := &heldGather{begun: make(chan struct{}, 100), goOn: make(chan error)}
	h.gather = newGather(1, most, func(ctx context.Context, all []int) error {
		h.mu.Lock()
		h.calls = append(h.calls, slices.Clone(all))
		h.mu.Unlock()
		h.begun <- struct{}{}
		select {
		case err := <-h.goOn:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return h
}

// queued waits until so many parts wait.
func (h *heldGather) queued(t *testing.T, n int) {
	t.Helper()
	eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.gather.mu.Lock()
		defer h.gather.mu.Unlock()
		return len(h.waiting) == n
	})
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	(&rig{TB: t}).eventually("condition", condition)
}

// start calls do with the values one after the other and returns where their errors come.
func (h *heldGather) start(t *testing.T, ctx context.Context, values ...int) map[int]chan error {
	t.Helper()
	out := map[int]chan error{}
	for i, v := range values {
		done := make(chan error, 1)
		out[v] = done
		go func() { done <- h.do(ctx, v, 1) }()
		h.queued(t, i+1)
	}
	return out
}

func TestWhatWaitsIsDoneTogether(t *testing.T) {
	h := holdGather(3)
	first := make(chan error, 1)
	go func() { first <- h.do(t.Context(), 0, 1) }()
	<-h.begun
	rest := h.start(t, t.Context(), 1, 2, 3, 4)
	for range 3 {
		h.goOn <- nil
	}
	for _, done := range rest {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	if want := [][]int{{0}, {1, 2, 3}, {4}}; !slices.EqualFunc(h.calls, want, slices.Equal) {
		t.Errorf("calls %v, want %v", h.calls, want)
	}
}

func TestNobodyFailsForAnothersSake(t *testing.T) {
	poison := fault.New(fault.BadInput, "error.test")
	for name, c := range map[string]struct {
		common error
		alone  []error
		want   []error
		calls  int
	}{
		"somebody is to blame": {poison, []error{nil, poison}, []error{nil, poison}, 4},
		"nobody is":            {errInjected, nil, []error{errInjected, errInjected}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := holdGather(10)
			first := make(chan error, 1)
			go func() { first <- h.do(t.Context(), 0, 1) }()
			<-h.begun
			rest := h.start(t, t.Context(), 1, 2)
			h.goOn <- nil
			h.goOn <- c.common
			for _, err := range c.alone {
				h.goOn <- err
			}
			for i, want := range c.want {
				if err := <-rest[i+1]; !errors.Is(err, want) {
					t.Errorf("%d ends with %v, want %v", i+1, err, want)
				}
			}
			<-first
			if len(h.calls) != c.calls {
				t.Errorf("calls %v", h.calls)
			}
		})
	}
}

func TestAPanicIsEverybodysError(t *testing.T) {
	g := newGather(1, 10, func(context.Context, []int) error { panic("rules") })
	for range 2 { // the slot is free again
		if err := g.do(t.Context(), 1, 1); !errors.Is(err, errPanic) {
			t.Errorf("ends with %v", err)
		}
	}
}

func TestWhoNoLongerWaitsIsLeftOut(t *testing.T) {
	h := holdGather(10)
	first := make(chan error, 1)
	go func() { first <- h.do(t.Context(), 0, 1) }()
	<-h.begun
	ctx, cancel := context.WithCancel(t.Context())
	rest := h.start(t, ctx, 1)
	cancel()
	if err := <-rest[1]; !errors.Is(err, context.Canceled) {
		t.Errorf("ends with %v", err)
	}
	h.goOn <- nil
	if err := <-first; err != nil {
		t.Error(err)
	}
	if len(h.calls) != 1 {
		t.Errorf("calls %v", h.calls)
	}
}
