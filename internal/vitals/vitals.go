// Package vitals watches what a process depends on: it asks each dependency in turn,
// remembers since when it is up or down and why, and tells it to readiness probes, to
// metrics and to the graph.
package vitals

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
)

// Reason is why a dependency is down, for machines and without any detail of the inside.
type Reason string

// The reasons.
const (
	Timeout     Reason = "timeout"     // no answer in time
	Unreachable Reason = "unreachable" // no connection, or an error
	Full        Reason = "full"        // it answers and takes no more
	NotLoaded   Reason = "not_loaded"  // there is none
)

// Function is something people do that a dependency is needed for.
type Function string

// The functions, in the order in which they are shown.
const (
	SignIn      Function = "sign_in"
	Plant       Function = "plant"       // to read and change the plant, people and rules
	History     Function = "history"     // of readings and predictions
	Alarms      Function = "alarms"      // to see and to work on
	Live        Function = "live"        // frames of subscriptions
	Ingestion   Function = "ingestion"   // to take readings
	Processing  Function = "processing"  // from the log to stores and alarms
	Predictions Function = "predictions" // new ones
	Jobs        Function = "jobs"        // imports and exports
)

// Dependency is something that the process works with.
type Dependency struct {
	Name    string // a label of metrics, and part of the key of its text
	Needed  bool   // without it the process is not ready
	Affects []Function
	// Probe returns nil when it works; errors are Unreachable, or Timeout, or what
	// Because says.
	Probe func(ctx context.Context) error
}

// State of a dependency.
type State struct {
	Name    string
	Needed  bool
	Up      bool
	Reason  Reason    // "" when it is up
	Since   time.Time // of this state, as far as this process knows
	Latency time.Duration
	Affects []Function
}

// because is an error with a reason.
type because struct {
	reason Reason
	err    error
}

func (b because) Error() string { return string(b.reason) + ": " + b.err.Error() }
func (b because) Unwrap() error { return b.err }

// Because gives a probe's error its reason.
func Because(r Reason, err error) error { return because{r, err} }

func reasonOf(err error) Reason {
	var b because
	switch {
	case errors.As(err, &b):
		return b.reason
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Unreachable
}

// Probes are made so often when nobody asks, and are given so much time.
const (
	every  = 5 * time.Second
	within = 2 * time.Second
)

// Monitor watches dependencies. It is a lifecycle.Part, and safe for concurrent use.
type Monitor struct {
	dependencies []Dependency
	log          *slog.Logger
	up           *prometheus.GaugeVec
	now          func() time.Time
	stop         context.CancelFunc
	done         chan struct{}

	mu     sync.Mutex
	states []State
}

// New returns one that is not started yet; everything is taken to be up until it is asked.
func New(ds []Dependency, metrics prometheus.Registerer, log *slog.Logger) *Monitor {
	m := &Monitor{dependencies: ds, log: log, now: time.Now, done: make(chan struct{}), states: make([]State, len(ds)),
		up: obs.NewGauge(metrics, "dependency", "up", "1 while what the process depends on answers, 0 while it does not.", "dependency")}
	for i, d := range ds {
		m.states[i] = State{Name: d.Name, Needed: d.Needed, Up: true, Since: m.now(), Affects: d.Affects}
		m.up.WithLabelValues(d.Name).Set(1)
	}
	return m
}

// Name implements lifecycle.Part.
func (m *Monitor) Name() string { return "vitals" }

// Start asks for the first time and goes on.
func (m *Monitor) Start(ctx context.Context) error {
	m.Check(ctx)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	go func() {
		defer close(m.done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-run.Done():
				return
			case <-tick.C:
				m.Check(run)
			}
		}
	}()
	return nil
}

// Stop implements lifecycle.Part.
func (m *Monitor) Stop(context.Context) error {
	m.stop()
	<-m.done
	return nil
}

// States returns what was found last.
func (m *Monitor) States() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]State(nil), m.states...)
}

// Check asks every dependency now, all at once, and returns their states. What was not
// answered because ctx ended is not noted.
func (m *Monitor) Check(ctx context.Context) []State {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	errs, took := make([]error, len(m.dependencies)), make([]time.Duration, len(m.dependencies))
	var wg sync.WaitGroup
	for i, d := range m.dependencies {
		wg.Go(func() {
			begin := m.now()
			errs[i] = d.Probe(limited)
			took[i] = m.now().Sub(begin)
		})
	}
	wg.Wait()
	if ctx.Err() == nil {
		m.note(errs, took)
	}
	return m.States()
}

func (m *Monitor) note(errs []error, took []time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, err := range errs {
		s := &m.states[i]
		was := s.Up
		s.Up, s.Reason, s.Latency = err == nil, "", took[i]
		if err != nil {
			s.Reason = reasonOf(err)
		}
		if s.Up == was {
			continue
		}
		ago := m.now().Sub(s.Since)
		s.Since = m.now()
		if s.Up {
			m.up.WithLabelValues(s.Name).Set(1)
			m.log.Info("dependency is back", "dependency", s.Name, "was_down", ago)
		} else {
			m.up.WithLabelValues(s.Name).Set(0)
			m.log.Warn("dependency is down", "dependency", s.Name, "reason", s.Reason, "error", err)
		}
	}
}
