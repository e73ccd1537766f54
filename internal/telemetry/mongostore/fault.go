package mongostore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"

	"foresight/internal/fault"
	"foresight/internal/telemetry"
)

// Codes of the server.
const (
	codeNamespaceExists = 48
	codeDuplicateKey    = 11000
)

// refusals say that a document itself is at fault, and stays so when it is sent again:
// BadValue, InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge, "document is
// larger than the maximum size", "key too large to index".
var refusals = []int{2, 22, 121, 10334, 17420, 17280}

// errRefused is wrapped by what this package itself finds wrong with a document.
var errRefused = errors.New("document refused")

// errForm says that a stored document is not of the form that this package writes.
var errForm = errors.New("document of an unknown form")

// failed wraps an error with its kind: what says that the data is wrong is BadInput
// and stays wrong when repeated; the rest is Unavailable. An ended context and the
// contract's own errors stay as they are.
func failed(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	for _, own := range []error{telemetry.ErrNoTenant, telemetry.ErrNotFound, telemetry.ErrLimit} {
		if errors.Is(err, own) {
			return fmt.Errorf("mongostore: %s: %w", what, err)
		}
	}
	if ended := ctx.Err(); ended != nil { // the driver's own time limit looks like an ended context as well
		return fmt.Errorf("mongostore: %s: %w (%w)", what, ended, err)
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return fmt.Errorf("mongostore: %s: %w", what, err)
	}
	kind := fault.New(fault.Unavailable, "error.telemetry.unavailable")
	if refused(err) {
		kind = fault.New(fault.BadInput, "error.telemetry.refused")
	}
	return fmt.Errorf("mongostore: %s: %w", what, kind.Because(err))
}

// refused reports whether the error is of the documents alone.
func refused(err error) bool {
	if errors.Is(err, errRefused) || errors.Is(err, driver.ErrDocumentTooLarge) {
		return true
	}
	if many := (mongo.BulkWriteException{}); errors.As(err, &many) {
		if many.WriteConcernError != nil {
			return false
		}
		for _, e := range many.WriteErrors {
			if e.Code != codeDuplicateKey && !slices.Contains(refusals, e.Code) {
				return false
			}
		}
		return len(many.WriteErrors) > 0
	}
	return false
}

// duplicates returns the places of the documents that were there already, and the
// error unless that is all that it says. A write concern that was not satisfied stays
// an error: what is there may be taken back.
func duplicates(err error) ([]int, error) {
	if err == nil {
		return nil, nil
	}
	many := mongo.BulkWriteException{}
	if !errors.As(err, &many) || many.WriteConcernError != nil || len(many.WriteErrors) == 0 {
		return nil, err
	}
	at := make([]int, len(many.WriteErrors))
	for i, e := range many.WriteErrors {
		if e.Code != codeDuplicateKey {
			return nil, err
		}
		at[i] = e.Index
	}
	return at, nil
}
