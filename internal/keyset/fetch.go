package keyset

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// ByText orders by a text column, then by id.
func ByText(column string) Order { return Order{{Name: column}, {Name: "id", Type: UUID}} }

// Newest orders by a time column, the latest first, then by id.
func Newest(column string) Order {
	return Order{{Name: column, Type: Time, Desc: true}, {Name: "id", Type: UUID, Desc: true}}
}

// Begin checks the permission and the page arguments of a list, and gives its
// window with the modifier for Fetch.
func Begin(ctx context.Context, p tenancy.Permission, a page.Args, o Order) (page.Window, func(*sql.Selector), error) {
	if err := tenancy.Require(ctx, p); err != nil {
		return page.Window{}, nil, err
	}
	w, err := a.Resolve(o.name(), len(o))
	if err != nil {
		return w, nil, err
	}
	apply, err := Apply(o, w)
	return w, apply, err
}

// Query is what ent's query builders have in common here.
type Query[T any] interface {
	All(context.Context) ([]T, error)
	Count(context.Context) (int, error)
}

// Fetch reads a page: limited is the query with the window's modifier, all the same
// without it, of which the matches are counted when that was asked for.
func Fetch[T any, Q Query[T]](ctx context.Context, w page.Window, all, limited Q, key func(T) page.Key) (page.Page[T], error) {
	var none page.Page[T]
	total := 0
	if w.Total {
		n, err := all.Count(ctx)
		if err != nil {
			return none, err
		}
		total = n
	}
	rows, err := limited.All(ctx)
	if err != nil {
		return none, err
	}
	return page.Of(w, rows, total, key), nil
}

// ByID passes the outcome of a query on as a map.
func ByID[T any](rows []T, err error, key func(T) uuid.UUID) (map[uuid.UUID]T, error) {
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]T, len(rows))
	for _, r := range rows {
		out[key(r)] = r
	}
	return out, nil
}
