// Package natsd runs a NATS server with JetStream inside the process for the
// default run and for tests. By default it does not listen: the process's own
// clients connect through memory.
//
// # What an acknowledged write survives
//
// JetStream acknowledges when the write is in the operating system's page cache.
// So the death of the process, by kill -9 too, loses nothing, with any setting. A
// power cut or a crash of the machine loses at most the last SyncInterval; those
// who cannot bear that run three external servers with a replicated log, or set
// SyncAlways, which is slower by a factor of 60 and more (BenchmarkSync).
//
// # A full disk
//
// A stream that could not write takes nothing more until its server is started anew,
// however much room there is later. So the server is watched: Check tells of it, and
// once there is room it is started again on the same store, within a second or two.
// Clients see a lost connection and go on.
package natsd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"foresight/internal/embedded/dirlock"
)

// DefaultSyncInterval bounds what a power cut may take. NATS's own default is two
// minutes; between one second and that the throughput differs by no more than from
// one run to the next (BenchmarkSync).
const DefaultSyncInterval = 10 * time.Second

const readyPoll = 100 * time.Millisecond

// Options says where the server keeps its streams. Only StoreDir is required.
type Options struct {
	// StoreDir holds the streams; it is made when absent.
	StoreDir string
	// SyncInterval is the time between fsyncs of the streams; DefaultSyncInterval when zero.
	SyncInterval time.Duration
	// SyncAlways has every write synced before it is acknowledged.
	SyncAlways bool
	// MaxStoreBytes bounds the disk space of all streams together; zero: three
	// quarters of what is free.
	MaxStoreBytes int64
	// Listen is a TCP address, "127.0.0.1:0" for a free port; empty: none. A
	// listener on anything but the loopback needs User and Password.
	Listen         string
	User, Password string
	// Log receives the server's messages; slog.Default() when nil.
	Log *slog.Logger
}

// Server is one NATS server. It is a lifecycle.Part and a
// nats.InProcessConnProvider.
type Server struct {
	opt  Options
	args []string // of a server of a cluster, as nats-server has them
	logs *logAdapter
	lock *dirlock.Lock
	port int                // of the listener, once it has one
	quit context.CancelFunc // ends the watch
	done chan struct{}      // closed when it has ended

	mu      sync.Mutex
	srv     *server.Server
	failure error // why streams cannot be written to; nil: they can
}

// New returns a server that is not started yet.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.SyncInterval == 0 {
		o.SyncInterval = DefaultSyncInterval
	}
	return &Server{opt: o, logs: &logAdapter{log: o.Log.With("part", "nats")}}
}

// Name implements lifecycle.Part.
func (s *Server) Name() string { return "nats" }

// Start opens the streams and returns when clients can connect and JetStream
// serves. It fails when another process uses StoreDir.
func (s *Server) Start(ctx context.Context) (err error) {
	o, err := s.options()
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	s.opt.StoreDir = o.StoreDir
	if err := os.MkdirAll(s.opt.StoreDir, 0o700); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	if s.lock, err = dirlock.Try(s.opt.StoreDir); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	if err := s.launch(ctx, o); err != nil {
		return errors.Join(fmt.Errorf("nats: %w", err), s.lock.Release())
	}
	if !o.DontListen {
		s.port = s.srv.Addr().(*net.TCPAddr).Port // that of a server that takes its place
	}
	run, quit := context.WithCancel(context.WithoutCancel(ctx))
	s.quit, s.done = quit, make(chan struct{})
	go s.watch(run)
	return nil
}

// launch runs a server with the options until it serves.
func (s *Server) launch(ctx context.Context, o *server.Options) error {
	srv, err := server.NewServer(o)
	if err != nil {
		return err
	}
	srv.SetLoggerV2(s.logs, false, false, false)
	s.logs.last.Store(nil)
	srv.Start()
	for !srv.ReadyForConnections(readyPoll) || !srv.JetStreamEnabled() {
		if err := errors.Join(s.logs.fatal(), ctx.Err()); err != nil {
			shutdown(srv)
			return fmt.Errorf("not ready: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.srv = srv
	return nil
}

func shutdown(srv *server.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

// Stop disconnects the clients and closes the streams.
func (s *Server) Stop(ctx context.Context) error {
	s.quit()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-s.done
		shutdown(s.current())
	}()
	select {
	case <-done:
		return s.lock.Release()
	case <-ctx.Done():
		return fmt.Errorf("nats: shutdown: %w", ctx.Err())
	}
}

func (s *Server) current() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.srv
}

// InProcessConn implements nats.InProcessConnProvider.
func (s *Server) InProcessConn() (net.Conn, error) { return s.current().InProcessConn() }

// ClientURL returns the address of the listener, empty when there is none.
func (s *Server) ClientURL() string {
	if s.port == 0 {
		return ""
	}
	return s.current().ClientURL()
}

func (s *Server) options() (*server.Options, error) {
	if s.args != nil {
		return parse(s.args)
	}
	o := &server.Options{
		ServerName:   "embedded",
		JetStream:    true,
		StoreDir:     s.opt.StoreDir,
		SyncInterval: s.opt.SyncInterval,
		SyncAlways:   s.opt.SyncAlways,
		// All our streams are files; what is in memory is the state of consumers.
		JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore:  s.opt.MaxStoreBytes,
		DontListen:         s.opt.Listen == "",
		Username:           s.opt.User,
		Password:           s.opt.Password,
		NoSigs:             true,
		NoLog:              true,
	}
	if o.DontListen {
		return o, nil
	}
	addr, err := net.ResolveTCPAddr("tcp", s.opt.Listen)
	if err != nil {
		return nil, err
	}
	if !addr.IP.IsLoopback() && (s.opt.User == "" || s.opt.Password == "") {
		return nil, fmt.Errorf("listening on %s needs a user and a password", s.opt.Listen)
	}
	o.Host, o.Port = addr.IP.String(), addr.Port
	if o.Port == 0 {
		o.Port = cmp.Or(s.port, server.RANDOM_PORT)
	}
	return o, nil
}
