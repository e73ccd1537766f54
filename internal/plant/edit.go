package plant

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/privacy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// kind is how one sort of entity is edited: E is the stored row, S what people say of
// it. All is done in one transaction and in the terms of the graph's inputs.
type kind[E, S any] struct {
	entity  string // as the graph writes it
	table   string
	spec    func(*E) S
	version func(*E) int
	find    func(context.Context, *ent.Client, id.UUID) (*E, error)
	// check brings a spec into the form in which it is kept, and returns what is wrong
	// with it; old is nil in a creation.
	check  func(ctx context.Context, w work, old *E, spec *S) error
	create func(context.Context, *ent.Client, S) (*E, error)
	// save writes the spec to the row of the version; ent's not-found when it has another.
	save func(ctx context.Context, w work, old *E, spec S) (*E, error)
	// remove deletes the row with what cannot live without it.
	remove func(ctx context.Context, w work, e *E) error
	// violated blames the field that broke a unique key.
	violated func(constraint string) *fault.Error
}

// work is a transaction in its two forms.
type work struct {
	client *ent.Client
	tx     pgx.Tx
	find   Finder // looks up references in place of the transaction; may be nil
}

func (s *Service) begin(ctx context.Context, f func(context.Context, work) error) error {
	if err := tenancy.Require(ctx, tenancy.PlantWrite); err != nil {
		return err
	}
	return postgres.InTx(ctx, s.db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error { return f(ctx, work{client: c, tx: tx}) })
}

// created adds a row. Results of all three are values: their query methods belong to a
// transaction that has ended.
func created[E, S any](ctx context.Context, s *Service, k kind[E, S], spec S) (*E, error) {
	var e *E
	err := s.begin(ctx, func(ctx context.Context, w work) (err error) {
		if err := k.check(ctx, w, nil, &spec); err != nil {
			return err
		}
		e, err = k.create(ctx, w.client, spec)
		return k.fault(err)
	})
	return orNone(e, err)
}

// changed lets change alter the spec of a row of the expected version.
func changed[E, S any](ctx context.Context, s *Service, k kind[E, S], which id.UUID, expected int, change func(*S)) (*E, error) {
	var e *E
	err := s.begin(ctx, func(ctx context.Context, w work) error {
		old, err := k.at(ctx, w, which, &expected)
		if err != nil {
			return err
		}
		spec := k.spec(old)
		change(&spec)
		if err := k.check(ctx, w, old, &spec); err != nil {
			return err
		}
		e, err = k.save(ctx, w, old, spec)
		return k.fault(err)
	})
	return orNone(e, err)
}

// removed deletes a row and returns it as it was; a nil version is any.
func removed[E, S any](ctx context.Context, s *Service, k kind[E, S], which id.UUID, expected *int) (*E, error) {
	var e *E
	err := s.begin(ctx, func(ctx context.Context, w work) (err error) {
		if e, err = k.held(ctx, w, which, expected); err != nil {
			return err
		}
		return k.fault(k.remove(ctx, w, e))
	})
	return orNone(e, err)
}

// at reads the row of the version; a nil version is any.
func (k kind[E, S]) at(ctx context.Context, w work, which id.UUID, expected *int) (*E, error) {
	e, err := k.find(ctx, w.client, which)
	switch {
	case ent.IsNotFound(err):
		return nil, fault.Missing(k.entity).At("input.id")
	case err != nil:
		return nil, err
	case expected != nil && k.version(e) != *expected:
		return nil, fault.Stale(k.entity)
	}
	return e, nil
}

// held is at for a row that the transaction changes whatever its version is by then:
// changes under way are waited for and others held back, so that the version that is
// compared is the one that goes. What hangs on the row is locked after it, as changes do.
func (k kind[E, S]) held(ctx context.Context, w work, which id.UUID, expected *int) (*E, error) {
	if _, err := w.tx.Exec(ctx, `SELECT FROM `+k.table+` WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE`, tenancy.Must(ctx).TenantID, which); err != nil {
		return nil, fmt.Errorf("plant: %w", err)
	}
	return k.at(ctx, w, which, expected)
}

// fault turns the refusals of the database and of the ORM's policies into the product's.
// What is not found was there a moment ago, under its version.
func (k kind[E, S]) fault(err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ent.IsNotFound(err):
		return fault.Stale(k.entity)
	case errors.Is(err, privacy.Deny):
		return fault.Denied(string(tenancy.PlantWrite)).Because(err)
	}
	if constraint, taken := postgres.Unique(err); taken {
		return k.violated(constraint).Because(err)
	}
	return err
}

func orNone[E any](e *E, err error) (*E, error) {
	if err != nil {
		return nil, err
	}
	return e, nil
}
