package registry_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/registry"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var limits = registry.Limits{Retention: 30 * 24 * time.Hour, Rate: 1000, Burst: 2000}

const within = testkit.Patience

func owner(t testing.TB, db *testkit.DB) func(sql string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), db.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	return func(sql string, args ...any) {
		t.Helper()
		if _, err := c.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func workerPool(t testing.TB, db *testkit.DB) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), db.WorkerDSN, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// start returns a running registry as the worker's role sees the database.
func start(t testing.TB, db *testkit.DB, notices bool, refresh time.Duration) *registry.Registry {
	t.Helper()
	o := registry.Options{
		Pool: workerPool(t, db), Refresh: refresh, Limits: limits,
		Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	}
	if notices {
		o.Listen = func(ctx context.Context, deliver func(string)) error {
			return postgres.Listen(ctx, db.WorkerDSN, postgres.ChangeChannel, o.Log, deliver)
		}
	}
	r := registry.New(o)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return r
}

func tenant(t testing.TB, r *registry.Registry, of id.UUID) *registry.Tenant {
	t.Helper()
	got, ok := r.Snapshot().Tenant(of)
	if !ok {
		t.Fatalf("tenant %s is not known", of)
	}
	return got
}

func TestEveryTenantsPlantIsFound(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := testkit.TwoTenants(t, db)
	exec := owner(t, db)
	exec(`UPDATE sensors SET mqtt_topic = 'old/plant/x' WHERE id = $1`, a.SensorIDs[1])
	exec(`UPDATE gateways SET mqtt_username = 'gw-of-acme', mqtt_password_hash = 'hash' WHERE id = $1`, a.GatewayID)
	r := start(t, db, false, time.Hour)
	s := r.Snapshot()

	for _, p := range []testkit.Plant{a, b} {
		tn, ok := s.TenantByCode(p.TenantCode)
		if !ok || tn.ID != p.TenantID || !tn.Active {
			t.Fatalf("%s: %+v, %v", p.TenantCode, tn, ok)
		}
		for i, code := range testkit.SensorCodes {
			byCode, ok := tn.Sensor(code)
			if !ok || byCode.Key != p.Key(i) || byCode.SiteCode != testkit.SiteCode || byCode.AssetType != "pump" || !byCode.Active {
				t.Errorf("%s/%s: %+v, %v", p.TenantCode, code, byCode, ok)
			}
			if byID, ok := s.Sensor(p.TenantID, p.SensorIDs[i]); !ok || byID != byCode {
				t.Errorf("%s/%s is another one by id", p.TenantCode, code)
			}
		}
	}
	if _, ok := s.Sensor(b.TenantID, a.SensorIDs[0]); ok {
		t.Error("a sensor was found in another tenant")
	}
	if got, ok := tenant(t, r, a.TenantID).SensorByTopic("old/plant/x"); !ok || got.Key != a.Key(1) {
		t.Errorf("by topic: %+v, %v", got, ok)
	}
	g, ok := s.Gateway("gw-of-acme")
	if !ok || g.ID != a.GatewayID || g.Tenant != a.TenantID || g.Site != a.SiteID || !g.Active {
		t.Fatalf("gateway %+v, %v", g, ok)
	}
	if hash, err := r.PasswordHash(t.Context(), g); err != nil || hash != "hash" {
		t.Errorf("hash %q, %v", hash, err)
	}
	other := *g
	other.Username = "somebody"
	if hash, err := r.PasswordHash(t.Context(), &other); err != nil || hash != "" {
		t.Errorf("hash of an unknown user name: %q, %v", hash, err)
	}
	if s.Tenants() != 2 || s.Sensors() != 4 {
		t.Errorf("%d tenants, %d sensors", s.Tenants(), s.Sensors())
	}
}

