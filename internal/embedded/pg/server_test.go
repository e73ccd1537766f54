package pg

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/embedded/dirlock"
)

func query[T any](t *testing.T, s *Server, role, database, sql string) T {
	t.Helper()
	ctx := testContext(t)
	c, err := pgx.Connect(ctx, s.DSN(role, database))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	var v T
	if err := c.QueryRow(ctx, sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDataSurvivesAStop(t *testing.T) {
	dir := reachable(t)
	s := start(t, Options{Dir: dir})
	if err := s.EnsureDatabase(testContext(t), "plant"); err != nil {
		t.Fatal(err)
	}
	query[int](t, s, Owner, "plant", `WITH x AS (SELECT 1) SELECT 1 FROM x`)
	exec1(t, s, `CREATE TABLE t (i int); INSERT INTO t VALUES (7)`)
	stop(t, s)

	s = start(t, Options{Dir: dir})
	defer stop(t, s)
	if err := s.EnsureDatabase(testContext(t), "plant"); err != nil {
		t.Fatal(err)
	}
	if got := query[int](t, s, Owner, "plant", `SELECT i FROM t`); got != 7 {
		t.Errorf("read %d, want 7", got)
	}
}

func exec1(t *testing.T, s *Server, sql string) {
	t.Helper()
	ctx := testContext(t)
	c, err := pgx.Connect(ctx, s.DSN(Owner, "plant"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

func TestServerIsPrivateAndDurable(t *testing.T) {
	s := start(t, Options{Dir: reachable(t), Settings: map[string]string{"work_mem": "7MB"}})
	defer stop(t, s)
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"server_encoding": "UTF8", "TimeZone": "UTC", "work_mem": "7MB",
	} {
		if got := query[string](t, s, Owner, "postgres", "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query[string](t, s, Owner, "postgres", `SELECT upper('مضخة é')`); got != "مضخة É" {
		t.Errorf("upper gives %q: the locale does not know letters", got)
	}
	for _, path := range []string{s.opt.Dir, s.socket, s.data()} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v, want mode 0700", path, fi.Mode(), err)
		}
	}
}

func TestOwnerIsNoSuperuser(t *testing.T) {
	s := start(t, Options{Dir: reachable(t), Volatile: true})
	defer stop(t, s)
	if query[bool](t, s, Owner, "postgres", `SELECT rolsuper FROM pg_roles WHERE rolname = current_user`) {
		t.Error("the owner is a superuser")
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	s := start(t, Options{Dir: reachable(t), Volatile: true})
	defer stop(t, s)
	if err := New(Options{Dir: s.opt.Dir}).Start(testContext(t)); !errors.Is(err, dirlock.ErrHeld) {
		t.Errorf("a second start: %v, want dirlock.ErrHeld", err)
	}
	if got := query[int](t, s, Owner, "postgres", `SELECT 1`); got != 1 {
		t.Error("the first does not answer any more")
	}
}

func TestOtherMajorVersionIsRefusedAndKept(t *testing.T) {
	dir := reachable(t)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	version := filepath.Join(dir, "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := New(Options{Dir: dir}).Start(testContext(t))
	if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "PostgreSQL 9") {
		t.Errorf("got %v, want ErrVersion that names 9", err)
	}
	if text, err := os.ReadFile(version); err != nil || string(text) != "9\n" {
		t.Errorf("the cluster was touched: %q, %v", text, err)
	}
}

func TestNoBinaries(t *testing.T) {
	t.Setenv(EnvBinDir, t.TempDir())
	if err := New(Options{Dir: reachable(t)}).Start(testContext(t)); !errors.Is(err, ErrNoBinaries) {
		t.Errorf("got %v, want ErrNoBinaries", err)
	}
}

func TestClosedParentIsNamed(t *testing.T) {
	closed := filepath.Dir(reachable(t))
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := drop("stranger", 54321, 54321)
	err := stranger.reach(filepath.Join(closed, "pg"))
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), closed) || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("got %v, want ErrUnreachable that names %s and the user", err, closed)
	}
	if err := os.Chmod(closed, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := stranger.reach(filepath.Join(closed, "pg")); err != nil {
		t.Errorf("an open way is refused: %v", err)
	}
}

func TestLongPathFallsBackToAShortSocket(t *testing.T) {
	dir := filepath.Join(reachable(t), strings.Repeat("d", 100))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Dir: dir, Volatile: true})
	if got := query[int](t, s, Owner, "postgres", `SELECT 1`); got != 1 {
		t.Error("no answer")
	}
	if strings.HasPrefix(s.socket, dir) {
		t.Errorf("socket in %s is longer than the kernel takes", s.socket)
	}
	stop(t, s)
	if _, err := os.Stat(s.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left behind: %v", s.socket, err)
	}
}

