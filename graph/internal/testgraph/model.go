// Package testgraph is a small schema executed by code that gqlgen generated. The
// tests of transport, limits and gqlerr run against it, so that they see what
// the product's own graph would do. Regenerate exec_gen.go and models_gen.go with
//
//	go generate ./graph/internal/testgraph
package testgraph

//go:generate go tool gqlgen generate

import (
	"fmt"
	"io"
	"strconv"
)

// Token is a scalar whose text begins with `t-`.
type Token string

// UnmarshalGQL refuses any other text.
func (t *Token) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok || len(s) < 2 || s[:2] != "t-" {
		return fmt.Errorf("internal text of the scalar: %v", v)
	}
	*t = Token(s)
	return nil
}

// MarshalGQL writes the text.
func (t Token) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(t))) }

// Item is a node of an endless tree.
type Item struct{ Name string }
