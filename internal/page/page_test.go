package page

import (
	"errors"
	"slices"
	"sort"
	"strconv"
	"testing"

	"foresight/internal/fault"
)

func ptr[T any](v T) *T { return &v }

func TestResolveRefuses(t *testing.T) {
	cursor := Encode("name", Key{"a", "1"})
	for name, a := range map[string]Args{
		"nothing":           {First: ptr(0)},
		"too many":          {First: ptr(Max + 1)},
		"negative":          {Last: ptr(-1)},
		"both ends":         {First: ptr(1), Last: ptr(1)},
		"first before":      {First: ptr(1), Before: &cursor},
		"garbage cursor":    {After: ptr("%%%")},
		"no list":           {After: ptr("eyJhIjoxfQ")},
		"another order":     {After: ptr(Encode("code", Key{"a", "1"}))},
		"another width":     {After: ptr(Encode("name", Key{"a"}))},
		"no order":          {After: ptr("W10")},
		"an endless cursor": {After: ptr(string(make([]byte, 5000)))},
	} {
		if _, err := a.Resolve("name", 2); !fault.Is(err, fault.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// list reads a window of the numbers 0-9 as a database would.
func list(w Window) Page[int] {
	var all []int
	for i := range 10 {
		all = append(all, i)
	}
	if w.Backward {
		sort.Sort(sort.Reverse(sort.IntSlice(all)))
	}
	var rows []int
	for _, n := range all {
		if w.Bound != nil {
			b, _ := strconv.Atoi(w.Bound[0])
			if !w.Backward && n <= b || w.Backward && n >= b {
				continue
			}
		}
		if rows = append(rows, n); len(rows) == w.Limit() {
			break
		}
	}
	return Of(w, rows, len(all), func(n int) Key { return Key{strconv.Itoa(n)} })
}

func TestPagesMeetInBothDirections(t *testing.T) {
	for _, size := range []int{1, 3, 5, 10, 20} {
		var forward, backward []int
		for a := (Args{First: &size}); ; {
			w, err := a.Resolve("number", 1)
			if err != nil {
				t.Fatal(err)
			}
			p := list(w)
			forward = append(forward, p.Items...)
			if !p.HasNext {
				break
			}
			a.After = ptr(p.Cursor(p.Items[len(p.Items)-1]))
		}
		for a := (Args{Last: &size}); ; {
			w, err := a.Resolve("number", 1)
			if err != nil {
				t.Fatal(err)
			}
			p := list(w)
			backward = append(slices.Clone(p.Items), backward...)
			if !p.HasPrevious {
				break
			}
			a.Before = ptr(p.Cursor(p.Items[0]))
		}
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(forward, want) || !slices.Equal(backward, want) {
			t.Errorf("size %d: forward %v, backward %v", size, forward, backward)
		}
	}
}

// FuzzCursor: a cursor is refused as the client's mistake, or names a place of the
// asked order, the same again when written anew.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{Encode("name", Key{"a", "b"}), Encode("name", Key{"", "\u2028\x00"}), Encode("code", Key{"a", "b"}),
		Encode("name", Key{"a"}), "", "W10", "bnVsbA", "eyJhIjoxfQ", "WyJuYW1lIixudWxsLDFd", "%%%"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, backward bool) {
		a, field := Args{After: &s}, "after"
		if backward {
			a, field = Args{Before: &s}, "before"
		}
		w, err := a.Resolve("name", 2)
		if err != nil {
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.BadInput || e.Field != field {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if w.Backward != backward || w.Size != Default || (w.Bound == nil) != (s == "") {
			t.Fatalf("%q is read as %+v", s, w)
		}
		if w.Bound == nil {
			return
		}
		if len(w.Bound) != 2 {
			t.Fatalf("%q names the place %q", s, w.Bound)
		}
		again := Encode("name", w.Bound)
		if w2, err := (Args{After: &again}).Resolve("name", 2); len(again) <= maxCursor && (err != nil || !slices.Equal(w2.Bound, w.Bound)) {
			t.Fatalf("%q becomes %q: %v", w.Bound, w2.Bound, err)
		}
	})
}
