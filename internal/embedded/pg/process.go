package pg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	readyPoll    = 10 * time.Millisecond
	readyTimeout = 60 * time.Second // of one launch; crash recovery takes its time
	relaunchWait = 250 * time.Millisecond
	maxLogBytes  = 8 << 20 // an older log is set aside at the next start
)

// process is one run of the postmaster.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed at its end
	err    error         // valid after exited
}

func (p *process) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) } // an ended one is fine

func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("postgres: shutdown cut short: %w", ctx.Err())
	}
}

// settings returns the server's command line.
func (s *Server) settings() []string {
	set := map[string]string{
		"listen_addresses":        "",
		"port":                    "5432", // a part of the socket's name only
		"unix_socket_directories": s.socket,
		"unix_socket_permissions": "0700",
		"max_connections":         strconv.Itoa(s.opt.MaxConnections),
		"shared_buffers":          "128MB",
		"jit":                     "off", // short statements only
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"logging_collector":       "off",
		"log_min_messages":        "log", // severities LOG, FATAL, PANIC: no ERROR, whose detail may hold data
		"log_min_error_statement": "panic",
		"log_checkpoints":         "off",
		// Nobody replicates a private server. Readings fill the write-ahead log fast, and each
		// checkpoint makes what follows write whole pages again.
		"wal_level":          "minimal",
		"max_wal_senders":    "0",
		"wal_buffers":        "16MB",
		"max_wal_size":       "4GB",
		"checkpoint_timeout": "15min",
	}
	if s.opt.Volatile {
		for k, v := range map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
			"checkpoint_timeout": "1h",
		} {
			set[k] = v
		}
	}
	for k, v := range s.opt.Settings {
		set[k] = v
	}
	names := make([]string, 0, len(set))
	for k := range set {
		names = append(names, k)
	}
	sort.Strings(names)
	args := []string{"-D", s.data()}
	for _, k := range names {
		args = append(args, "-c", k+"="+set[k])
	}
	return args
}

// launchUntilReady launches, again while the remains of an earlier run still hold
// the shared memory: the backends of a killed postmaster take a moment to notice.
func (s *Server) launchUntilReady(ctx context.Context) error {
	const tries = 20
	for try := 1; ; try++ {
		err := s.launch(ctx)
		if err == nil {
			return nil
		}
		if try == tries || !strings.Contains(err.Error(), "shared memory block") {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(relaunchWait):
		}
	}
}

// launch starts the postmaster and waits until it answers a query.
func (s *Server) launch(ctx context.Context) error {
	out, err := s.openLog()
	if err != nil {
		return err
	}
	defer out.Close()
	mark, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	p := &process{cmd: exec.Command(s.bin.path("postgres"), s.settings()...), exited: make(chan struct{})}
	s.shape(p.cmd)
	s.dieWithParent(p.cmd)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.start(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()

	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		err := s.answers(ctx)
		if err == nil {
			s.log.Debug("postgres answers", "pid", p.cmd.Process.Pid, "took", time.Since(begin), "major", s.bin.Major, "user", s.user.name)
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("postgres: ended at the start: %w: %s", p.err, logSince(out.Name(), mark))
		case <-ctx.Done():
			p.signal(syscall.SIGQUIT)
			<-p.exited
			return fmt.Errorf("postgres: no answer after %s: %w: %s", time.Since(begin).Round(time.Millisecond), err, logSince(out.Name(), mark))
		case <-tick.C:
		}
	}
}

// start forks from a goroutine that keeps its thread until the child has ended:
// the kernel's parent-death signal is tied to the forking thread, and Go ends
// threads as it likes.
func (p *process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if p.err = p.cmd.Wait(); p.err == nil {
			p.err = errors.New("exit status 0")
		}
		close(p.exited)
	}()
	return <-started
}

func (s *Server) answers(ctx context.Context) error {
	c, err := pgx.Connect(ctx, s.DSN(Superuser, "postgres"))
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

func (s *Server) openLog() (*os.File, error) {
	path := filepath.Join(s.opt.Dir, "postgres.log")
	if fi, err := os.Stat(path); err == nil && fi.Size() > maxLogBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("postgres: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return f, nil
}

// logSince returns the end of what the server wrote after the mark.
func logSince(path string, mark int64) string {
	text, err := os.ReadFile(path)
	if err != nil || int64(len(text)) < mark {
		return ""
	}
	return tail(string(text[mark:]))
}
