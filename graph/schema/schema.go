// Package schema is the contract of the graph: hand-written SDL, one file per domain.
package schema

import (
	"embed"
	"strings"
)

//go:embed *.graphql
var files embed.FS

// SDL returns the whole schema as it is published.
func SDL() string {
	var b strings.Builder
	entries, err := files.ReadDir(".")
	if err != nil { // embedded: cannot fail
		panic(err)
	}
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String()
}
