package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foresight/internal/testkit/leaks"
)

// long says whether faults last as long as the specification has them.
var long = os.Getenv("FORESIGHT_CHAOS_LONG") != ""

// either returns the measure of the short or the long form.
func either[T any](short, longer T) T {
	if long {
		return longer
	}
	return short
}

// patience bounds every wait for what should be there in seconds; the machine may be
// busy with other tests.
const patience = 2 * time.Minute

// work is the directory of this run. PostgreSQL runs as another user when this is root,
// so that everybody may pass through it.
var work string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if work, err = os.MkdirTemp("", "foresight-chaos-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.Chmod(work, 0o755); err != nil {
		return 1, err
	}
	code = m.Run()
	err = shared.end()
	web.CloseIdleConnections()
	if code == 0 && err == nil { // after a failure leaks are a consequence
		err = leaks.Find(patience)
	}
	return code, err
}

// binary returns the path of the product, built once.
var binary = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("FORESIGHT_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	bin := filepath.Join(work, "foresight")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=chaos", "-o", bin, "foresight")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// figure prints a measurement, whether or not the tests are verbose.
func figure(format string, args ...any) {
	fmt.Printf("FIGURE "+format+"\n", args...)
}

// allowed fails the test in the long form, on a machine that has nothing else to do,
// when something took longer than the specification allows.
func allowed(t testing.TB, what string, took, most time.Duration) {
	t.Helper()
	if long && took > most {
		t.Errorf("%s after %s, %s are allowed", what, took, most)
	}
}

// within polls the condition until it holds, and fails the test after the time with
// what was waited for. It returns how long it took.
func within(t testing.TB, limit time.Duration, what string, condition func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
	return time.Since(begin)
}

// lasting waits out a fault: the time itself is what is tested.
func lasting(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
