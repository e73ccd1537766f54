package training

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"foresight/inference/training"
	"foresight/internal/fault"
)

// TrainerName is the trainer's program, which is looked for beside the server's.
const TrainerName = "foresight-trainer"

// Trainer runs the trainer as a child process. The zero value finds it beside the
// running program and takes the defaults. It is safe for concurrent use.
type Trainer struct {
	Path string // of the program; empty: TrainerName beside the running one
	// Memory is the most that the process may write to, in bytes; 8 GiB when 0. It holds on
	// Linux (RLIMIT_DATA); elsewhere there is no limit.
	Memory int64
	Time   time.Duration // of one process; 2 h when 0
}

// The defaults of a Trainer.
const (
	defaultMemory = 8 << 30
	defaultTime   = 2 * time.Hour
)

// drainWithin is how long the pipes may stay open behind the end of the trainer: what it
// has printed is still being read then, and told of, for which the database may be slow.
const drainWithin = time.Minute

// ErrNoTrainer says that there is no trainer here.
var ErrNoTrainer = fault.New(fault.TrainerUnavailable, "error.training.trainer")

// Find returns the path of the program, or ErrNoTrainer.
func (t *Trainer) Find() (string, error) {
	path := t.Path
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return "", ErrNoTrainer.Because(err)
		}
		path = filepath.Join(filepath.Dir(self), TrainerName)
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return "", ErrNoTrainer.Because(err)
	}
	return filepath.Abs(path)
}

// usage is what a process took.
type usage struct {
	wall time.Duration
	peak int64 // resident memory, bytes; 0: not known
}

func (u *usage) add(o usage) { u.wall, u.peak = u.wall+o.wall, max(u.peak, o.peak) }

// errTooLong is the cause of a context whose process took too long.
var errTooLong = errors.New("training: the trainer took too long")

// run runs the trainer in a folder, to which the request's paths are relative, and
// waits for its end. What it prints goes to the log, and the rounds that it tells of
// to progress. The process and its group are killed when the context ends, when it
// takes too long, and when this process dies. What the trainer itself did wrong is a
// fault.Error and will not be mended by another try.
func (t *Trainer) run(ctx context.Context, dir string, r *training.Request, log *runLog, progress func(round int, metric float64)) (u usage, err error) {
	path, err := t.Find()
	if err != nil {
		return u, err
	}
	request, err := json.Marshal(r)
	if err != nil {
		return u, err
	}
	limit, memory := t.Time, t.Memory
	if limit == 0 {
		limit = defaultTime
	}
	if memory == 0 {
		memory = defaultMemory
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTooLong)
	defer cancel()
	// The kernel ends the child when the thread that made it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tail := &tailWriter{max: 4 << 10}
	c := exec.CommandContext(ctx, path)
	c.Dir, c.Env = dir, environment()
	c.Stdout = io.MultiWriter(log, &progressReader{tell: progress})
	c.Stderr = io.MultiWriter(log, tail)
	c.Cancel = func() error { return kill(c.Process) }
	c.WaitDelay = drainWithin
	prepare(c)
	in, err := c.StdinPipe()
	if err != nil {
		return u, err
	}
	begin := time.Now()
	if err := c.Start(); err != nil {
		return u, fmt.Errorf("training: start the trainer: %w", err)
	}
	// It waits for its request, and so allocates nothing before the limits hold.
	err = confine(c.Process.Pid, memory)
	if err == nil {
		_, err = in.Write(request)
	}
	if cerr := in.Close(); err == nil {
		err = cerr
	}
	if err != nil && !errors.Is(err, syscall.EPIPE) { // a dead one is told of below
		cancel()
		return u, errors.Join(fmt.Errorf("training: start the trainer: %w", err), c.Wait())
	}
	werr := c.Wait()
	u = usage{time.Since(begin), peakMemory(c.ProcessState)}
	if cause := context.Cause(ctx); cause != nil && werr != nil {
		if errors.Is(cause, errTooLong) {
			return u, fault.New(fault.BadInput, "error.training.tooLong").With("Minutes", int(limit.Minutes())).Because(werr)
		}
		return u, cause
	}
	if errors.Is(werr, exec.ErrWaitDelay) { // not its fault, and something of its output is lost
		return u, fmt.Errorf("training: read the trainer's output: %w", werr)
	}
	if werr != nil {
		return u, verdict(c.ProcessState, tail.String(), memory, werr)
	}
	return u, nil
}

// environment is what the trainer gets of ours: nothing that is a secret.
func environment() (out []string) {
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+v)
		}
	}
	return append(out, "LC_ALL=C")
}

// starved is what a process says that gets no more memory: Go's runtime, the C++
// library, the system.
var starved = []string{"out of memory", "bad_alloc", "cannot allocate memory", "Cannot allocate memory"}

// verdict says why a trainer failed of which nobody asked to end.
func verdict(s *os.ProcessState, stderr string, memory int64, cause error) error {
	cause = fmt.Errorf("training: %w: %s", cause, strings.TrimSpace(stderr))
	outOfMemory := fault.New(fault.BadInput, "error.training.memory").With("MiB", memory>>20).Because(cause)
	for _, sign := range starved {
		if strings.Contains(stderr, sign) {
			return outOfMemory
		}
	}
	if signal := signalOf(s); signal != "" {
		if signal == syscall.SIGKILL.String() { // the system's own choice, when memory is short
			return outOfMemory
		}
		return fault.New(fault.BadInput, "error.training.crashed").With("Reason", signal).Because(cause)
	}
	if s.ExitCode() == 1 {
		reason := strings.TrimSpace(stderr)
		if i := strings.LastIndex(reason, "trainer: "); i >= 0 {
			reason = reason[i+len("trainer: "):]
		}
		return fault.New(fault.BadInput, "error.training.refused").With("Reason", short(reason, 300)).Because(cause)
	}
	return fault.New(fault.BadInput, "error.training.crashed").With("Reason", fmt.Sprintf("exit status %d", s.ExitCode())).Because(cause)
}

// short is the beginning of a text, of the first line.
func short(s string, n int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// progressReader reads the lines {"round": 12, "metric": 0.41}; others are left aside.
type progressReader struct {
	tell func(round int, metric float64)
	line []byte
}

// maxLine bounds a line that is looked at.
const maxLine = 4 << 10

// Write implements io.Writer.
func (p *progressReader) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		part, rest, whole := bytes.Cut(b, []byte{'\n'})
		if room := maxLine - len(p.line); len(part) > room {
			part = part[:max(0, room)]
		}
		p.line, b = append(p.line, part...), rest
		if !whole {
			break
		}
		var at struct {
			Round  *int     `json:"round"`
			Metric *float64 `json:"metric"`
		}
		if json.Unmarshal(p.line, &at) == nil && at.Round != nil && at.Metric != nil && *at.Round >= 0 {
			p.tell(*at.Round, *at.Metric)
		}
		p.line = p.line[:0]
	}
	return n, nil
}

// tailWriter keeps the end of what is written.
type tailWriter struct {
	max int
	b   []byte
}

// Write implements io.Writer.
func (t *tailWriter) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	if over := len(t.b) - t.max; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

// String returns what is kept.
func (t *tailWriter) String() string { return string(t.b) }
