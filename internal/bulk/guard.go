package bulk

import "strings"

// formula are the characters with which a cell begins that a spreadsheet takes for a
// formula, which may reach out of the file.
const formula = "=+-@\t\r"

// calculates reports whether a spreadsheet would take the text for a formula, or an
// import the apostrophe before one for a guard.
func calculates(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.IndexByte(formula, s[0]) >= 0
}

// guarded puts an apostrophe before a text that begins as a formula does. Numbers are
// written as numbers and need none.
func guarded(s string) string {
	if calculates(s) {
		return "'" + s
	}
	return s
}

// unguarded takes the apostrophe of an exported cell away again.
func unguarded(s string) string {
	if strings.HasPrefix(s, "'") && calculates(s) {
		return s[1:]
	}
	return s
}
