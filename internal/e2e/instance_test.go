package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"foresight/internal/embedded/pg"
)

// instance is a running process of the product.
type instance struct {
	dir   string // its data
	cmd   *exec.Cmd
	out   *output
	ended chan struct{} // closed when the process has ended
	err   error         // of Wait, valid after ended

	url   string        // http://127.0.0.1:…
	mqtt  string        // 127.0.0.1:…
	ready time.Duration // from the start of the process to /readyz

	mu     sync.Mutex
	tokens map[string]string // access tokens by user
}

// output collects what the process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// environment of the processes: nothing of the developer's own, free ports, a rate that
// the tests of one credential do not reach, tokens that outlive the run and no hour
// (expired makes them an hour older), and a model that is asked however long it takes.
func environment(dir string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FORESIGHT_") {
			env = append(env, v)
		}
	}
	return append(env, "FORESIGHT_HTTP_ADDR=127.0.0.1:0", "FORESIGHT_MQTT_ADDR=127.0.0.1:0", "FORESIGHT_DATA_DIR="+dir,
		"FORESIGHT_GRAPH_RATE_PER_SECOND=100000", "FORESIGHT_GRAPH_RATE_BURST=100000", "FORESIGHT_GRAPH_MAX_COST=1000000",
		"FORESIGHT_LANDING_FILE_AGE=500ms", "FORESIGHT_AUTH_ACCESS_TTL=50m", "FORESIGHT_PIPELINE_PREDICT_TIMEOUT=1m")
}

// command returns a command of the product, not yet started.
func command(dir string, args ...string) (*exec.Cmd, *output, error) {
	bin, err := binary()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = environment(dir)
	cmd.Dir = filepath.Dir(dir)
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	dieWithTests(cmd)
	return cmd, out, nil
}

var (
	readyLine = regexp.MustCompile(`(?m)^Ready in [0-9.]+ s: (http://\S+)$`)
	mqttLine  = regexp.MustCompile(`(?m)^MQTT at ([0-9.]+:[0-9]+),`)
)

// start runs `foresight demo` on the directory and waits until it serves.
func start(dir string, args ...string) (*instance, error) { return startWith(dir, nil, args...) }

// startWith is start with further settings, "NAME=value".
func startWith(dir string, settings []string, args ...string) (*instance, error) {
	cmd, out, err := command(dir, append([]string{"demo"}, args...)...)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Env, settings...)
	i := &instance{dir: dir, cmd: cmd, out: out, ended: make(chan struct{}), tokens: map[string]string{}}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		i.err = cmd.Wait()
		close(i.ended)
	}()
	if err := i.awaitReady(begin.Add(readyWithin)); err != nil {
		return nil, errors.Join(err, i.kill())
	}
	i.ready = time.Since(begin)
	return i, nil
}

func (i *instance) awaitReady(deadline time.Time) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		select {
		case <-i.ended:
			return fmt.Errorf("the process ended before it was ready: %w\n%s", i.err, i.out)
		case <-tick.C:
		}
		said := i.out.String()
		at, broker := readyLine.FindStringSubmatch(said), mqttLine.FindStringSubmatch(said)
		if at == nil || broker == nil {
			continue
		}
		i.url, i.mqtt = at[1], broker[1]
		answer, err := web.Get(i.url + "/readyz")
		if err != nil {
			continue
		}
		_ = answer.Body.Close() // nothing of it is read
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("not ready within %s\n%s", readyWithin, i.out)
}

// interrupt ends the process as Ctrl-C does and checks that it went well.
func (i *instance) interrupt(ctx context.Context) error {
	if err := i.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case <-i.ended:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("the process did not stop: %w\n%s", ctx.Err(), i.out), i.kill())
	}
	if i.err != nil {
		return fmt.Errorf("the process did not stop cleanly: %w\n%s", i.err, i.out)
	}
	for _, bad := range []string{"panic:", "DATA RACE", "level=ERROR"} {
		if strings.Contains(i.out.String(), bad) {
			return fmt.Errorf("the process said %q:\n%s", bad, i.out)
		}
	}
	return nil
}

// kill ends the process without any warning.
func (i *instance) kill() error {
	if err := i.cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-i.ended
	return nil
}

// alive fails the test when the process has ended.
func (i *instance) alive(t testing.TB) {
	t.Helper()
	select {
	case <-i.ended:
		t.Fatalf("the process has ended: %v\n%s", i.err, i.out)
	default:
	}
}

// database returns the connection of the owner, who sees through row-level
// security: for fixtures that no door makes, and to look behind the doors.
func (i *instance) database() string {
	q := url.Values{"host": {filepath.Join(i.dir, "postgres", "socket")}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://" + pg.Owner + "@/foresight?" + q.Encode()
}

// within polls the condition until it holds, and fails the test after the time
// with what was waited for.
func within(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
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
}
