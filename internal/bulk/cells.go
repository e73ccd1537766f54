package bulk

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"foresight/internal/fault"
)

// cells reads the values of a row and notes what cannot be read.
type cells struct {
	line
	decimalComma bool // files with another separator write numbers as their country does
}

func (c *cells) bad(column string, f *fault.Error) {
	c.wrong = append(c.wrong, mistake(c.number, column, f))
}

// text returns a cell, "" for an empty one.
func (c *cells) text(column string) string { return c.cells[columnIndex(column)] }

// orNil returns a cell, nil for an empty one.
func (c *cells) orNil(column string) *string {
	if s := c.text(column); s != "" {
		return &s
	}
	return nil
}

// code returns a reference by code in the form of codes.
func (c *cells) code(column string) string { return strings.ToLower(c.text(column)) }

// decimal is how a number is written: no hexadecimals, no infinity, no separators of thousands.
var decimal = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func (c *cells) float(column string) *float64 {
	s := c.text(column)
	if s == "" {
		return nil
	}
	if c.decimalComma && !strings.Contains(s, ".") {
		s = strings.Replace(s, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || !decimal.MatchString(s) {
		c.bad(column, fault.New(fault.BadInput, "error.import.number"))
		return nil
	}
	return &v
}

func (c *cells) whole(column string) *int {
	s := c.text(column)
	if s == "" {
		return nil
	}
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		c.bad(column, fault.New(fault.BadInput, "error.import.whole"))
		return nil
	}
	n := int(v)
	return &n
}

func (c *cells) date(column string) *time.Time {
	s := c.text(column)
	if s == "" {
		return nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		c.bad(column, fault.New(fault.BadInput, "error.import.date"))
		return nil
	}
	return &t
}

// yes reads true or false; empty is true.
func (c *cells) yes(column string) bool {
	switch strings.ToLower(c.text(column)) {
	case "", "true", "yes", "1":
		return true
	case "false", "no", "0":
		return false
	}
	c.bad(column, fault.New(fault.BadInput, "error.import.boolean"))
	return false
}

// choice reads one of the values of an enum, in either case; empty is the default.
func choice[E interface {
	~string
	Values() []string
}](c *cells, column string, standard E) E {
	s := strings.ToLower(c.text(column))
	if s == "" {
		return standard
	}
	if !slices.Contains(standard.Values(), s) {
		c.bad(column, fault.New(fault.BadInput, "error.import.choice").With("Values", strings.Join(standard.Values(), ", ")))
		return standard
	}
	return E(s)
}
