// Package schema describes the entities of the relational model, one per file.
// Columns are those of the tables; what an edge may refer to is narrowed to the
// tenant by composite keys that the migrations add to every foreign key.
package schema

import (
	"fmt"
	"regexp"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Lengths of texts, in characters.
const (
	maxCode  = 100
	maxName  = 200
	maxText  = 2000
	maxPath  = 500
	maxChunk = 16384 // passages and answers
)

// maxCiphertext is the length of sealed secrets, in bytes.
const maxCiphertext = 8192

// codePattern is what codes in topics and imports look like.
var codePattern = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// code is a stable name that people, topics and imports use.
func code(name, comment string) ent.Field {
	return field.String(name).MaxLen(maxCode).Match(codePattern).
		Comment(comment + "; lower-case letters, digits, _ and -")
}

// codeCheck is the database's form of codePattern.
func codeCheck(column string) string { return fmt.Sprintf(`%s ~ '^[a-z0-9_-]{1,100}$'`, column) }

// dateOnly makes a time field a calendar date.
var dateOnly = map[string]string{dialect.Postgres: "date"}

// uniqueAlive is unique within the tenant among rows that are not deleted.
func uniqueAlive(column string) ent.Index {
	return index.Fields("tenant_id", column).Unique().Annotations(entsql.IndexWhere("NOT is_deleted"))
}

// NullsNotDistinct ends the name of a unique index to which nulls are equal; the
// migrations read it, since ent has no annotation for it.
const NullsNotDistinct = "_nulls_not_distinct"

// uniqueCatalogue is unique within a tenant, and among the built-in rows, whose
// tenant is null.
func uniqueCatalogue(table, column string) ent.Index {
	return index.Fields("tenant_id", column).Unique().StorageKey(table + "_" + column + NullsNotDistinct)
}
