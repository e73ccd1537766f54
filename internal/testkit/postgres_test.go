package testkit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// holdEnv makes the test binary start the shared server and wait to be killed.
const holdEnv = "TESTKIT_TEST_HOLD"

func TestMain(m *testing.M) {
	if os.Getenv(holdEnv) != "" {
		c, err := startCluster()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held", c.server.PID(), c.dir.path)
		select {}
	}
	Main(m)
}

func TestKilledRunLeavesNothing(t *testing.T) {
	run := exec.Command(os.Args[0])
	run.Env = append(os.Environ(), holdEnv+"=1")
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscanf(out, "held %d %s\n", &pid, &dir); err != nil {
		t.Fatal(err)
	}
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait() // it was killed
	if runtime.GOOS == "linux" {
		Eventually(t, Patience, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	}
	w, err := newWorkdir() // as the next run does
	if err != nil {
		t.Fatal(err)
	}
	if err := w.remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left behind: %v", dir, err)
	}
}

func execute(t testing.TB, dsn, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			execute(t, NewDB(t).OwnerDSN, "CREATE TABLE mine (i int)")
		})
	}
}

func TestDatabasesHaveTheSchemaAndTheRoles(t *testing.T) {
	db := NewDB(t)
	for role, dsn := range map[string]string{"owner": db.OwnerDSN, "app": db.AppDSN, "worker": db.WorkerDSN} {
		t.Run(role, func(t *testing.T) { execute(t, dsn, "SELECT id FROM assets") })
	}
	execute(t, NewEmptyDB(t).OwnerDSN, "CREATE TABLE assets (i int)")
}

func BenchmarkNewDB(b *testing.B) {
	for range b.N {
		b.StopTimer()
		c := theCluster(b)
		if err := c.migrated(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		c.create(b, " TEMPLATE "+template)
	}
}
