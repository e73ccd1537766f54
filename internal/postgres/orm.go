package postgres

import (
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"foresight/ent"
	_ "foresight/ent/runtime" // policies, hooks and interceptors of the entities
	"foresight/internal/audit"
)

// Client returns the ORM over the database, which must come from OpenDB so that
// connections act for the tenant of the context. Each mutation is a transaction, with
// its entry in the audit log.
func Client(db *sql.DB) *ent.Client {
	d := &driver{entsql.OpenDB(dialect.Postgres, db)}
	c := ent.NewClient(ent.Driver(d))
	c.Use(d.atomic, audit.Hook)
	return c
}
