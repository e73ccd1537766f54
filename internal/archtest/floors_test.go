// Package archtest holds the architecture: which package may import which. The
// table below is the text of ARCHITECTURE.md in a form that fails when it is broken.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "foresight"

// floors, the lowest first. A package imports packages of lower floors only; the
// packages of one line are siblings and do not import each other. An entry
// stands for its whole subtree, unless a longer entry names a part of it.
var floors = [][]string{
	{"internal/id", "internal/fault", "internal/lifecycle", "internal/secret"},
	{"internal/tenancy", "internal/limit"},
	{"internal/obs", "internal/page", "locales"},
	{"internal/telemetry", "internal/vitals"},
	{"internal/rules", "internal/event", "inference/daily"},
	{"migrations", "ent"},
	{"internal/audit"},
	{"internal/postgres", "internal/keyset", "internal/bus", "internal/hub", "internal/embedded", "internal/telemetry/pgstore", "internal/telemetry/mongostore", "internal/jobs", "internal/blob", "internal/mail"},
	{"internal/access", "internal/auth", "internal/plant", "internal/alarms", "internal/audit/trail", "internal/idempotency", "internal/webhook", "internal/simulate", "internal/status", "internal/health", "inference"},
	{"internal/modelops", "internal/artifacts", "internal/bulk", "internal/loadtest", "internal/explanation", "internal/deploy", "internal/fleet"}, // bulk judges and reads by the rules of the services below, loadtest publishes what simulate measures, explanation computes with inference
	{"internal/backtest", "internal/training", "internal/drift"}, // jobs as those of bulk
	{"graph", "ingestion", "internal/httpapi", "frontend"},
	{"internal/config"},
	{"internal/app"},
	{""}, // main
}

// outside are packages that nothing of the product may import.
var outside = []string{"tools", "internal/testkit", "internal/e2e", "internal/chaos", "internal/archtest", "internal/telemetry/storetest", "inference/modeltest"}

// listed is a package with what it imports outside of its tests.
type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointDownwards(t *testing.T) {
	for _, p := range list(t) {
		from := inModule(p.ImportPath)
		if under(from, outside) {
			continue
		}
		f := floorOf(from)
		if f < 0 {
			t.Errorf("%s stands on no floor: add it to the table", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			to := inModule(imp)
			if under(to, outside) {
				t.Errorf("%s imports %s, which is for tests and developers only", from, to)
				continue
			}
			if entryOf(from) == entryOf(to) {
				continue
			}
			if g := floorOf(to); g >= f {
				t.Errorf("%s (floor %d) imports %s (floor %d)", from, f, to, g)
			}
		}
	}
}

// The ORM and the drivers stay below the doors that have no business with them.
func TestDriversStayBelow(t *testing.T) {
	pure := []string{"internal/id", "internal/fault", "internal/tenancy", "internal/limit", "internal/lifecycle", "internal/telemetry", "internal/rules", "internal/event"}
	for _, p := range list(t) {
		from := inModule(p.ImportPath)
		if !slices.Contains(pure, entryOf(from)) || under(from, outside) {
			continue
		}
		for _, imp := range p.Imports {
			for _, driver := range []string{"database/sql", "github.com/jackc/pgx", "entgo.io/ent", "github.com/nats-io", "net/http", "github.com/99designs"} {
				if strings.HasPrefix(imp, driver) {
					t.Errorf("%s is pure and imports %s", from, imp)
				}
			}
		}
	}
}

// list reads the import clauses of every Go file below the root. It reads the files
// itself, not through the go command, so that the test cache knows them.
func list(t *testing.T) []listed {
	t.Helper()
	const root = "../.."
	imports := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := strings.TrimSuffix(module+"/"+filepath.ToSlash(dir), "/.")
		if imports[pkg] == nil {
			imports[pkg] = map[string]bool{}
		}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			imports[pkg][name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(imports) < 10 {
		t.Fatalf("found only %d packages", len(imports))
	}
	var ps []listed
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		ps = append(ps, listed{pkg, slices.Sorted(maps.Keys(imports[pkg]))})
	}
	return ps
}

func inModule(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func under(p string, roots []string) bool {
	for _, r := range roots {
		if p == r || strings.HasPrefix(p, r+"/") {
			return true
		}
	}
	return false
}

// entryOf returns the longest entry of the table that holds the package.
func entryOf(p string) string {
	best := "?"
	for _, f := range floors {
		for _, e := range f {
			if e == "" && p == "" || e != "" && under(p, []string{e}) && (best == "?" || len(e) > len(best)) {
				best = e
			}
		}
	}
	return best
}

func floorOf(p string) int {
	e := entryOf(p)
	for i, f := range floors {
		if slices.Contains(f, e) {
			return i
		}
	}
	return -1
}
