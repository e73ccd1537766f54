// Package postgres opens the pools by which the product talks to PostgreSQL, with
// the tenant of the context set on every connection for row-level security, and
// gives the ORM, plain pgx and job queues one transaction to share.
//
// The tenant travels in the context (internal/tenancy) and in the setting
// app.tenant_id of the connection. A connection is handed out for a context only
// after its setting agrees; without a tenant the setting is empty and row-level
// security shows nothing. There must be no pooler in transaction mode in between.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"foresight/internal/tenancy"
)

// Options of a pool. Zero values mean what the DSN says, else the defaults.
type Options struct {
	// Name is the application_name that the server shows, "foresight" by default.
	Name string
	// MaxConns bounds the pool; pgxpool's default is the larger of 4 and the CPUs.
	MaxConns int32
	// StatementTimeout ends statements that take longer, 30 s by default; negative: never.
	StatementTimeout time.Duration
	// IdleInTransactionTimeout ends transactions whose owner has stopped talking, so
	// that their locks do not outlive a stalled process; 30 s by default, negative: never.
	IdleInTransactionTimeout time.Duration
	// Tracer is told of every statement; nil: none.
	Tracer pgx.QueryTracer
}

const (
	defaultName    = "foresight"
	defaultTimeout = 30 * time.Second
)

// tenantSetting is what the policies of the tables read.
const tenantSetting = "app.tenant_id"

// tenantKey is where a connection remembers the tenant that its setting holds.
const tenantKey = "foresight.tenant"

// Open returns a pool whose connections act for the tenant of the context with
// which they are acquired. It fails when the server cannot be reached. The pool
// is safe for concurrent use; close it after everything that uses it.
func Open(ctx context.Context, dsn string, o Options) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The text of a parse error may hold the password.
		return nil, fmt.Errorf("postgres: the DSN is malformed")
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.ConnConfig.Tracer = o.Tracer
	params := cfg.ConnConfig.RuntimeParams
	setDefault(params, "application_name", o.Name, defaultName)
	setTimeout(params, "statement_timeout", o.StatementTimeout)
	setTimeout(params, "idle_in_transaction_session_timeout", o.IdleInTransactionTimeout)
	params["timezone"] = "UTC"
	cfg.PrepareConn = func(ctx context.Context, c *pgx.Conn) (bool, error) {
		err := setTenant(ctx, c)
		return err == nil, err // a connection of unknown tenant is destroyed
	}
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		pgxuuid.Register(c.TypeMap()) // else ids travel as text, through driver.Valuer
		c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}}) // else times come in the zone of the machine
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return pool, nil
}

// OpenDB returns database/sql over the pool. Connections that database/sql keeps
// idle would be used again without asking the pool, with the tenant of whoever
// had them before; so the tenant is set on that way, too. Closing the result
// leaves the pool open.
func OpenDB(pool *pgxpool.Pool) *sql.DB {
	return stdlib.OpenDBFromPool(pool, stdlib.OptionResetSession(setTenant))
}

// setTenant makes the connection act for the tenant of the context. It talks to
// the server only when the tenant changes.
func setTenant(ctx context.Context, c *pgx.Conn) error {
	want := ""
	if t, ok := tenancy.ID(ctx); ok {
		want = t.String()
	}
	data := c.PgConn().CustomData()
	if have, ok := data[tenantKey].(string); ok && have == want {
		return nil
	}
	delete(data, tenantKey) // unknown until the server has said yes
	if _, err := c.Exec(ctx, "SELECT set_config($1, $2, false)", tenantSetting, want); err != nil {
		return fmt.Errorf("postgres: set the tenant: %w", err)
	}
	data[tenantKey] = want
	return nil
}

func setDefault(params map[string]string, name, value, otherwise string) {
	switch {
	case value != "":
		params[name] = value
	case params[name] == "":
		params[name] = otherwise
	}
}

func setTimeout(params map[string]string, name string, d time.Duration) {
	value := ""
	switch {
	case d < 0:
		value = "0"
	case d > 0:
		value = fmt.Sprintf("%dms", max(1, d.Milliseconds()))
	}
	setDefault(params, name, value, fmt.Sprintf("%dms", defaultTimeout.Milliseconds()))
}
