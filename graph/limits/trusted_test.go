package limits_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"foresight/graph/limits"
	"foresight/internal/fault"
)

func sum(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func TestTrustedDocuments(t *testing.T) {
	const known, other = "query Hello { hello }", "query Other { hello }"
	lock := limits.Trusted{Documents: limits.Documents{sum(known): known}}
	persisted := func(h any) map[string]any {
		return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": h}}
	}
	for name, c := range map[string]struct {
		params graphql.RawParams
		taken  bool
	}{
		"by hash":                    {graphql.RawParams{Extensions: persisted(sum(known))}, true},
		"by hash in capitals":        {graphql.RawParams{Extensions: persisted(strings.ToUpper(sum(known)))}, true},
		"by its text":                {graphql.RawParams{Query: known}, true},
		"another hash":               {graphql.RawParams{Extensions: persisted(sum(other))}, false},
		"another text":               {graphql.RawParams{Query: other}, false},
		"another text, a known hash": {graphql.RawParams{Query: other, Extensions: persisted(sum(known))}, false},
		"a space more":               {graphql.RawParams{Query: known + " "}, false},
		"nothing":                    {graphql.RawParams{}, false},
		"a hash that is a number":    {graphql.RawParams{Extensions: persisted(7)}, false},
	} {
		err := lock.MutateOperationParameters(context.Background(), &c.params)
		switch {
		case c.taken && (err != nil || c.params.Query != known):
			t.Errorf("%s: %v, %q", name, err, c.params.Query)
		case !c.taken && (err == nil || fault.KindOf(err) != fault.Forbidden):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadDocuments(t *testing.T) {
	const a, b = "{ hello }", "query B { hello }"
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("docs/a.graphql", a)
	write("docs/deeper/b.gql", b)
	write("docs/README.md", "no document")
	manifest, err := json.Marshal(map[string]string{sum(a): a, sum(b): b})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "docs"), write("manifest.json", string(manifest))} {
		d, err := limits.ReadDocuments(path)
		if err != nil || len(d) != 2 || d[sum(a)] != a || d[sum(b)] != b {
			t.Errorf("%s: %v, %v", path, d, err)
		}
	}
	write("empty/x.txt", "")
	for name, path := range map[string]string{"absent": filepath.Join(dir, "gone"), "none": filepath.Join(dir, "empty"),
		"a wrong hash": write("wrong.json", `{"`+sum(a)+`": "{ other }"}`), "no object": write("list.json", `[]`)} {
		if d, err := limits.ReadDocuments(path); err == nil {
			t.Errorf("%s: %v", name, d)
		}
	}
}
