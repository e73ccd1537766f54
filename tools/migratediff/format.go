package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/schema"
)

// formatter writes a plan as one goose migration, with row-level security for
// every table that it makes.
type formatter struct{ number int }

// Format implements migrate.Formatter.
func (f formatter) Format(p *migrate.Plan) ([]migrate.File, error) {
	var b strings.Builder
	b.WriteString("-- +goose Up\n")
	var made []*atlas.Table
	for _, c := range p.Changes {
		statement(&b, c.Comment, c.Cmd)
		// The statements of a table's indexes have the same source.
		if add, ok := c.Source.(*atlas.AddTable); ok && !slices.Contains(made, add.T) {
			made = append(made, add.T)
		}
	}
	for _, t := range made {
		lines, err := secure(t)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "-- who sees what of %q\n%s", t.Name, lines)
	}
	b.WriteString("\n-- +goose Down\n")
	for i := len(p.Changes) - 1; i >= 0; i-- {
		c := p.Changes[i]
		reverse, err := c.ReverseStmts()
		if err != nil {
			return nil, err
		}
		for _, r := range reverse {
			statement(&b, "reverse: "+c.Comment, r)
		}
	}
	name := fmt.Sprintf("%05d_%s.sql", f.number, p.Name)
	return []migrate.File{migrate.NewLocalFile(name, []byte(b.String()))}, nil
}

func statement(b *strings.Builder, comment, cmd string) {
	if comment != "" {
		fmt.Fprintf(b, "-- %s\n", comment)
	}
	fmt.Fprintf(b, "%s;\n", cmd)
}

var numbered = regexp.MustCompile(`^(\d{5})_.*\.sql$`)

// nextNumber returns one more than the highest number of the folder's migrations.
func nextNumber(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	last := 0
	for _, e := range entries {
		if m := numbered.FindStringSubmatch(e.Name()); m != nil {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				return 0, err
			}
			last = max(last, n)
		}
	}
	return last + 1, nil
}
