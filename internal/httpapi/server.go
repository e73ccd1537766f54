// Package httpapi is the HTTP door: routes, the middleware that every request
// passes, health, and the files of the web application. It knows the graph and
// the token endpoint as handlers only.
//
// A request passes, from the outside: request id, access log and metrics, recovery
// from panics, security headers, CORS, the check for requests forged by other
// sites, body limit, language, authentication, rate limit, and then its route.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// Server listens and serves. It is a lifecycle.Part.
type Server struct {
	addr    string
	log     *slog.Logger
	http    *http.Server
	drainer []func(context.Context) error
	api     *API
	bound   atomic.Pointer[net.TCPAddr]
	done    chan error
}

// NewServer returns a server for the API at an address such as ":8080". The drain
// functions end long connections (WebSocket, event streams) when it stops.
func NewServer(addr string, api *API, log *slog.Logger, drain ...func(context.Context) error) *Server {
	return &Server{addr: addr, log: log, api: api, drainer: drain, http: &http.Server{
		Handler: api,
		// Whole bodies have a deadline of their own (see limitBody): a read deadline
		// of the server would end event streams.
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// Name names the part.
func (*Server) Name() string { return "http" }

// Start binds the address and serves until Stop. An address that is taken is said
// so, with the setting to change.
func (s *Server) Start(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is already in use by another program: stop it or set FORESIGHT_HTTP_ADDR to a free address, such as :8081: %w", s.addr, err)
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %s (FORESIGHT_HTTP_ADDR): %w", s.addr, err)
	}
	s.bound.Store(l.Addr().(*net.TCPAddr))
	s.done = make(chan error, 1)
	go func() { s.done <- s.http.Serve(l) }()
	return nil
}

// Addr returns the address that was bound, nil before Start.
func (s *Server) Addr() *net.TCPAddr { return s.bound.Load() }

// Stop drains: readiness fails first, long connections are ended with a hint to
// come back, no new connection is accepted, and requests that run may finish
// until the context ends.
func (s *Server) Stop(ctx context.Context) error {
	s.api.draining.Store(true)
	var errs []error
	for _, d := range s.drainer {
		errs = append(errs, d(ctx))
	}
	if err := s.http.Shutdown(ctx); err != nil {
		errs = append(errs, err, s.http.Close())
	}
	if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