func TestWhatIsOffIsInactive(t *testing.T) {
	for name, sql := range map[string]string{
		"sensor": `UPDATE sensors SET is_active = false WHERE tenant_id = $1`,
		"asset":  `UPDATE assets SET is_active = false WHERE tenant_id = $1`,
		"site":   `UPDATE sites SET is_active = false WHERE tenant_id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testkit.NewDB(t)
			a, b := testkit.TwoTenants(t, db)
			owner(t, db)(sql, a.TenantID)
			r := start(t, db, false, time.Hour)
			if s, ok := tenant(t, r, a.TenantID).Sensor(testkit.SensorCodes[0]); !ok || s.Active {
				t.Errorf("%+v, %v, want it known and inactive", s, ok)
			}
			if s, ok := tenant(t, r, b.TenantID).Sensor(testkit.SensorCodes[0]); !ok || !s.Active {
				t.Errorf("the other tenant's: %+v, %v", s, ok)
			}
		})
	}
}

func TestSettingsBoundRetentionAndQuota(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := testkit.TwoTenants(t, db)
	exec := owner(t, db)
	exec(`UPDATE tenants SET settings = '{"raw_retention_days": 7, "messages_per_second": 50, "message_burst": 60}' WHERE id = $1`, a.TenantID)
	exec(`UPDATE tenants SET settings = '{"raw_retention_days": 300, "messages_per_second": 1e9}' WHERE id = $1`, b.TenantID)
	r := start(t, db, false, time.Hour)
	if got := tenant(t, r, a.TenantID); got.Retention != 7*24*time.Hour || got.Rate != 50 || got.Burst != 60 {
		t.Errorf("own settings: %+v", got)
	}
	if got := tenant(t, r, b.TenantID); got.Retention != limits.Retention || got.Rate != limits.Rate || got.Burst != limits.Burst {
		t.Errorf("settings above the limits: %+v", got)
	}
}

func TestTenantsParametersAreItsOwn(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := testkit.TwoTenants(t, db)
	owner(t, db)(`INSERT INTO parameters (id, tenant_id, name, unit, min_plausible) VALUES ($1, $2, 'lube_level', '%', 0)`,
		id.New(id.Parameter), a.TenantID)
	r := start(t, db, false, time.Hour)
	if p, ok := tenant(t, r, a.TenantID).Catalogue.Parameter("lube_level"); !ok || p.Unit != "%" || p.Min != 0 || p.Max < 1e300 {
		t.Errorf("%+v, %v", p, ok)
	}
	if _, ok := tenant(t, r, b.TenantID).Catalogue.Parameter("lube_level"); ok {
		t.Error("another tenant has it, too")
	}
	if _, ok := tenant(t, r, a.TenantID).Catalogue.Parameter("flow"); !ok {
		t.Error("the built-in ones are gone")
	}
}

func TestNoticesKeepItCurrent(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := testkit.TwoTenants(t, db)
	r := start(t, db, true, time.Hour)
	exec := owner(t, db)
	known := func(of testkit.Plant, code string) func() bool {
		return func() bool {
			tn, ok := r.Snapshot().Tenant(of.TenantID)
			if !ok {
				return false
			}
			_, ok = tn.Sensor(code)
			return ok
		}
	}
	fresh := id.New(id.Sensor)
	exec(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) VALUES ($1, $2, $3, 'fresh', '{}')`, fresh, a.TenantID, a.AssetID)
	testkit.Eventually(t, within, known(a, "fresh"))

	exec(`UPDATE sensors SET is_deleted = true WHERE id = $1`, fresh)
	testkit.Eventually(t, within, func() bool { return !known(a, "fresh")() })

	exec(`UPDATE gateways SET mqtt_username = 'gw', mqtt_password_hash = 'h' WHERE id = $1`, b.GatewayID)
	testkit.Eventually(t, within, func() bool { _, ok := r.Snapshot().Gateway("gw"); return ok })

	exec(`UPDATE gateways SET mqtt_username = NULL WHERE id = $1`, b.GatewayID)
	testkit.Eventually(t, within, func() bool { _, ok := r.Snapshot().Gateway("gw"); return !ok })

	// Many notices at once: more than one tenant, more than one table.
	for i := range 50 {
		of := []testkit.Plant{a, b}[i%2]
		exec(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) VALUES ($1, $2, $3, $4, '{}')`,
			id.New(id.Sensor), of.TenantID, of.AssetID, fmt.Sprintf("many-%d", i))
	}
	testkit.Eventually(t, within, func() bool { return known(a, "many-48")() && known(b, "many-49")() })

	exec(`UPDATE tenants SET is_deleted = true WHERE id = $1`, b.TenantID)
	testkit.Eventually(t, within, func() bool { _, ok := r.Snapshot().Tenant(b.TenantID); return !ok })
	if !known(a, testkit.SensorCodes[0])() {
		t.Error("the other tenant is gone, too")
	}
}

func TestRefreshFindsWhatNoNoticeTold(t *testing.T) {
	db := testkit.NewDB(t)
	a, _ := testkit.TwoTenants(t, db)
	r := start(t, db, false, 20*time.Millisecond)
	owner(t, db)(`UPDATE sensors SET sensor_code = 'renamed' WHERE id = $1`, a.SensorIDs[0])
	testkit.Eventually(t, within, func() bool { _, ok := tenant(t, r, a.TenantID).Sensor("renamed"); return ok })
}

func TestFailedLoadKeepsTheFormerState(t *testing.T) {
	db := testkit.NewDB(t)
	a, _ := testkit.TwoTenants(t, db)
	exec := owner(t, db)
	metrics := prometheus.NewRegistry()
	r := registry.New(registry.Options{
		Pool: workerPool(t, db), Refresh: 20 * time.Millisecond, Limits: limits, Metrics: metrics, Log: slog.New(slog.DiscardHandler),
	})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop(context.WithoutCancel(t.Context())) })

	exec(`REVOKE SELECT ON sensors FROM foresight_worker`)
	testkit.Eventually(t, within, func() bool { return failures(t, metrics) > 0 })
	if _, ok := tenant(t, r, a.TenantID).Sensor(testkit.SensorCodes[0]); !ok {
		t.Fatal("the sensor is forgotten")
	}
	exec(`UPDATE sensors SET sensor_code = 'renamed' WHERE id = $1`, a.SensorIDs[0])
	exec(`GRANT SELECT ON sensors TO foresight_worker`)
	testkit.Eventually(t, within, func() bool { _, ok := tenant(t, r, a.TenantID).Sensor("renamed"); return ok })
}

func failures(t *testing.T, g prometheus.Gatherer) (n float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "foresight_registry_load_failures_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

func TestStartFailsWithoutTables(t *testing.T) {
	db := testkit.NewEmptyDB(t)
	testkit.NewDB(t) // makes the roles
	r := registry.New(registry.Options{Pool: workerPool(t, db), Limits: limits, Log: slog.New(slog.DiscardHandler)})
	if err := r.Start(t.Context()); err == nil {
		t.Error("no error")
	}
	if r.Snapshot() == nil {
		t.Error("no snapshot")
	}
}
