package rule_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ent lets a context carry a decision that no policy is asked about. Nothing in
// the product may use it.
func TestNothingDecidesPastThePolicies(t *testing.T) {
	root := filepath.Join("..", "..")
	read := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "data" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return fs.SkipDir
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "bypass_test.go"):
			return nil
		case filepath.ToSlash(rel) == "ent/privacy/privacy.go": // declares it
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for i, line := range strings.Split(string(b), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if strings.Contains(code, "DecisionContext(") {
				t.Errorf("%s:%d decides past the policies", rel, i+1)
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Fatalf("%d files read, %v", read, err)
	}
}
