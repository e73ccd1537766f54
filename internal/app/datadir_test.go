package app_test

import (
	"os"
	"path/filepath"
	"testing"

	"foresight/internal/app"
)

func TestDataDir(t *testing.T) {
	set := filepath.Join(t.TempDir(), "some", "where")
	got, err := app.DataDir(set)
	if err != nil || got != set {
		t.Errorf("what is set: %s, %v", got, err)
	}
	if fi, err := os.Stat(set); err != nil || !fi.IsDir() {
		t.Errorf("not made: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := app.DataDir(file); err == nil {
		t.Errorf("a file is taken as directory: %s", got)
	}
	open := dataDir(t)
	t.Chdir(open)
	if got, err = app.DataDir(""); err != nil || got != filepath.Join(open, "data") {
		t.Errorf("by default: %s, %v, want ./data", got, err)
	}
}

// Root's PostgreSQL runs as another user, who cannot pass a closed directory.
func TestDataDirOfRootWhereNobodyPasses(t *testing.T) {
	closed := dataDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(closed)
	want := filepath.Join(closed, "data")
	if os.Geteuid() == 0 {
		if _, err := os.Stat("/var/lib/foresight"); os.IsNotExist(err) {
			t.Cleanup(func() { _ = os.Remove("/var/lib/foresight") })
		}
		want = "/var/lib/foresight"
	}
	if got, err := app.DataDir(""); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
