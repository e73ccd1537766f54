package postgres

import (
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"foresight/ent"
	_ "foresight/ent/runtime" // policies, hooks and interceptors of the entities
)

// Client returns the ORM over the database, which must come from OpenDB so that
// connections act for the tenant of the context.
func Client(db *sql.DB) *ent.Client {
	return ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db)))
}
