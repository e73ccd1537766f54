// Package testkit gives tests real servers: one private PostgreSQL per test binary
// with a migrated template from which every test gets a database of its own, and
// JetStream in the process. Only tests import it.
//
// A package that uses it, or that starts goroutines, has
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
// Nothing is left behind: the servers die with the test binary however it ends,
// and directories of killed runs are removed by the next one.
package testkit

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"foresight/internal/testkit/leaks"
)

var atEnd []func() error

// AtEnd has the check made after the tests of the package, when all of them ran (not
// a selection) and passed. An error fails the package. Call it before Main.
func AtEnd(check func() error) { atEnd = append(atEnd, check) }

// selected reports whether only some of the tests were asked for.
func selected() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return true
		}
	}
	return testing.Short()
}

// Main runs the tests, stops the shared server and fails the package when a
// goroutine is left.
func Main(m *testing.M, options ...goleak.Option) {
	code := m.Run()
	for _, check := range atEnd {
		if code != 0 || selected() {
			break
		}
		if err := check(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := stopCluster(); err != nil {
		fmt.Fprintln(os.Stderr, "testkit:", err)
		code = 1
	}
	if code == 0 { // after a failure leaks are a consequence
		if err := leaks.Find(Patience, options...); err != nil {
			fmt.Fprintln(os.Stderr, "testkit:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// NoLeaks fails the test when, at its end, goroutines run that did not run at the
// time of this call. Call it first, and not in parallel tests.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if err := leaks.Find(Patience, before); err != nil {
			t.Error(err)
		}
	})
}

// Patience is how long a test waits for what should be there at once: a machine that is
// busy with other tests, or whose disk stands, takes many times as long.
const Patience = time.Minute

// Eventually polls the condition every few milliseconds, and fails the test when
// it does not hold within the time. The condition runs on the test's goroutine.
func Eventually(t testing.TB, within time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("condition did not hold within %s", within)
		case <-tick.C:
		}
	}
}
