package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endOrphan shuts down a server that outlived its parent.
func (s *Server) endOrphan(ctx context.Context) error {
	pid := s.orphan()
	if pid == 0 {
		return nil
	}
	s.log.Warn("shutting down a postgres that outlived its parent", "pid", pid)
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("postgres: orphan %d: %w", pid, err)
	}
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for s.orphan() == pid {
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres: orphan %d does not end: %w", pid, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// orphan returns the pid of postmaster.pid when a live postmaster of this cluster
// has it; pids are used again, so the command line decides.
func (s *Server) orphan() int {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return 0
	}
	if line := commandLine(pid); !strings.Contains(line, "postgres") || !strings.Contains(line, s.data()) {
		return 0
	}
	return pid
}
