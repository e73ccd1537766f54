package testkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/embedded/pg"
	"foresight/migrations"
)

// The roles of requests and of the pipeline; the migrations create them.
const (
	appRole    = "foresight_app"
	workerRole = "foresight_worker"
	template   = "template_foresight"
)

// DB is a database of one test.
type DB struct {
	Name      string
	OwnerDSN  string // sees through row-level security; for migrations and fixtures
	AppDSN    string // requests: under row-level security
	WorkerDSN string // pipeline: under row-level security
}

// NewDB returns a fresh database with the present schema, dropped after the test.
// Tests may run in parallel.
func NewDB(t testing.TB) *DB {
	t.Helper()
	c := theCluster(t)
	if err := c.migrated(); err != nil {
		t.Fatal(err)
	}
	return c.create(t, " TEMPLATE "+template)
}

// NewEmptyDB returns a fresh database without any table, dropped after the test.
func NewEmptyDB(t testing.TB) *DB {
	t.Helper()
	return theCluster(t).create(t, "")
}

// cluster is the server that all tests of the binary share.
type cluster struct {
	dir      workdir
	server   *pg.Server
	number   atomic.Int64 // of databases made
	migrated func() error // makes the template, once
}

var shared struct {
	sync.Mutex
	cluster *cluster
	err     error
}

func theCluster(t testing.TB) *cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = startCluster()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

func startCluster() (*cluster, error) {
	dir, err := newWorkdir()
	if err != nil {
		return nil, fmt.Errorf("testkit: %w", err)
	}
	c := &cluster{dir: dir, server: pg.New(pg.Options{
		Dir: filepath.Join(dir.path, "pg"), Volatile: true, MaxConnections: 300,
		Log: slog.New(slog.DiscardHandler),
	})}
	ctx, cancel := context.WithTimeout(context.Background(), 2*Patience)
	defer cancel()
	if err := c.server.Start(ctx); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	c.migrated = sync.OnceValue(c.makeTemplate)
	return c, nil
}

func stopCluster() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return errors.Join(shared.cluster.server.Stop(ctx), shared.cluster.dir.remove())
}

func (c *cluster) makeTemplate() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*Patience)
	defer cancel()
	if err := c.server.EnsureDatabase(ctx, template); err != nil {
		return err
	}
	if err := migrations.Up(ctx, c.server.DSN(pg.Owner, template)); err != nil {
		return fmt.Errorf("testkit: migrate the template: %w", err)
	}
	// A template to which anybody is connected cannot be cloned.
	return c.exec(ctx, "ALTER DATABASE "+template+" ALLOW_CONNECTIONS false")
}

func (c *cluster) create(t testing.TB, from string) *DB {
	t.Helper()
	name := fmt.Sprintf("test_%d", c.number.Add(1))
	if err := c.exec(t.Context(), "CREATE DATABASE "+name+" OWNER "+pg.Owner+from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience) // the test's own has ended
		defer cancel()
		if err := c.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return &DB{
		Name:      name,
		OwnerDSN:  c.server.DSN(pg.Owner, name),
		AppDSN:    c.server.DSN(appRole, name),
		WorkerDSN: c.server.DSN(workerRole, name),
	}
}

func (c *cluster) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.server.DSN(pg.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("testkit: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	if err != nil {
		err = fmt.Errorf("testkit: %s: %w", sql, err)
	}
	return errors.Join(err, conn.Close(ctx))
}
