package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"foresight/internal/app"
	"foresight/internal/config"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// dataDir returns a directory that the user of PostgreSQL can pass through, also
// when the tests run as root.
func dataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "foresight-app-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// settings are the defaults on free ports, with the data in the directory.
func settings(t testing.TB, dir string) *config.Config {
	t.Helper()
	cfg, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPAddr, cfg.MQTTAddr, cfg.DataDir = "127.0.0.1:0", "127.0.0.1:0", dir
	cfg.NATS.LogMaxBytes = 64 << 20
	cfg.NATS.Partitions = 4
	return cfg
}

// started returns a process that runs, and the parts in the order of their start.
func started(t testing.TB, cfg *config.Config) (*app.App, []string) {
	t.Helper()
	var parts []string
	a := app.New(cfg, slog.New(slog.DiscardHandler), func(part string, _ time.Duration) { parts = append(parts, part) })
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a, parts
}

func stop(t testing.TB, a *app.App) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// post asks the graph of the process, with a token or "".
func post(t testing.TB, a *app.App, token, query string) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), "POST", a.URL()+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Data   map[string]any
		Errors []any
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || len(out.Errors) > 0 {
		t.Fatalf("%s: %v %v", query, out.Errors, err)
	}
	return out.Data
}

func status(t testing.TB, url string) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// nothingRuns fails when the private PostgreSQL of the directory still does.
func nothingRuns(t testing.TB, dir string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "postmaster.pid" {
			t.Errorf("PostgreSQL still runs: %s", path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
