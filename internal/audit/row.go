package audit

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	gen "foresight/ent"
	"foresight/ent/intercept"
	"foresight/ent/mixin"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// The ORM has a type for each entity and no common one for all; what is asked of any
// entity is asked by reflection, and a test asks it of every entity.

// lock is that of an update: others may still refer to the rows.
var lock sql.LockOption = sql.WithLockClause("FOR NO KEY UPDATE")

// read returns the rows of the ids, deleted ones too, as they are now. They stay
// locked until the end of the transaction, so that what differs later is the doing
// of this one. They are read for the record, whatever the actor itself may see of
// the tenant.
func read(ctx context.Context, c *gen.Client, entity string, ids []id.UUID) (map[id.UUID]Values, error) {
	tenant, _ := tenancy.ID(ctx)
	ctx = mixin.WithDeleted(tenancy.AsSystem(ctx, tenant))
	table := reflect.ValueOf(c).Elem().FieldByName(entity)
	if !table.IsValid() {
		return nil, fmt.Errorf("audit: no entity %s", entity)
	}
	q := table.MethodByName("Query").Call(nil)[0]
	all, err := intercept.NewQuery(q.Interface().(ent.Query))
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	args := make([]any, len(ids))
	for i, u := range ids {
		args[i] = u
	}
	all.WhereP(sql.FieldIn("id", args...))
	q.MethodByName("ForUpdate").Call([]reflect.Value{reflect.ValueOf(lock)})
	got := q.MethodByName("All").Call([]reflect.Value{reflect.ValueOf(ctx)})
	if err, failed := got[1].Interface().(error); failed {
		return nil, fmt.Errorf("audit: %w", err)
	}
	out := make(map[id.UUID]Values, got[0].Len())
	for i := range got[0].Len() {
		u, v := values(got[0].Index(i).Interface())
		out[u] = v
	}
	return out, nil
}

// values returns the columns of an entity's row with its id.
func values(row any) (id.UUID, Values) {
	s := reflect.ValueOf(row).Elem()
	out := Values{}
	var u id.UUID
	for i := range s.NumField() {
		f := s.Type().Field(i)
		column, ok := columnOf(f)
		if !ok {
			continue
		}
		if v := s.Field(i).Interface(); column == "id" {
			u, _ = v.(id.UUID)
		} else {
			out[column] = v
		}
	}
	return u, out
}

// columnOf returns the column that a field of an entity's type holds. The ORM writes
// it into the tag, except for what must not be printed: then it is the name in its
// other form.
func columnOf(f reflect.StructField) (string, bool) {
	if !f.IsExported() || f.Name == "Edges" {
		return "", false
	}
	tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch tag {
	case "":
		return "", false
	case "-":
		return snake(f.Name), true
	}
	return tag, true
}

// snake writes PasswordHash as password_hash.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
