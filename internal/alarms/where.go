package alarms

import (
	"strconv"
	"strings"

	"foresight/internal/id"
)

// where collects conditions; ? stands for the next argument.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(condition string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.parts = append(w.parts, condition)
}

func (w *where) andID(column string, u id.UUID) {
	if u != id.Nil {
		w.and(column+" = ?", u)
	}
}

func (w *where) text() string { return " WHERE " + strings.Join(w.parts, " AND ") }

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}
