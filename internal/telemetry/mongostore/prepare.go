package mongostore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// minWireVersion is that of MongoDB 6.0, the first with all stages that are used.
const minWireVersion = 17

// prepare makes or compares the schema; then the store is ready. An error of kind
// fault.Unavailable says that the server was not reached.
func (s *Store) prepare(ctx context.Context) error {
	var hello struct {
		MaxWireVersion int32 `bson:"maxWireVersion"`
	}
	if err := s.db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return failed(ctx, "connect", err)
	}
	if hello.MaxWireVersion < minWireVersion {
		return fmt.Errorf("mongostore: the server is older than MongoDB 6.0 (wire version %d, want %d)", hello.MaxWireVersion, minWireVersion)
	}
	if s.o.Schema == External {
		left, err := s.differences(ctx)
		if err != nil {
			return failed(ctx, "compare schema", err)
		}
		return s.checked(left)
	}
	return s.manage(ctx)
}

// manageTries is how often the schema is compared and mended: other processes that
// start at the same time do so, too.
const manageTries = 3

func (s *Store) manage(ctx context.Context) error {
	for range manageTries {
		left, err := s.differences(ctx)
		if err != nil {
			return failed(ctx, "compare schema", err)
		}
		mended := false
		for _, c := range left {
			if c.command == nil {
				continue
			}
			s.o.Log.Info("changing the schema", "database", s.o.Database, "because", c.what)
			err := s.mend(ctx, c.command)
			var refusal mongo.CommandError
			switch {
			case errors.As(err, &refusal) && refusal.Code == codeNamespaceExists: // another process was faster
			case errors.As(err, &refusal) && !unavailable(refusal):
				return fmt.Errorf("mongostore: %s: %w", c, err)
			case err != nil:
				return failed(ctx, c.what, err)
			}
			mended = true
		}
		if !mended {
			return s.checked(left)
		}
	}
	left, err := s.differences(ctx)
	if err != nil {
		return failed(ctx, "compare schema", err)
	}
	return s.checked(left)
}

// mendWithin leaves time for indexes of collections that hold documents already.
const mendWithin = 10 * time.Minute

func (s *Store) mend(ctx context.Context, command bson.D) error {
	ctx, cancel := context.WithTimeout(ctx, mendWithin)
	defer cancel()
	return s.db.RunCommand(ctx, command).Err()
}

// unavailable reports whether the same command may go through later.
func unavailable(e mongo.CommandError) bool {
	return e.HasErrorLabel("RetryableWriteError") || e.HasErrorLabel("NetworkError") || mongo.IsTimeout(e) || mongo.IsNetworkError(e)
}

// SchemaError lists what is not as it must be.
type SchemaError struct {
	Database string
	Missing  []string
}

// Error names everything, each with the command that a database user with the right to
// it may run on the database.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("mongostore: the schema of database %s is not as it must be:\n- %s", e.Database, strings.Join(e.Missing, "\n- "))
}

func (s *Store) checked(left []change) error {
	if len(left) == 0 {
		s.ready.Store(true)
		return nil
	}
	e := &SchemaError{Database: s.o.Database}
	for _, c := range left {
		e.Missing = append(e.Missing, c.String())
	}
	return e
}

// differences compares all collections, with one command and one more for each that is
// there.
func (s *Store) differences(ctx context.Context) (out []change, err error) {
	names := make(bson.A, len(s.schema))
	for i, c := range s.schema {
		names[i] = c.name
	}
	cur, err := s.db.ListCollections(ctx, bson.D{{Key: fieldName, Value: bson.D{{Key: "$in", Value: names}}}})
	if err != nil {
		return nil, err
	}
	have := map[string]*state{}
	err = each(ctx, cur, func(doc bson.Raw) error {
		var c state
		if err := bson.Unmarshal(bytesOf(doc), &c); err != nil {
			return err
		}
		have[c.Name] = &c
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range s.schema {
		c := &s.schema[i]
		is := have[c.name]
		if is != nil {
			if is.indexes, err = s.indexesOf(ctx, c.name); err != nil {
				return nil, err
			}
		}
		out = append(out, c.differences(is)...)
	}
	return out, nil
}

const fieldName = "name"

func (s *Store) indexesOf(ctx context.Context, collection string) (out []indexState, err error) {
	cur, err := s.db.Collection(collection).Indexes().List(ctx)
	if err != nil {
		return nil, err
	}
	err = each(ctx, cur, func(doc bson.Raw) error {
		var i indexState
		if err := bson.Unmarshal(bytesOf(doc), &i); err != nil {
			return err
		}
		out = append(out, i)
		return nil
	})
	return out, err
}

// bytesOf copies a document that is valid during a call only.
func bytesOf(doc bson.Raw) bson.Raw { return append(bson.Raw(nil), doc...) }