func TestInterruptedInitIsRepeated(t *testing.T) {
	dir := reachable(t)
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Dir: dir, Volatile: true})
	stop(t, s)
}

func TestKilledPostmasterIsStartedAgain(t *testing.T) {
	s := start(t, Options{Dir: reachable(t)})
	defer stop(t, s)
	ctx := testContext(t)
	if err := s.EnsureDatabase(ctx, "plant"); err != nil {
		t.Fatal(err)
	}
	exec1(t, s, `CREATE TABLE t (i int); INSERT INTO t VALUES (7)`)
	pid := s.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an answer from another postmaster", func() bool { return s.PID() != pid && s.answers(ctx) == nil })
	if got := query[int](t, s, Owner, "plant", `SELECT i FROM t`); got != 7 {
		t.Errorf("read %d, want the committed 7", got)
	}
}

func TestStopDuringARestart(t *testing.T) {
	s := start(t, Options{Dir: reachable(t), Volatile: true})
	pid := s.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if err := syscall.Kill(s.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("a postmaster lives on: %v", err)
	}
}

func TestServerDiesWithItsParent(t *testing.T) {
	dir := reachable(t)
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childDir+"="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(line)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	if runtime.GOOS == "linux" {
		eventually(t, "the server ends by itself", func() bool { return !strings.Contains(commandLine(pid), "postgres") })
	}
	s := start(t, Options{Dir: dir})
	stop(t, s)
}

func TestOrphanIsShutDown(t *testing.T) {
	dir := reachable(t)
	s := start(t, Options{Dir: dir})
	stop(t, s)
	orphan := exec.Command(s.bin.path("postgres"), s.settings()...)
	s.shape(orphan) // and not dieWithParent
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	eventually(t, "the orphan answers", func() bool { return s.answers(testContext(t)) == nil })

	s = start(t, Options{Dir: dir})
	defer stop(t, s)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the orphan did not shut down in order: %v", err)
		}
	case <-time.After(time.Minute): // it has ended by now, and is heard of a little later
		t.Error("the orphan lives beside the new server")
	}
}

func BenchmarkStart(b *testing.B) {
	dir, err := os.MkdirTemp("", "pgbench")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"cold", "warm"} {
		b.Run(kind, func(b *testing.B) {
			for i := range b.N {
				where := filepath.Join(dir, "warm")
				if kind == "cold" {
					where = filepath.Join(dir, "cold"+strconv.Itoa(i))
				}
				s := New(Options{Dir: where})
				if err := s.Start(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := s.Stop(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

func TestBinariesBelowTheWorkingDirectoryHaveAbsolutePaths(t *testing.T) {
	installed, err := FindBinaries(testContext(t), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	all := places("tools")
	npm := all[len(all)-1]
	if err := os.MkdirAll(npm, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.Symlink(installed[0].path(name), filepath.Join(npm, name)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := filepath.Abs(npm)
	if err != nil {
		t.Fatal(err)
	}
	found, err := FindBinaries(testContext(t), "", "tools")
	if err != nil || found[len(found)-1].Dir != want {
		t.Errorf("got %v, %v; want %s last", found, err, want)
	}
	if found, err = FindBinaries(testContext(t), npm, ""); err != nil || len(found) != 1 || found[0].Dir != want {
		t.Errorf("got %v, %v; want %s alone", found, err, want)
	}
}
