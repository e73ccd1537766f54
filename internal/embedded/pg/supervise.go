package pg

import (
	"context"
	"syscall"
	"time"
)

const maxRelaunchWait = 5 * time.Second

// supervise starts the server again whenever it ends unasked, until Stop.
func (s *Server) supervise() {
	defer close(s.ended)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		p := s.current()
		<-p.exited
		if s.isStopping() {
			return
		}
		s.log.Warn("postgres ended unasked, starting it again", "pid", p.cmd.Process.Pid, "error", p.err)
		if !s.relaunch(ctx) {
			return
		}
	}
}

// relaunch tries until the server answers, and reports false when Stop came first.
func (s *Server) relaunch(ctx context.Context) bool {
	for wait := relaunchWait; ; wait = min(2*wait, maxRelaunchWait) {
		err := s.launchUntilReady(ctx)
		if s.isStopping() { // Stop may have seen the process before this one
			s.kill(syscall.SIGINT)
			return false
		}
		if err == nil {
			return true
		}
		s.log.Error("postgres does not start", "error", err, "next_try", wait)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

func (s *Server) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// kill ends the running process, if any.
func (s *Server) kill(sig syscall.Signal) {
	p := s.current()
	p.signal(sig)
	<-p.exited
}
