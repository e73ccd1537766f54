package keyset

import (
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"foresight/internal/fault"
	"foresight/internal/page"
)

// FuzzBound: a place that a cursor names is refused as the client's mistake, or
// reaches the database as arguments of the order's types, never as text of the query.
func FuzzBound(f *testing.F) {
	order := Order{{Name: "name"}, {Name: "at", Type: Time, Desc: true}, {Name: "count", Type: Int}, {Name: "id", Type: UUID}}
	at := time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC)
	good := Key("pump", at, 7, uuid.UUID{1})
	f.Add(good[0], good[1], good[2], good[3])
	f.Add("a\x00b", good[1], good[2], good[3])
	f.Add("' OR 1=1 --", "0000-01-01T00:00:00Z", "9223372036854775808", "{01900000-0000-8000-8000-000000000000}")
	f.Add("", "", "", "")
	query := func(k page.Key) (string, []any, error) {
		apply, err := Apply(order, page.Window{Size: 1, Bound: k})
		if err != nil {
			return "", nil, err
		}
		s := sql.Dialect(dialect.Postgres).Select("id").From(sql.Table("t"))
		apply(s)
		text, args := s.Query()
		return text, args, nil
	}
	want, _, err := query(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, at, count, id string) {
		text, args, err := query(page.Key{name, at, count, id})
		if err != nil {
			if !fault.Is(err, fault.BadInput) {
				t.Fatal(err)
			}
			return
		}
		if text != want || len(args) != 10 {
			t.Fatalf("query %s with %d arguments", text, len(args))
		}
		// The last comparison has every term, equal but for the last.
		_, isText := args[6].(string)
		_, isTime := args[7].(time.Time)
		_, isInt := args[8].(int64)
		_, isID := args[9].(uuid.UUID)
		if !isText || !isTime || !isInt || !isID {
			t.Fatalf("arguments %v", args[6:])
		}
	})
}
