package bulk

import (
	"strings"

	"foresight/internal/fault"
)

// Mistake is what is wrong with a cell, a row (no column) or the file (row 0). It is
// stored, and told in the language of who reads it.
type Mistake struct {
	Row    int            `json:"row"` // line of the file in which the row begins; the heading is 1
	Column string         `json:"column,omitempty"`
	Code   fault.Kind     `json:"code"`
	Key    string         `json:"key"`
	Args   map[string]any `json:"args,omitempty"`
}

// Fault is the mistake as an error to be told.
func (m Mistake) Fault() *fault.Error { return &fault.Error{Kind: m.Code, Key: m.Key, Args: m.Args} }

func mistake(row int, column string, f *fault.Error) Mistake {
	return Mistake{Row: row, Column: column, Code: f.Kind, Key: f.Key, Args: f.Args}
}

// field of the input that an error blames, as in `input.siteId`.
func field(f *fault.Error) string { return strings.TrimPrefix(f.Field, "input.") }
