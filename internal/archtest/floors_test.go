// Package archtest holds the architecture: which package may import which. The
// table below is the text of ARCHITECTURE.md in a form that fails when it is broken.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "foresight"

// floors, the lowest first. A package imports packages of lower floors only; the
// packages of one line are siblings and do not import each other. An entry
// stands for its whole subtree, unless a longer entry names a part of it.
var floors = [][]string{
	{"internal/id", "internal/fault", "internal/lifecycle"},
	{"internal/tenancy"},
	{"internal/obs", "internal/page", "locales"},
	{"internal/telemetry"},
	{"internal/rules", "internal/event"},
	{"migrations", "ent"},
	{"internal/postgres", "internal/keyset", "internal/bus", "internal/hub", "internal/embedded", "internal/telemetry/pgstore"},
	{"internal/auth", "internal/plant", "internal/alarms", "internal/modelops", "internal/simulate", "inference"},
	{"graph", "ingestion", "internal/httpapi", "frontend"},
	{"internal/config"},
	{"internal/app"},
	{""}, // main
}

// outside are packages that nothing of the product may import.
var outside = []string{"tools", "internal/testkit", "internal/e2e", "internal/archtest", "internal/telemetry/storetest"}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
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
	pure := []string{"internal/id", "internal/fault", "internal/tenancy", "internal/lifecycle", "internal/telemetry", "internal/rules", "internal/event"}
	for _, p := range list(t) {
		from := inModule(p.ImportPath)
		if !contains(pure, entryOf(from)) || under(from, outside) {
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

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...").Output()
	if err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) {
			t.Fatalf("go list: %s", e.Stderr)
		}
		t.Fatal(err)
	}
	var ps []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	if len(ps) < 10 {
		t.Fatalf("go list names only %d packages", len(ps))
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
		if contains(f, e) {
			return i
		}
	}
	return -1
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
