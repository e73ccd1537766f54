package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"foresight/ent/document"
	"foresight/internal/id"
)

// The actions that Hook records. Services add their own verbs, such as acknowledge.
const (
	Create  = "create"
	Update  = "update"
	Delete  = "delete"
	Restore = "restore"
)

// Entry tells of one change of one thing.
type Entry struct {
	Action  string  // what was done: a verb
	Entity  string  // name of the entity in the ORM
	ID      id.UUID // of the thing; Nil when it has none
	Changes Changes
}

// Changes are the values before and after by column.
type Changes = map[string]document.Change

// Values are the columns of a row in the form in which JSON has them.
type Values = map[string]any

// secret stands in for values that are nobody's to read.
const secret = "***"

// largest value that is kept as it is, in bytes of JSON.
const largest = 4096

// housekeeping are columns that every change touches and that say nothing of it.
var housekeeping = []string{"id", "tenant_id", "created_at", "created_by", "updated_at", "updated_by", "version", "deleted_at", "deleted_by"}

// Diff returns what differs between two states of a row; nil stands for no row.
// Values that are absent and null are the same. Columns of secrets are named, and
// their values are not: null where there is none, otherwise asterisks.
func Diff(before, after Values) (Changes, error) {
	out := Changes{}
	for _, side := range []Values{before, after} {
		for column := range side {
			if _, done := out[column]; done || slices.Contains(housekeeping, column) {
				continue
			}
			was, err := json.Marshal(before[column])
			if err != nil {
				return nil, fmt.Errorf("audit: %s: %w", column, err)
			}
			is, err := json.Marshal(after[column])
			if err != nil {
				return nil, fmt.Errorf("audit: %s: %w", column, err)
			}
			if bytes.Equal(was, is) {
				continue
			}
			out[column] = document.Change{Before: told(column, was), After: told(column, is)}
		}
	}
	return out, nil
}

// told is the value as it may be kept.
func told(column string, value []byte) any {
	switch {
	case string(value) == "null":
		return nil
	case isSecret(column):
		return secret
	case len(value) > largest:
		return fmt.Sprintf("(%d bytes)", len(value))
	}
	return json.RawMessage(value)
}

// isSecret reports whether the column holds what nobody reads: hashes of passwords,
// keys and tokens, and what is sealed. Digests of data are no secrets.
func isSecret(column string) bool {
	switch column {
	case "dataset_hash", "feature_schema_hash", "request_hash":
		return false
	}
	return strings.HasSuffix(column, "_hash") || strings.HasSuffix(column, "_ciphertext")
}
