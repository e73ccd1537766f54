package transport

import (
	"context"
	"math/rand/v2"
	"time"
)

// Session is what an accepted credential gives to a long connection.
type Session struct {
	// Context is the one that operations run in; it is derived from the context
	// that was passed to the function that made the session. Nil means that one.
	Context context.Context
	// ExpiresAt ends the connection, a little before; zero means never.
	ExpiresAt time.Time
	// Revoked ends the connection when it is closed: the session was ended, or its
	// rights changed. Nil means never.
	Revoked <-chan struct{}
	// Release is called once when the connection has ended. It may be nil.
	Release func()
	// Ack is the payload of connection_ack. It may be nil.
	Ack map[string]any
}

// maxJitter bounds how long before its expiry a session ends.
const maxJitter = 30 * time.Second

// lifetime returns how long the session may still last. Connections that were
// opened together would all come back together, so each ends a random part of
// the last tenth of its time early, never late.
func (s *Session) lifetime(now time.Time) time.Duration {
	d := s.ExpiresAt.Sub(now)
	if d <= 0 {
		return 0
	}
	return d - time.Duration(rand.Int64N(int64(min(d/10, maxJitter))+1))
}

// watch calls end when the session is over, until the context is done. The
// returned function stops the watch and releases the session.
func (s *Session) watch(ctx context.Context, end func(reason string)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	var expiry <-chan time.Time
	var timer *time.Timer
	if !s.ExpiresAt.IsZero() {
		timer = time.NewTimer(s.lifetime(time.Now()))
		expiry = timer.C
	}
	go func() {
		defer close(done)
		select {
		case <-expiry:
			end("Token expired")
		case <-s.Revoked:
			end("Session revoked")
		case <-ctx.Done():
		}
	}()
	return func() {
		cancel()
		<-done
		if timer != nil {
			timer.Stop()
		}
		if s.Release != nil {
			s.Release()
		}
	}
}
