package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"foresight/internal/embedded/dirlock"
)

// scripts are the clients from npm with which the transports are tested, too.
const scripts = "../../graph/transport/testdata/js"

// node returns the command of a script, whose packages are installed when they are
// not there.
func node(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	modules(t, scripts)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, args...)...)
	cmd.Dir = scripts
	return cmd
}

// modules installs the packages of a directory when they are not there. The lock
// keeps two test binaries from installing at once.
func modules(t testing.TB, dir string) {
	t.Helper()
	gate := filepath.Join(os.TempDir(), fmt.Sprintf("foresight-npm-%d", os.Getuid()))
	if err := os.MkdirAll(gate, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := dirlock.Wait(gate)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil {
		return
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// lines is a running program that prints one item a line.
type lines struct {
	t     testing.TB
	mu    sync.Mutex
	got   []string
	ended chan struct{}
}

// stream starts the command and collects its lines; closing its input, and after
// that killing it, ends it with the test.
func stream(t testing.TB, cmd *exec.Cmd) *lines {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &lines{t: t, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		l.read(out)
	}()
	t.Cleanup(func() {
		_ = in.Close()         // it may have ended
		_ = cmd.Process.Kill() // likewise
		<-l.ended
		_ = cmd.Wait() // it was killed
	})
	return l
}

func (l *lines) read(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		l.mu.Lock()
		l.got = append(l.got, s.Text())
		l.mu.Unlock()
	}
}

// await returns the first line that matches.
func (l *lines) await(what string, match func(string) bool) string {
	l.t.Helper()
	found := ""
	within(l.t, patience, what, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, line := range l.got {
			if match(line) {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// containing matches lines with the text.
func containing(text string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, text) }
}

// printed runs the command to its end and returns what it prints.
func printed(t testing.TB, cmd *exec.Cmd) []byte {
	t.Helper()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, complaint.String())
	}
	return out
}
