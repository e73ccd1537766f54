// Package migrations brings a database to the present schema. The files are goose
// migrations with five-digit numbers, applied in order, each in a transaction:
//
//	00001-00009  roles, relational model, behaviour, look-ups
//	00010-       in order of making, generated (`make migration NAME=…`) or by hand
//
// What a table of tenants needs besides its columns (row-level security, composite
// keys, grants) is written into the generated files; a table made by hand brings it
// itself.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed *.sql
var files embed.FS

// lock is the key of the advisory lock under which a database is migrated.
const lock int64 = 0x666f726573696768 // "foresigh"

// Up applies what is missing and brings the built-in rows up to date. The DSN is
// the owner's. Several processes may call it at once: one works, the others wait
// and find nothing to do.
func Up(ctx context.Context, ownerDSN string) error {
	return locked(ctx, ownerDSN, func(p *goose.Provider, db *sql.DB) error {
		if _, err := p.Up(ctx); err != nil {
			return err
		}
		return seed(ctx, db)
	})
}

// Down takes back all migrations, and with them all data.
func Down(ctx context.Context, ownerDSN string) error {
	return locked(ctx, ownerDSN, func(p *goose.Provider, _ *sql.DB) error {
		_, err := p.DownTo(ctx, 0)
		return err
	})
}

// Version returns the number of the newest migration that the database has, 0 for
// an empty one.
func Version(ctx context.Context, ownerDSN string) (int64, error) {
	var v int64
	err := open(ownerDSN, func(p *goose.Provider, _ *sql.DB) (err error) {
		v, err = p.GetDBVersion(ctx)
		return err
	})
	return v, err
}

// locked calls f while no other process migrates. It takes the lock itself:
// goose's session locker asks again every 5 s only.
func locked(ctx context.Context, dsn string, f func(*goose.Provider, *sql.DB) error) error {
	return open(dsn, func(p *goose.Provider, db *sql.DB) (err error) {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
			return errors.Join(err, conn.Close())
		}
		defer func() {
			_, uerr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lock)
			err = errors.Join(err, uerr, conn.Close())
		}()
		return f(p, db)
	})
}

func open(dsn string, f func(*goose.Provider, *sql.DB) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("migrations: %w", err)
		}
	}()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*cfg)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return err
	}
	return f(p, db)
}

// Latest returns the number of the newest migration that this build carries.
func Latest() int64 {
	names, err := fs.Glob(files, "*.sql")
	if err != nil { // the pattern is good
		panic(err)
	}
	var latest int64
	for _, n := range names {
		if v, err := goose.NumericComponent(n); err == nil && v > latest {
			latest = v
		}
	}
	return latest
}
