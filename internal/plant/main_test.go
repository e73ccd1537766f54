package plant_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/internal/auth"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a database with two tenants and the service on it.
type world struct {
	testing.TB
	*plant.Service
	owner        *pgx.Conn
	acme, globex testkit.Plant
	south        id.UUID // acme's second site
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := testkit.NewDB(t)
	w := &world{TB: t}
	w.acme, w.globex = testkit.TwoTenants(t, db)
	pool, err := postgres.Open(t.Context(), db.AppDSN, postgres.Options{MaxConns: 8})
	w.ok(err)
	t.Cleanup(pool.Close)
	orm := postgres.OpenDB(pool)
	t.Cleanup(func() { _ = orm.Close() })
	files, err := blob.Open(t.Context(), "mem://")
	w.ok(err)
	t.Cleanup(func() { w.ok(files.Close()) })
	links, err := blob.NewLinks(files, bytes.Repeat([]byte("k"), 32))
	w.ok(err)
	w.Service = plant.New(orm, pool, plant.Options{Files: files, Links: links, NewSecret: auth.NewSecret})
	w.owner, err = pgx.Connect(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(func() { _ = w.owner.Close(context.WithoutCancel(t.Context())) })
	w.south = id.New(id.Site)
	w.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South works')`, w.south, w.acme.TenantID)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// sql changes the database past all policies.
func (w *world) sql(query string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), query, args...)
	w.ok(err)
}

// as is a person of acme.
func (w *world) as(r tenancy.Role) context.Context { return w.acme.As(w.Context(), r) }

// limited is an engineer of acme who sees only the site.
func (w *world) limited(site id.UUID) context.Context {
	a := *tenancy.Must(w.as(tenancy.Engineer))
	a.SiteIDs = []id.UUID{site}
	return tenancy.With(w.Context(), &a)
}

// holding is a machine credential of acme with the permissions only.
func (w *world) holding(ps ...tenancy.Permission) context.Context {
	return tenancy.With(w.Context(), &tenancy.Actor{Kind: tenancy.Client, ID: id.New(id.OAuthClient), TenantID: w.acme.TenantID, Scopes: tenancy.NewSet(ps...)})
}

// asset adds a machine to acme by SQL; more are further columns.
func (w *world) asset(site id.UUID, code string, more map[string]any) id.UUID {
	w.Helper()
	of := id.New(id.Asset)
	columns, marks, args := "id, tenant_id, site_id, asset_code", "$1, $2, $3, $4", []any{of, w.acme.TenantID, site, code}
	values := map[string]any{"name": code, "asset_type": "pump"}
	for k, v := range more {
		values[k] = v
	}
	for k, v := range values {
		args = append(args, v)
		columns, marks = columns+", "+k, fmt.Sprintf("%s, $%d", marks, len(args))
	}
	w.sql("INSERT INTO assets ("+columns+") VALUES ("+marks+")", args...)
	return of
}

// alarm raises an alarm on a machine by SQL, under a rule of its own.
func (w *world) alarm(p testkit.Plant, site, asset id.UUID, severity, status string) {
	w.Helper()
	rule := id.New(id.AlarmRule)
	w.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, $3, 'flow', 'gt', 1, $4)`,
		rule, p.TenantID, rule.String(), severity)
	w.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, rule_id, severity, status, triggered_value, triggered_at, last_triggered_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 2, now(), now())`, id.New(id.AlarmEvent), p.TenantID, site, asset, rule, severity, status)
}

// spoke says that a sensor's newest reading is of the time, and came at arrival.
func (w *world) spoke(p testkit.Plant, site, asset, sensor id.UUID, at, arrival time.Time) {
	w.Helper()
	w.sql(`INSERT INTO sensor_states (tenant_id, sensor_id, site_id, asset_id, partition, last_seen_at, is_online, window_fill, latest_at, latest)
		VALUES ($1, $2, $3, $4, 0, $5, true, 1, $6, '{}')`, p.TenantID, sensor, site, asset, arrival, at)
}

// faults lists the mistakes as `KIND key field`.
func faults(err error) []string {
	var l fault.List
	if !errors.As(err, &l) {
		var f *fault.Error
		if !errors.As(err, &f) {
			return []string{fmt.Sprint(err)}
		}
		l = fault.List{f}
	}
	out := make([]string, len(l))
	for i, f := range l {
		out[i] = fmt.Sprintf("%s %s %s", f.Kind, f.Key, f.Field)
	}
	return out
}

func codes(es []*ent.Asset) []string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.AssetCode
	}
	return out
}

func ptr[T any](v T) *T { return &v }
