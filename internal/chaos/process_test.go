package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a running child that is to be killed, paused and ended.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   *output
	ended chan struct{} // closed when the process has ended
	err   error         // of Wait, valid after ended
}

// output collects what a process prints.
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

// launch starts the command.
func launch(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, out: &output{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	dieWithTests(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		keep(p)
		close(p.ended)
	}()
	return p, nil
}

// keep writes down what the process said, when that was asked for.
func keep(p *process) {
	dir := os.Getenv("FORESIGHT_CHAOS_LOGS")
	if dir == "" {
		return
	}
	name := fmt.Sprintf("%s %d.log", p.name, p.cmd.Process.Pid)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(p.out.String()), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
}

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// kill ends the process without any warning.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.ended
	return nil
}

// terminate ends the process as an orchestrator does, and checks that it went well.
func (p *process) terminate() error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		return errors.Join(fmt.Errorf("%s does not stop\n%s", p.name, p.out), p.kill())
	}
	if p.err != nil {
		return fmt.Errorf("%s did not stop cleanly: %w\n%s", p.name, p.err, p.out)
	}
	return p.sound()
}

// sound returns what the process said that no process may say, whatever happens to it.
func (p *process) sound() error {
	said := p.out.String()
	for _, bad := range []string{"panic:", "DATA RACE", "goroutine 1 ["} {
		if at := strings.Index(said, bad); at >= 0 {
			return fmt.Errorf("%s said: %.4000s", p.name, said[at:])
		}
	}
	return nil
}

// alive fails the test when the process has ended.
func (p *process) alive(t testing.TB) {
	t.Helper()
	if p.over() {
		t.Fatalf("%s has ended: %v\n%s", p.name, p.err, p.out)
	}
}

// over reports whether the process has ended.
func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// member is a process of the product.
type member struct {
	*process
	http string // 127.0.0.1:port
}

// environment of a process: nothing of the developer's own, free ports, and rates that
// the tests of one credential do not reach.
func environment(dir string, settings ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FORESIGHT_") {
			env = append(env, v)
		}
	}
	env = append(env, "FORESIGHT_HTTP_ADDR=127.0.0.1:0", "FORESIGHT_MQTT_ADDR=127.0.0.1:0", "FORESIGHT_DATA_DIR="+dir,
		"FORESIGHT_GRAPH_RATE_PER_SECOND=100000", "FORESIGHT_GRAPH_RATE_BURST=100000")
	return append(env, settings...)
}

// begin runs the binary with the arguments and waits until it serves.
func begin(name, dir string, settings []string, args ...string) (*member, error) {
	bin, err := binary()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = environment(dir, append([]string{"FORESIGHT_LOG_FORMAT=json", "FORESIGHT_LOG_LEVEL=info"}, settings...)...)
	cmd.Dir = filepath.Dir(dir)
	p, err := launch(name, cmd)
	if err != nil {
		return nil, err
	}
	m := &member{process: p}
	if err := m.awaitReady(); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return m, nil
}

// demoReady is how the demo says that it serves; the other commands log it.
var demoReady = regexp.MustCompile(`(?m)^Ready in [0-9.]+ s: http://(\S+)$`)

// awaitReady reads the addresses from what the process says.
func (m *member) awaitReady() error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if said := demoReady.FindStringSubmatch(m.out.String()); said != nil {
			m.http = said[1]
			return nil
		}
		for line := range strings.Lines(m.out.String()) {
			var said struct{ Msg, HTTP string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "ready" {
				m.http = said.HTTP
				return nil
			}
		}
		select {
		case <-m.ended:
			return fmt.Errorf("%s ended before it was ready: %w\n%s", m.name, m.err, m.out)
		case <-deadline.C:
			return fmt.Errorf("%s is not ready within %s\n%s", m.name, patience, m.out)
		case <-tick.C:
		}
	}
}

// url is where the process serves HTTP.
func (m *member) url() string { return "http://" + m.http }

// withTimeout bounds what is done after the context of a test has ended.
func withTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}
