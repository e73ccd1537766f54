package command

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// run runs `foresight` with the arguments.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root, out := Root("test"), &strings.Builder{}
	root.SetOut(out)
	root.SetErr(&strings.Builder{})
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// tenant runs `foresight tenant create` with the arguments.
func tenant(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return run(t, append([]string{"tenant", "create"}, args...)...)
}

// onDatabase lets commands work on a database of the test's own.
func onDatabase(t *testing.T) *testkit.DB {
	t.Helper()
	db := testkit.NewDB(t)
	t.Setenv("FORESIGHT_LOG_LEVEL", "error")
	t.Setenv("FORESIGHT_DATA_DIR", t.TempDir())
	t.Setenv("FORESIGHT_PUBLIC_URL", "https://foresight.example")
	for name, dsn := range map[string]string{"OWNER": db.OwnerDSN, "APP": db.AppDSN, "WORKER": db.WorkerDSN} {
		t.Setenv("FORESIGHT_DATABASE_"+name+"_URL", dsn)
	}
	return db
}

func TestATenantIsMadeFromTheCommandLine(t *testing.T) {
	onDatabase(t)
	good := []string{"--code", "initech", "--name", "Initech", "--admin-email", "ada@initech.example", "--plan", "enterprise", "--currency", "CHF"}
	out, err := tenant(t, good...)
	if err != nil || !regexp.MustCompile(`(?s)^tenant initech \(.*\nadmin  ada@initech\.example\n.*https://foresight\.example/welcome#token=[A-Za-z0-9_-]{43}\n$`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
	for want, args := range map[string][]string{
		"tenantCode: Another tenant has this code.": good,
		"no plan \"gold\"":                          append(good[:6:6], "--plan", "gold"),
		"email: This is not an e-mail address.":     {"--code", "umbrella", "--name", "Umbrella", "--admin-email", "ada"},
		"required flag(s) \"admin-email\"":          {"--code", "umbrella", "--name", "Umbrella"},
	} {
		if out, err := tenant(t, args...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out, "token") {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
	if files, err := os.ReadDir(os.Getenv("FORESIGHT_DATA_DIR")); err != nil || len(files) != 1 || files[0].Name() != "keys" {
		t.Errorf("the data directory holds %v, %v", files, err)
	}
}

func TestATenantsTelemetryIsPurgedFromTheCommandLine(t *testing.T) {
	db := onDatabase(t)
	acme, globex := testkit.TwoTenants(t, db)
	owner, err := pgx.Connect(t.Context(), db.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Close(context.WithoutCancel(t.Context())) }()
	worker, err := pgxpool.New(t.Context(), db.WorkerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	store := pgstore.New(worker, worker)
	for _, p := range []testkit.Plant{acme, globex} {
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: p.Key(0), Timestamp: time.Now().UTC(), Channels: telemetry.NoChannels()}, LogSeq: 1, Payload: []byte("{}")}
		if _, err := store.WriteReadings(t.Context(), []telemetry.Raw{raw}); err != nil {
			t.Fatal(err)
		}
	}
	for want, args := range map[string][]string{
		"say --yes":             {acme.TenantCode},
		"This tenant is active": {acme.TenantCode, "--yes"},
		"accepts 1 arg(s)":      {"--yes"},
		"There is no such":      {"nobody", "--yes"},
	} {
		if out, err := run(t, append([]string{"tenant", "purge"}, args...)...); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
	if _, err := owner.Exec(t.Context(), `UPDATE tenants SET is_active = false WHERE id = $1`, acme.TenantID); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "tenant", "purge", acme.TenantCode, "--yes"); err != nil || out != "deleted: 1 documents, 0 files\n" {
		t.Errorf("%q, %v", out, err)
	}
	for tenant, want := range map[id.UUID]int{acme.TenantID: 0, globex.TenantID: 1} {
		var n int
		if err := owner.QueryRow(t.Context(), `SELECT count(*) FROM telemetry_raw WHERE tenant_id = $1`, tenant).Scan(&n); err != nil || n != want {
			t.Errorf("%d readings, %v, want %d", n, err, want)
		}
	}
}
