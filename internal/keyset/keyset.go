// Package keyset reads a page.Window of an ent query: it orders by the columns of
// an Order, bounds by the window's cursor and limits the rows.
package keyset

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"foresight/internal/fault"
	"foresight/internal/page"
)

// Term is one column or expression of an order.
type Term struct {
	Name string                       // column, or the alias of Expr
	Expr func(s *sql.Selector) string // nil for a plain column
	Desc bool
	Type Type
}

// Type is how a cursor's text is read back.
type Type uint8

// The types of terms.
const (
	Text Type = iota
	UUID
	Time
	Int
)

// Order is a total order: its last term is unique.
type Order []Term

// Directed returns the order, or its reverse.
func (o Order) Directed(desc bool) Order {
	if !desc {
		return o
	}
	out := make(Order, len(o))
	for i, t := range o {
		t.Desc = !t.Desc
		out[i] = t
	}
	return out
}

// name tells the order from others in cursors: its columns with their sense.
func (o Order) name() string {
	var b strings.Builder
	for _, t := range o {
		sense := byte('+')
		if t.Desc {
			sense = '-'
		}
		b.WriteByte(sense)
		b.WriteString(t.Name)
	}
	return b.String()
}

// Key formats the values of an item for its cursor.
func Key(values ...any) page.Key {
	k := make(page.Key, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case string:
			k[i] = v
		case uuid.UUID:
			k[i] = v.String()
		case time.Time:
			k[i] = v.UTC().Format(time.RFC3339Nano)
		case int:
			k[i] = strconv.Itoa(v)
		case int64:
			k[i] = strconv.FormatInt(v, 10)
		default:
			panic(fmt.Sprintf("keyset: no cursor of %T", v))
		}
	}
	return k
}

// Apply returns a modifier that puts the window on a query. A cursor that is not
// of this order is BAD_USER_INPUT.
func Apply(o Order, w page.Window) (func(*sql.Selector), error) {
	bound := make([]any, len(w.Bound))
	for i, text := range w.Bound {
		v, err := o[i].parse(text)
		if err != nil {
			return nil, fault.New(fault.BadInput, "error.page.cursor").Because(err)
		}
		bound[i] = v
	}
	return func(s *sql.Selector) {
		for _, t := range o {
			if t.Expr != nil {
				s.AppendSelectExprAs(sql.Raw(t.Expr(s)), t.Name)
			}
		}
		if len(bound) > 0 {
			s.Where(sql.P(func(b *sql.Builder) { behind(b, s, o, w.Backward, bound) }))
		}
		for _, t := range o {
			s.OrderExpr(sql.Raw(t.sql(s) + t.direction(w.Backward)))
		}
		s.Limit(w.Limit())
	}, nil
}

// behind writes the lexicographic comparison
// (a > x) OR (a = x AND b > y) OR …, with < where a term descends.
func behind(b *sql.Builder, s *sql.Selector, o Order, backward bool, bound []any) {
	b.WriteString("(")
	for i := range o {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString("(")
		for j := range i {
			b.WriteString(o[j].sql(s)).WriteString(" = ").Arg(bound[j]).WriteString(" AND ")
		}
		op := " > "
		if o[i].Desc != backward {
			op = " < "
		}
		b.WriteString(o[i].sql(s)).WriteString(op).Arg(bound[i])
		b.WriteString(")")
	}
	b.WriteString(")")
}

// Clause writes the order for a query over the rows of another, which it calls by
// the name. Backward reverses it.
func (o Order) Clause(rows string, backward bool) string {
	terms := make([]string, len(o))
	for i, t := range o {
		terms[i] = rows + "." + t.Name + t.direction(backward)
	}
	return strings.Join(terms, ", ")
}

func (t Term) direction(backward bool) string {
	if t.Desc != backward {
		return " DESC"
	}
	return " ASC"
}

func (t Term) sql(s *sql.Selector) string {
	if t.Expr != nil {
		return t.Expr(s)
	}
	return s.C(t.Name)
}

func (t Term) parse(text string) (any, error) {
	switch t.Type {
	case UUID:
		return uuid.Parse(text)
	case Time:
		return time.Parse(time.RFC3339Nano, text)
	case Int:
		return strconv.ParseInt(text, 10, 64)
	}
	if strings.ContainsRune(text, 0) { // PostgreSQL has no such text
		return nil, errors.New("keyset: a zero byte")
	}
	return text, nil
}
