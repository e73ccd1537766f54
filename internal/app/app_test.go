package app_test

import (
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"foresight/internal/app"
	"foresight/internal/app/demo"
	"foresight/internal/config"
	"foresight/internal/testkit"
)

// One process with everything in it: parts start from the ground up, the second
// start finds what the first one kept, and nothing is left behind.
func TestOneProcess(t *testing.T) {
	testkit.NoLeaks(t)
	dir := dataDir(t)
	const login = `mutation { login(input: {email: "viewer@alpha-grid.example", password: "` + demo.Password + `"}) { session { accessToken } } }`
	for start := range 2 {
		a, parts := started(t, settings(t, dir))
		order := []string{"postgres", "migrations", "connections", "nats", "log and hub", "models", "alarm feed", "pipeline", "registry", "mqtt broker", "http"}
		last := -1
		for _, name := range order {
			i := slices.IndexFunc(parts, func(p string) bool { return strings.Contains(p, name) })
			if i <= last {
				t.Errorf("%s is at place %d of %v, want it behind %d", name, i, parts, last)
			}
			last = i
		}
		if start == 0 {
			if err := a.StartDemo(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/schema.graphql": 200} {
			// One that is asked for its readiness may just have waited too long for a part of it.
			testkit.Eventually(t, testkit.Patience, func() bool { return status(t, a.URL()+path) == want })
		}
		token := post(t, a, "", login)["login"].(map[string]any)["session"].(map[string]any)["accessToken"].(string)
		if got := post(t, a, token, `{ assets(first: 1) { totalCount } }`)["assets"].(map[string]any)["totalCount"]; got != 50.0 {
			t.Errorf("start %d: %v assets", start, got)
		}
		if conn, err := net.Dial("tcp", a.MQTTAddr); err != nil {
			t.Errorf("start %d: the MQTT broker does not listen: %v", start, err)
		} else {
			_ = conn.Close()
		}
		stop(t, a)
		nothingRuns(t, dir)
		if conn, err := net.Dial("tcp", a.Addr); err == nil {
			_ = conn.Close()
			t.Errorf("start %d: %s still listens", start, a.Addr)
		}
	}
}

// A port that is taken is named together with the setting to change, and what had
// been started is stopped.
func TestPortsTaken(t *testing.T) {
	testkit.NoLeaks(t)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	dir := dataDir(t)
	for variable, set := range map[string]func(*config.Config, string){
		"FORESIGHT_HTTP_ADDR": func(c *config.Config, addr string) { c.HTTPAddr = addr },
		"FORESIGHT_MQTT_ADDR": func(c *config.Config, addr string) { c.MQTTAddr = addr },
	} {
		cfg := settings(t, dir)
		set(cfg, other.Addr().String())
		err := app.New(cfg, slog.New(slog.DiscardHandler), nil).Start(t.Context())
		if err == nil {
			t.Fatalf("%s: started on a taken port", variable)
		}
		for _, want := range []string{variable, other.Addr().String(), "already in use"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", variable, err, want)
			}
		}
		nothingRuns(t, dir)
	}
}

// A start that fails in the middle leaves nothing open.
func TestFailedStartLeavesNothing(t *testing.T) {
	db := testkit.NewDB(t)
	testkit.NoLeaks(t) // the server of the tests stays
	for name, change := range map[string]func(*config.Config){
		"no database":       func(c *config.Config) { c.Database.OwnerURL = "postgres://127.0.0.1:1/none?connect_timeout=1" },
		"no worker's role":  func(c *config.Config) { c.Database.WorkerURL = "postgres://127.0.0.1:1/none?connect_timeout=1" },
		"no NATS":           func(c *config.Config) { c.NATS.URL = "nats://127.0.0.1:1" },
		"no room for a log": func(c *config.Config) { c.NATS.Replicas = 3 },
		"no signing keys":   func(c *config.Config) { c.Auth.KeyFile = filepath.Join(c.DataDir, "none", "keys.json") },
	} {
		cfg := settings(t, t.TempDir())
		cfg.Database.OwnerURL, cfg.Database.AppURL, cfg.Database.WorkerURL = db.OwnerDSN, db.AppDSN, db.WorkerDSN
		change(cfg)
		a := app.New(cfg, slog.New(slog.DiscardHandler), nil)
		if err := a.Start(t.Context()); err == nil {
			t.Errorf("%s: started", name)
			stop(t, a)
		}
	}
}
