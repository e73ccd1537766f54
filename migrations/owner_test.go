package migrations_test

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"foresight/internal/embedded/pg"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/migrations"
)

// On a server that others share the owner of the database is subject to row-level
// security itself (deploy/postgres/roles.sh). What migrations do to rows of tenants
// reaches them all the same.
func TestMigrationsOfAnOwnerUnderRowLevelSecurity(t *testing.T) {
	ctx := t.Context()
	found, err := pg.FindBinaries(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, slices.MaxFunc(found, func(a, b pg.Binaries) int { return cmp.Compare(a.Major, b.Major) }).Dir)
	admin := connect(t, server.DSN(pg.Superuser, "postgres"))
	for _, statement := range []string{
		`CREATE ROLE common LOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOBYPASSRLS`,
		`CREATE DATABASE shared OWNER common`,
	} {
		if _, err := admin.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	owner, all := server.DSN("common", "shared"), server.DSN(pg.Superuser, "shared")
	upTo(t, owner, 109)
	acme, globex := testkit.TwoTenants(t, &testkit.DB{OwnerDSN: all})
	past := connect(t, all)
	run := func(statement string, args ...any) {
		t.Helper()
		if _, err := past.Exec(ctx, statement, args...); err != nil {
			t.Fatal(err)
		}
	}

	// People could say several things of one prediction before 110.
	versions := map[id.UUID]id.UUID{}
	for _, p := range []testkit.Plant{acme, globex} {
		model, version := id.New(id.MLModel), id.New(id.MLModelVersion)
		versions[p.TenantID] = version
		run(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, 'm', 'fault_classification', 'f')`, model, p.TenantID)
		run(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, dataset_hash, feature_schema_hash)
			VALUES ($1, $2, $3, '1.0.0', 'm:1.0.0', 'staging', 'a', 'd', 'f')`, version, p.TenantID, model)
	}
	prediction := id.New(id.Prediction)
	say := func(p testkit.Plant, by *id.UUID, remark string, hour int) {
		t.Helper()
		run(`INSERT INTO feedback (id, tenant_id, prediction_id, predicted_label, probability, new_label, feedback_type, correction, "by", at, model_version_id)
			VALUES ($1, $2, $3, 'a', 0.5, 'a', 'correct', $4, $5, timestamptz '2026-01-01' + $6 * interval '1 hour', $7)`,
			id.New(id.Feedback), p.TenantID, prediction, remark, by, hour, versions[p.TenantID])
	}
	engineer, admins, other := acme.Users[tenancy.Engineer], acme.Users[tenancy.Admin], globex.Users[tenancy.Engineer]
	say(acme, &engineer, "late", 3)
	say(acme, &engineer, "early", 1)
	say(acme, &engineer, "between", 2)
	say(acme, &admins, "another's", 1)
	say(acme, nil, "machine's first", 1)
	say(acme, nil, "machine's last", 2)
	say(globex, &other, "another tenant's", 1)
	if err := migrations.Up(ctx, owner); err != nil {
		t.Fatal(err)
	}
	rows, err := past.Query(ctx, `SELECT correction FROM feedback ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if want := []string{"another tenant's", "another's", "late", "machine's last"}; err != nil || !slices.Equal(kept, want) {
		t.Errorf("kept %q (%v), want %q", kept, err, want)
	}
	forced(t, past)

	// What earlier versions have no word for goes on the way back.
	run(`INSERT INTO job_progress (tenant_id, job_id, phase, done) VALUES ($1, $2, 'training', 1)`, acme.TenantID, id.New(id.TrainingRun))
	run(`INSERT INTO drift_reports (id, tenant_id, model_version_id, window_start, window_end, verdict) VALUES ($1, $2, $3, now() - interval '1 day', now(), 'unknown')`,
		id.New(id.DriftReport), globex.TenantID, versions[globex.TenantID])
	if err := migrations.Down(ctx, owner); err != nil {
		t.Error(err)
	}
}

// forced checks that every table with row-level security forces it upon its owner.
func forced(t *testing.T, c *pgx.Conn) {
	t.Helper()
	rows, err := c.Query(t.Context(), `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity AND NOT relforcerowsecurity`)
	if err != nil {
		t.Fatal(err)
	}
	free, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(free) > 0 {
		t.Errorf("row-level security is not forced on %s", strings.Join(free, ", "))
	}
}

// upTo migrates an empty database as far as a version.
func upTo(t *testing.T, dsn string, version int64) {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*cfg)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}
