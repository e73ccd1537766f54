package natsd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// ErrNoRoom says that the disk of the store is full, or nearly so.
var ErrNoRoom = errors.New("no room on the disk of the log")

const (
	// lookEvery is how often the streams are looked at; a start that mends nothing is
	// repeated after twice the time, up to restartMost.
	lookEvery   = time.Second
	restartMost = 30 * time.Second
	// minRoom is the room on the disk, in bytes, below which it counts as full: enough to
	// write the state of every stream, so that starting anew is of use.
	minRoom = 16 << 20
)

// Check returns why streams cannot be written to, as of the last look: ErrNoRoom, or
// another failure to write. It asks nobody.
func (s *Server) Check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// watch looks at the streams until ctx ends.
func (s *Server) watch(ctx context.Context) {
	defer close(s.done)
	pause := lookEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		broken := writeFailure(s.current())
		room := roomLeft(s.opt.StoreDir)
		s.note(broken, room)
		if broken == nil || room < minRoom {
			pause = lookEvery
			continue
		}
		s.logs.log.Warn("streams could not be written to, and there is room: starting anew", "error", broken, "room_bytes", room)
		if err := s.restart(ctx); err != nil && ctx.Err() == nil {
			s.logs.log.Error("NATS does not start", "error", err)
		}
		pause = min(2*pause, restartMost)
	}
}

// note keeps the failure for Check.
func (s *Server) note(broken error, room uint64) {
	var failure error
	switch {
	case room < minRoom:
		failure = errors.Join(fmt.Errorf("nats: %w: %d bytes left", ErrNoRoom, room), broken)
	case broken != nil && strings.Contains(broken.Error(), "no space left"):
		failure = fmt.Errorf("nats: %w: %w", ErrNoRoom, broken)
	case broken != nil:
		failure = fmt.Errorf("nats: %w", broken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil && failure != nil {
		s.logs.log.Error("streams cannot be written to", "error", failure)
	}
	s.failure = failure
}

// restart runs another server on the same store, at the same address.
func (s *Server) restart(ctx context.Context) error {
	o, err := s.options()
	if err != nil {
		return err
	}
	shutdown(s.current())
	return s.launch(ctx, o)
}

// writeFailure returns the error that keeps a stream from being written to. The server
// keeps the first one, and answers appends with silence from then on.
func writeFailure(srv *server.Server) error {
	if !srv.JetStreamEnabled() { // it turns itself off on some errors
		return errors.New("JetStream is off")
	}
	var errs []error
	for _, e := range srv.Healthz(&server.HealthzOptions{Details: true}).Errors {
		if e.Type == server.HealthzErrorStream && strings.Contains(e.Error, "write error") {
			errs = append(errs, errors.New(e.Error))
		}
	}
	return errors.Join(errs...)
}
