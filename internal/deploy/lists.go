package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
)

// list is a table of the package's own, read in pages, the newest rows first.
type list[T any] struct {
	name    string // of its cursors
	columns string
	table   string
	at      string // the column of time
	scan    func(pgx.CollectableRow) (*T, error)
	key     func(*T) (time.Time, id.UUID)
}

// page reads the rows that the condition chooses. args begin with the tenant, which is
// the first of the condition, too.
func (l list[T]) page(ctx context.Context, q querier, a page.Args, condition string, args []any) (page.Page[*T], error) {
	var none page.Page[*T]
	w, err := a.Resolve(l.name, 2)
	if err != nil {
		return none, err
	}
	total := 0
	if w.Total {
		if err := q.QueryRow(ctx, `SELECT count(*) FROM `+l.table+` WHERE `+condition, args...).Scan(&total); err != nil {
			return none, fmt.Errorf("deploy: %s: %w", l.name, err)
		}
	}
	op, dir := "<", "DESC"
	if w.Backward {
		op, dir = ">", "ASC"
	}
	if w.Bound != nil {
		at, terr := time.Parse(time.RFC3339Nano, w.Bound[0])
		which, uerr := id.Parse(w.Bound[1])
		if terr != nil || uerr != nil {
			return none, fault.New(fault.BadInput, "error.page.cursor")
		}
		args = append(args, at, which)
		condition += fmt.Sprintf(` AND (%s, id) %s ($%d, $%d)`, l.at, op, len(args)-1, len(args))
	}
	rows, err := q.Query(ctx, fmt.Sprintf(`SELECT %s FROM %s WHERE %s ORDER BY %s %s, id %s LIMIT %d`,
		l.columns, l.table, condition, l.at, dir, dir, w.Limit()), args...)
	if err != nil {
		return none, fmt.Errorf("deploy: %s: %w", l.name, err)
	}
	found, err := pgx.CollectRows(rows, l.scan)
	if err != nil {
		return none, fmt.Errorf("deploy: %s: %w", l.name, err)
	}
	return page.Of(w, found, total, func(v *T) page.Key {
		at, which := l.key(v)
		return keyset.Key(at, which)
	}), nil
}

// byID reads rows by their ids; those that the tenant does not have are absent.
func (l list[T]) byID(ctx context.Context, q querier, tenant id.UUID, ids []id.UUID) (map[id.UUID]*T, error) {
	rows, err := q.Query(ctx, `SELECT `+l.columns+` FROM `+l.table+` WHERE tenant_id = $1 AND id = ANY ($2)`, tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("deploy: %s: %w", l.name, err)
	}
	found, err := pgx.CollectRows(rows, l.scan)
	if err != nil {
		return nil, fmt.Errorf("deploy: %s: %w", l.name, err)
	}
	return keyset.ByID(found, nil, func(v *T) id.UUID { _, which := l.key(v); return which })
}
