package vitals

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// answer is what a probe says from now on.
type answer struct{ err atomic.Pointer[error] }

func (a *answer) set(err error) { a.err.Store(&err) }

func (a *answer) probe(context.Context) error {
	if err := a.err.Load(); err != nil {
		return *err
	}
	return nil
}

func TestStatesFollowTheProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var database, log answer
		reg := prometheus.NewRegistry()
		m := New([]Dependency{
			{Name: "postgresql", Needed: true, Affects: []Function{SignIn}, Probe: database.probe},
			{Name: "log", Probe: log.probe},
			{Name: "store", Probe: func(ctx context.Context) error { return nil }},
		}, reg, slog.New(slog.DiscardHandler))
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := m.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}()
		begin := time.Now()
		for _, s := range m.States() {
			if !s.Up || s.Reason != "" || !s.Since.Equal(begin) {
				t.Errorf("%+v", s)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		database.set(errors.New("dial tcp 10.1.2.3"))
		log.set(Because(Full, errors.New("8 GiB")))
		time.Sleep(every)
		synctest.Wait()
		states := m.States()
		if s := states[0]; s.Up || s.Reason != Unreachable || s.Since.Before(begin.Add(time.Minute)) || !s.Needed {
			t.Errorf("%+v", s)
		}
		if s := states[1]; s.Up || s.Reason != Full {
			t.Errorf("%+v", s)
		}
		since := states[0].Since
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := m.States()[0]; !s.Since.Equal(since) {
			t.Errorf("down since %s, then since %s", since, s.Since)
		}
		families, err := reg.Gather()
		if err != nil || len(families) != 1 || families[0].GetName() != "foresight_dependency_up" {
			t.Fatalf("%v %v", families, err)
		}
		for _, g := range families[0].GetMetric() {
			up := 0.0
			if g.GetLabel()[0].GetValue() == "store" {
				up = 1
			}
			if g.GetGauge().GetValue() != up {
				t.Errorf("%v", g)
			}
		}
		database.set(nil)
		if s := m.Check(t.Context())[0]; !s.Up || s.Reason != "" || s.Since.Equal(since) {
			t.Errorf("%+v", s)
		}
	})
}

// A dependency that hangs is down and costs the others nothing; one that was not
// answered because the asker left is as it was.
func TestSlowProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New([]Dependency{
			{Name: "hangs", Probe: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{Name: "works", Probe: func(context.Context) error { return nil }},
		}, nil, slog.New(slog.DiscardHandler))
		gone, leave := context.WithCancel(t.Context())
		leave()
		if s := m.Check(gone)[0]; !s.Up {
			t.Errorf("noted although nobody waited: %+v", s)
		}
		begin := time.Now()
		states := m.Check(t.Context())
		if s := states[0]; s.Up || s.Reason != Timeout || time.Since(begin) != within {
			t.Errorf("%+v after %s", s, time.Since(begin))
		}
		if s := states[1]; !s.Up || s.Latency != 0 {
			t.Errorf("%+v", s)
		}
	})
}
