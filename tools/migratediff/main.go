// Command migratediff writes the next migration: the difference between what the
// migrations in a folder make of an empty database and what ent/schema asks for.
//
//	go run ./tools/migratediff -dsn postgres://… -dir migrations -name add_shelves
//
// It needs an owner's DSN to a PostgreSQL 15 server or newer on which it may create
// and drop a scratch database; without -dsn it takes FORESIGHT_OWNER_DSN. It adds
// to what the ORM knows:
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
	"os"
	"os/signal"

	"ariga.io/atlas/sql/migrate"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("migratediff: ")
	var o options
	flag.StringVar(&o.dsn, "dsn", os.Getenv("FORESIGHT_OWNER_DSN"), "owner's DSN of a server for a scratch database")
	flag.StringVar(&o.dir, "dir", "migrations", "folder of the migrations")
	flag.StringVar(&o.name, "name", "", "name of the new migration, snake case")
	flag.BoolVar(&o.drop, "drop", false, "also drop columns and indexes that the schema no longer has")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch file, err := run(ctx, o); {
	case errors.Is(err, migrate.ErrNoPlan):
		fmt.Println("the migrations already make what the schema asks for")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println(file)
	}
}
