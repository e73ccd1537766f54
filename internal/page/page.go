// Package page is keyset paging after the Relay connection specification: a page
// is asked for by a number of items and the cursor of a neighbour, never by an
// offset, so that it costs the same however deep it lies and does not shift when
// items are added.
package page

import (
	"encoding/base64"
	"encoding/json"

	"foresight/internal/fault"
)

// The sizes of a page.
const (
	Default = 20
	Max     = 100
)

// Args are the arguments of a connection field as they came.
type Args struct {
	First, Last   *int
	After, Before *string
	Total         bool // totalCount was asked for
}

// Key places an item in an order: the values that it is ordered by, the id last.
type Key []string

// Window is a verified page request. A backward window reads the order in reverse.
type Window struct {
	Order    string // name of the order, part of its cursors
	Size     int
	Backward bool
	Bound    Key // exclusive; nil at the beginning (or end, backward)
	Total    bool
}

// Limit is how many rows to read: one more than the page, to know whether there
// are further ones.
func (w Window) Limit() int { return w.Size + 1 }

// Resolve verifies the arguments. order names the list and what it is ordered by,
// width is the number of values in its keys; a cursor of another order is refused.
func (a Args) Resolve(order string, width int) (Window, error) {
	w := Window{Order: order, Size: Default, Total: a.Total}
	if a.First != nil && a.Last != nil || a.Last != nil && a.After != nil || a.First != nil && a.Before != nil {
		return w, fault.New(fault.BadInput, "error.page.direction")
	}
	cursor, field := a.After, "after"
	size, sizeField := a.First, "first"
	if a.Last != nil || a.Before != nil {
		w.Backward = true
		cursor, field = a.Before, "before"
		size, sizeField = a.Last, "last"
	}
	if size != nil {
		if *size < 1 || *size > Max {
			return w, fault.Invalid(sizeField, "error.page.size").With("Max", Max)
		}
		w.Size = *size
	}
	if cursor != nil && *cursor != "" {
		k, err := decode(*cursor)
		if err != nil || len(k) != width+1 || k[0] != order {
			return w, fault.Invalid(field, "error.page.cursor")
		}
		w.Bound = k[1:]
	}
	return w, nil
}

// Page is a part of an ordered list, in the list's order.
type Page[T any] struct {
	Items                []T
	HasNext, HasPrevious bool
	Total                int // number of all matches, when it was asked for
	order                string
	cursor               func(T) Key
}

// Of makes a page of the rows read for the window, at most Limit of them, in the
// order in which they were read.
func Of[T any](w Window, rows []T, total int, key func(T) Key) Page[T] {
	more := len(rows) > w.Size
	if more {
		rows = rows[:w.Size]
	}
	p := Page[T]{Items: rows, Total: total, order: w.Order, cursor: key}
	if w.Backward {
		for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
			rows[i], rows[j] = rows[j], rows[i]
		}
		p.HasPrevious, p.HasNext = more, w.Bound != nil
	} else {
		p.HasNext, p.HasPrevious = more, w.Bound != nil
	}
	return p
}

// Cursor returns the cursor of an item of the page.
func (p Page[T]) Cursor(item T) string { return Encode(p.order, p.cursor(item)) }

// Encode returns the cursor of a key in the order: opaque to clients, and no secret.
func Encode(order string, k Key) string {
	b, err := json.Marshal(append(Key{order}, k...))
	if err != nil { // strings always marshal
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// maxCursor bounds the length of a cursor in bytes.
const maxCursor = 1024

func decode(s string) (Key, error) {
	if len(s) > maxCursor {
		return nil, fault.New(fault.BadInput, "error.page.cursor")
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, err
	}
	var k Key
	return k, json.Unmarshal(b, &k)
}
