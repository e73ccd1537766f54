package bulk

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"foresight/internal/fault"
)

// sheet is a file as rows of cells.
type sheet struct {
	separator rune
	heading   []int // index in columns, by position in the file
	rows      []line
}

// line is a row that is not empty.
type line struct {
	number int       // line of the file in which it begins
	cells  []string  // by index in columns; "" where the file has none
	wrong  []Mistake // cells that cannot be used
}

// maxCell is the most characters of a cell.
const maxCell = 4000

// read parses a file. The error is a mistake in the file as a whole.
func read(content []byte, maxRows int) (*sheet, *fault.Error) {
	b, f := decode(content)
	if f != nil {
		return nil, f
	}
	s := &sheet{}
	b = s.separate(b)
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = s.separator, -1, true
	heading, err := r.Read()
	if err != nil {
		return nil, fault.New(fault.BadInput, "error.import.empty").Because(err)
	}
	if f := s.head(heading); f != nil {
		return nil, f
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if pe := (*csv.ParseError)(nil); errors.As(err, &pe) {
			// What follows an open quotation mark cannot be told apart.
			return nil, fault.New(fault.BadInput, "error.import.quotes").With("Row", pe.StartLine).Because(err)
		}
		if err != nil {
			return nil, fault.New(fault.BadInput, "error.import.encoding").Because(err)
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue // spreadsheets leave rows of separators behind
		}
		if len(s.rows) == maxRows {
			return nil, fault.New(fault.BadInput, "error.import.tooManyRows").With("Max", maxRows)
		}
		number, _ := r.FieldPos(0)
		s.rows = append(s.rows, s.line(number, cells))
	}
}

// separators that spreadsheets write, by country.
const separators = ",;\t"

// separate finds the separator: the one that a first line `sep=;` names, which is
// dropped, or that parts the heading into the most known columns.
func (s *sheet) separate(b []byte) []byte {
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	if name, ok := strings.CutPrefix(strings.TrimRight(string(first), "\r"), "sep="); ok && len(name) == 1 && strings.Contains(separators, name) {
		s.separator = rune(name[0])
		return append([]byte("\n"), rest...) // an empty line keeps the numbers
	}
	most := -1
	for _, sep := range separators {
		known := 0
		for _, name := range strings.Split(string(first), string(sep)) {
			if columnIndex(normal(name)) >= 0 {
				known++
			}
		}
		if known > most {
			most, s.separator = known, sep
		}
	}
	return b
}

// normal is a name of a column as people may write it: `Serial number`, `"CODE"`.
func normal(name string) string {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"`))
	return strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
}

// head reads the heading.
func (s *sheet) head(names []string) *fault.Error {
	seen := map[int]bool{}
	for _, name := range names {
		i := columnIndex(normal(name))
		switch {
		case strings.TrimSpace(name) == "":
			i = -1 // nothing may stand below it
		case i < 0:
			return fault.New(fault.BadInput, "error.import.columnUnknown").With("Column", cut(name))
		case seen[i]:
			return fault.New(fault.BadInput, "error.import.columnTwice").With("Column", cut(name))
		}
		seen[i] = true
		s.heading = append(s.heading, i)
	}
	for _, need := range []string{"kind", "code"} {
		if !seen[columnIndex(need)] {
			return fault.New(fault.BadInput, "error.import.columnMissing").With("Column", need)
		}
	}
	return nil
}

// line puts cells in the order of columns.
func (s *sheet) line(number int, cells []string) line {
	l := line{number: number, cells: make([]string, len(columns))}
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if c == "" {
			continue
		}
		if i >= len(s.heading) || s.heading[i] < 0 {
			l.wrong = append(l.wrong, mistake(number, fmt.Sprintf("%d", i+1), fault.New(fault.BadInput, "error.import.noHeading")))
			continue
		}
		name := columns[s.heading[i]].name
		switch {
		case utf8.RuneCountInString(c) > maxCell:
			l.wrong = append(l.wrong, mistake(number, name, fault.New(fault.BadInput, "error.tooLong").With("Max", maxCell)))
			continue
		case c[0] == '=':
			// The formula was meant to be its result.
			l.wrong = append(l.wrong, mistake(number, name, fault.New(fault.BadInput, "error.import.formula")))
			continue
		}
		l.cells[s.heading[i]] = unguarded(c)
	}
	return l
}

// cut shortens foreign text for a message.
func cut(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
