package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	entmigrate "foresight/ent/migrate"
)

type options struct {
	dsn, dir, name string
	drop           bool
}

var namePattern = regexp.MustCompile(`^[a-z0-9_]+$`)

// run writes the next migration and returns its path, or migrate.ErrNoPlan when
// there is nothing to change.
func run(ctx context.Context, o options) (string, error) {
	switch {
	case !namePattern.MatchString(o.name):
		return "", errors.New("the name must be snake case")
	case o.dsn == "":
		return "", errors.New("no server")
	}
	// Work on a copy: atlas wants a sum file beside the migrations, which would
	// make every two branches that add one collide.
	work, err := os.MkdirTemp("", "migratediff")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	known, err := copySQL(o.dir, work)
	if err != nil {
		return "", err
	}
	dir, err := sqltool.NewGooseDir(work)
	if err != nil {
		return "", err
	}
	sum, err := dir.Checksum()
	if err != nil {
		return "", err
	}
	if err := migrate.WriteSumFile(dir, sum); err != nil {
		return "", err
	}
	if err := scratch(ctx, o.dsn, func(database *url.URL) error { return diff(ctx, database, dir, o) }); err != nil {
		return "", err
	}
	return copyNew(work, o.dir, known)
}

// atlas opens databases by their URL, with the driver of this name.
func init() { sql.Register(dialect.Postgres, stdlib.GetDefaultDriver()) }

func diff(ctx context.Context, database *url.URL, dir migrate.Dir, o options) error {
	next, err := nextNumber(o.dir)
	if err != nil {
		return err
	}
	// Bound to the one schema: others, such as that of the job queue, are no matter of
	// the ORM's.
	q := database.Query()
	q.Set("search_path", "public")
	database.RawQuery = q.Encode()
	m, err := schema.NewMigrateURL(database.String(),
		schema.WithSchemaName("public"),
		schema.WithDir(dir),
		schema.WithFormatter(formatter{number: next}),
		schema.WithMigrationMode(schema.ModeReplay),
		schema.WithErrNoPlan(true),
		schema.WithIndent("  "),
		schema.WithDropColumn(o.drop),
		schema.WithDropIndex(o.drop),
		schema.WithDiffHook(tenantKeys),
	)
	if err != nil {
		return err
	}
	return m.NamedDiff(ctx, o.name, withChecks(entmigrate.Tables)...)
}

// scratch calls f with the URL of a fresh database, which it drops afterwards.
func scratch(ctx context.Context, dsn string, f func(*url.URL) error) (err error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	database, err := url.Parse(dsn)
	if err != nil || database.Scheme == "" {
		return errors.New("the DSN must be a URL, postgres://…")
	}
	admin, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	name := "migratediff_" + strings.ToLower(rand.Text()[:12])
	ident := pgx.Identifier{name}.Sanitize()
	// A cancelled ctx must not leave the database behind.
	cleanup := context.WithoutCancel(ctx)
	defer func() {
		_, derr := admin.Exec(cleanup, "DROP DATABASE IF EXISTS "+ident+" WITH (FORCE)")
		err = errors.Join(err, derr, admin.Close(cleanup))
	}()
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+ident+" TEMPLATE template0"); err != nil {
		return err
	}
	database.Path = "/" + name
	return f(database)
}

// copySQL copies the migrations and returns their names.
func copySQL(from, to string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(from, "*.sql"))
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(files))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		names[filepath.Base(f)] = true
		if err := os.WriteFile(filepath.Join(to, filepath.Base(f)), b, 0o644); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// copyNew copies the one migration that is not known yet and returns its path.
func copyNew(from, to string, known map[string]bool) (string, error) {
	files, err := filepath.Glob(filepath.Join(from, "*.sql"))
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if known[filepath.Base(f)] {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		path := filepath.Join(to, filepath.Base(f))
		return path, os.WriteFile(path, b, 0o644)
	}
	return "", fmt.Errorf("no new migration was written to %s", from)
}
