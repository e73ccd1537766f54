package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foresight/internal/testkit/leaks"
)

// readyWithin bounds the start of an instance: a fresh one takes a few seconds, on
// a machine that is busy with other tests many times that.
const readyWithin = 2 * time.Minute

// patience is how long a test waits for what should be there at once.
const patience = 2 * time.Minute

// work is the directory of this run. PostgreSQL runs as another user when this is
// root, so that everybody may pass through it.
var work string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if work, err = os.MkdirTemp("", "foresight-e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.Chmod(work, 0o755); err != nil {
		return 1, err
	}
	code = m.Run()
	for _, s := range []*sharedInstance{&lively, &quiet} {
		err = errors.Join(err, s.end())
	}
	http.DefaultClient.CloseIdleConnections()
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
	build := exec.Command("go", "build", "-o", bin, "foresight")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// sharedInstance is started by the first test that asks for it and stopped after
// the last.
type sharedInstance struct {
	name string
	rate string // of the simulator

	once     sync.Once
	instance *instance
	err      error
}

var (
	lively = sharedInstance{name: "lively", rate: "1"}
	quiet  = sharedInstance{name: "quiet", rate: "0"}
)

// get returns the running instance.
func (s *sharedInstance) get(t testing.TB) *instance {
	t.Helper()
	s.once.Do(func() {
		s.instance, s.err = start(filepath.Join(work, s.name), "--rate", s.rate)
		if s.err == nil {
			figure("demo --rate %s: ready in %.1f s", s.rate, s.instance.ready.Seconds())
			// The largest budgets, before anybody asks: here is asked more than anywhere.
			s.instance.sql(t, `UPDATE tenants SET plan = 'enterprise'`)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.instance
}

func (s *sharedInstance) end() error {
	if s.instance == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.instance.interrupt(ctx)
}

// figure prints a measurement, whether or not the tests are verbose.
func figure(format string, args ...any) {
	fmt.Printf("FIGURE "+format+"\n", args...)
}
