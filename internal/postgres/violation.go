package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATE codes of class 23.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	checkViolation      = "23514"
)

// Unique reports whether the error, from the ORM or from pgx, says that a value is
// taken, and by which constraint or index.
func Unique(err error) (constraint string, ok bool) { return violated(err, uniqueViolation) }

// ForeignKey reports whether the error says that a row refers to one that does not
// exist in its tenant, or that a row is still referred to, and by which constraint.
func ForeignKey(err error) (constraint string, ok bool) { return violated(err, foreignKeyViolation) }

// Check reports whether the error says that a value breaks a check, and which.
func Check(err error) (constraint string, ok bool) { return violated(err, checkViolation) }

func violated(err error, code string) (string, bool) {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == code {
		return pe.ConstraintName, true
	}
	return "", false
}
