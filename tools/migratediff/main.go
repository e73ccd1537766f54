// Command migratediff writes the next migration: the difference between what the
// migrations in a folder make of an empty database and what ent/schema asks for.
//
//	go run ./tools/migratediff add_shelves
//
// The name of the new migration is snake case. The command starts a PostgreSQL of
// its own for the time; with -dsn it takes an owner's DSN, a URL, of a server (15 or
// newer) on which it may create and drop a scratch database. It adds to what the ORM
// knows:
//
//   - composite foreign keys (tenant_id, x_id) -> x(tenant_id, id), so that no edge
//     leads into another tenant, and keys of people to memberships;
//   - checks of enumerations and lengths;
//   - for every new table row-level security, policies and grants.
//
// Tables, columns, indexes, functions and triggers that were written by hand stay
// as they are: nothing is dropped unless -drop is given, and then only columns and
// indexes of the ORM's own tables. Read the file before committing it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"

	"ariga.io/atlas/sql/migrate"

	"foresight/internal/embedded/pg"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("migratediff: ")
	var o options
	flag.StringVar(&o.dsn, "dsn", "", "owner's DSN of a server for a scratch database; empty: start one")
	flag.StringVar(&o.dir, "dir", "migrations", "folder of the migrations")
	flag.BoolVar(&o.drop, "drop", false, "also drop columns and indexes that the schema no longer has")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("give the name of the migration, such as add_shelves")
	}
	o.name = flag.Arg(0)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var file string
	err := withServer(ctx, o.dsn, func(dsn string) (err error) {
		o.dsn = dsn
		file, err = run(ctx, o)
		return err
	})
	switch {
	case errors.Is(err, migrate.ErrNoPlan):
		fmt.Println("the migrations already make what the schema asks for")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println(file)
	}
}

// withServer calls f with the DSN, or with that of a private server for the time.
func withServer(ctx context.Context, dsn string, f func(dsn string) error) (err error) {
	if dsn != "" {
		return f(dsn)
	}
	dir, err := os.MkdirTemp("", "migratediff")
	if err != nil {
		return err
	}
	// PostgreSQL does not run as root; the user that it runs as must reach its files.
	if err := os.Chmod(dir, 0o755); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server := pg.New(pg.Options{Dir: filepath.Join(dir, "pg"), Volatile: true, Log: slog.New(slog.DiscardHandler)})
	if err := server.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	return f(server.DSN(pg.Owner, "postgres"))
}
