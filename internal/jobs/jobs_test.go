package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type note struct {
	jobs.Behalf
	Text string `json:"text"`
}

func (note) Kind() string { return "note" }

// world is a database with two tenants and a queue.
type world struct {
	testing.TB
	db           *testkit.DB
	acme, globex testkit.Plant
	app, worker  *pgxpool.Pool
	queue        *jobs.Queue
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, db: testkit.NewDB(t)}
	w.acme, w.globex = testkit.TwoTenants(t, w.db)
	for pool, dsn := range map[**pgxpool.Pool]string{&w.app: w.db.AppDSN, &w.worker: w.db.WorkerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		w.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	var err error
	w.queue, err = jobs.NewQueue(w.app)
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// add adds a note for a viewer of the plant.
func (w *world) add(p testkit.Plant, text string, ends error) error {
	ctx := p.As(w.Context(), tenancy.Viewer)
	behalf, err := jobs.Of(ctx, tenancy.PlantRead)
	w.ok(err)
	return pgx.BeginFunc(ctx, w.app, func(tx pgx.Tx) error {
		return errors.Join(w.queue.Add(ctx, tx, note{behalf, text}, time.Time{}), ends)
	})
}

// run starts a runner of notes, stopped after the test.
func (w *world) run(r prometheus.Registerer, work jobs.Work[note]) {
	w.Helper()
	runner := jobs.NewRunner(jobs.Options{Pool: w.worker, Log: slog.New(slog.DiscardHandler), Registerer: r})
	jobs.Handle(runner, work)
	w.ok(runner.Start(w.Context()))
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), testkit.Patience)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			w.Error(err)
		}
	})
}

func receive[T any](w *world, c <-chan T) (v T) {
	w.Helper()
	select {
	case v = <-c:
	case <-time.After(2 * testkit.Patience): // the waits between attempts alone take a quarter of a minute
		w.Fatalf("nothing came within %s", 2*testkit.Patience)
	}
	return v
}

func TestJobsActForWhoAsked(t *testing.T) {
	w := newWorld(t)
	type seen struct {
		text  string
		actor tenancy.Actor
		sites int
	}
	got := make(chan seen, 10)
	w.run(nil, jobs.Work[note]{Do: func(ctx context.Context, n note) error {
		s := seen{text: n.Text, actor: *tenancy.Must(ctx)}
		err := w.app.QueryRow(ctx, "SELECT count(*) FROM sites").Scan(&s.sites)
		got <- s
		return err
	}})
	w.ok(w.add(w.acme, "first", nil))
	if err := w.add(w.acme, "rolled back", errors.New("no")); err == nil {
		t.Fatal("the transaction was to fail")
	}
	w.ok(w.add(w.globex, "second", nil))
	want := map[string]testkit.Plant{"first": w.acme, "second": w.globex}
	for len(want) > 0 {
		s := receive(w, got)
		p, ok := want[s.text]
		if !ok {
			t.Fatalf("worked %q", s.text)
		}
		delete(want, s.text)
		if s.sites != 1 || s.actor.TenantID != p.TenantID || s.actor.ID != p.Users[tenancy.Viewer] || s.actor.Kind != tenancy.Person {
			t.Errorf("%+v", s)
		}
		if !s.actor.Can(tenancy.PlantRead) || s.actor.Can(tenancy.AlarmsRead) {
			t.Errorf("may do %v", s.actor.Scopes.Strings())
		}
	}
}

func TestTenantsSeeTheirJobsOnly(t *testing.T) {
	w := newWorld(t)
	w.ok(w.add(w.acme, "acme's", nil))
	w.ok(w.add(w.globex, "globex's", nil))
	for _, c := range []struct {
		who  string
		pool *pgxpool.Pool
		ctx  context.Context
		want int
	}{
		{"acme", w.app, w.acme.As(t.Context(), tenancy.Admin), 1},
		{"nobody", w.app, t.Context(), 0},
		{"pipeline", w.worker, t.Context(), 2},
	} {
		var n int
		w.ok(c.pool.QueryRow(c.ctx, "SELECT count(*) FROM river.river_job").Scan(&n))
		if n != c.want {
			t.Errorf("%s sees %d jobs, want %d", c.who, n, c.want)
		}
	}
	// A job for another tenant, and a change of an own one, are refused.
	behalf, err := jobs.Of(w.globex.As(t.Context(), tenancy.Viewer), tenancy.PlantRead)
	w.ok(err)
	ctx := w.acme.As(t.Context(), tenancy.Admin)
	if err := pgx.BeginFunc(ctx, w.app, func(tx pgx.Tx) error { return w.queue.Add(ctx, tx, note{behalf, "x"}, time.Time{}) }); err == nil {
		t.Error("acme added a job for globex")
	}
	if _, err := w.app.Exec(ctx, "UPDATE river.river_job SET args = '{}'"); err == nil {
		t.Error("arguments can be changed")
	}
}

func TestFailuresAreBounded(t *testing.T) {
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	tries, gaveUp := make(chan string, 20), make(chan error, 20)
	w.run(reg, jobs.Work[note]{
		Do: func(_ context.Context, n note) error {
			tries <- n.Text
			if n.Text == "hopeless" {
				return fault.Invalid("input.x", "error.required")
			}
			return fmt.Errorf("%s broke", n.Text)
		},
		GaveUp: func(ctx context.Context, n note, err error) {
			tenancy.Must(ctx)
			gaveUp <- err
		},
	})
	w.ok(w.add(w.acme, "hopeless", nil))
	if err := receive(w, gaveUp); !fault.Is(err, fault.BadInput) || receive(w, tries) != "hopeless" {
		t.Errorf("gave up for %v", err)
	}
	w.ok(w.add(w.acme, "pump", nil))
	if err := receive(w, gaveUp); err == nil || err.Error() != "pump broke" {
		t.Errorf("gave up for %v", err)
	}
	for range jobs.MaxAttempts {
		receive(w, tries)
	}
	testkit.Eventually(t, testkit.Patience, func() bool {
		families, err := reg.Gather()
		w.ok(err)
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "foresight_jobs_attempts_total" })
		return i >= 0 && len(families[i].Metric) == 2 // outcomes failed and retried
	})
	if len(tries) > 0 || len(gaveUp) > 0 {
		t.Errorf("%d further tries, %d further ends", len(tries), len(gaveUp))
	}
}

func TestStopCancelsWhatDoesNotEnd(t *testing.T) {
	w := newWorld(t)
	began, ended := make(chan struct{}), make(chan error, 1)
	runner := jobs.NewRunner(jobs.Options{Pool: w.worker, Log: slog.New(slog.DiscardHandler)})
	jobs.Handle(runner, jobs.Work[note]{Do: func(ctx context.Context, _ note) error {
		close(began)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}})
	w.ok(runner.Start(t.Context()))
	w.ok(w.add(w.acme, "slow", nil))
	receive(w, began)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := runner.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := receive(w, ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOfNeedsThePermission(t *testing.T) {
	ctx := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, ID: id.New(id.OAuthClient), TenantID: id.New(id.Tenant),
		Scopes: tenancy.NewSet(tenancy.PlantRead)})
	if _, err := jobs.Of(ctx, tenancy.PlantRead, tenancy.PlantWrite); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}

// The tables are those that this version of River makes.
func TestTheSchemaIsRivers(t *testing.T) {
	db := testkit.NewDB(t)
	owner, err := postgres.Open(t.Context(), db.OwnerDSN, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	ours, err := rivermigrate.New(riverpgxv5.New(owner), &rivermigrate.Config{Schema: jobs.Schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := ours.Validate(t.Context(), nil); err != nil || !v.OK {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := owner.Exec(t.Context(), "CREATE SCHEMA theirs"); err != nil {
		t.Fatal(err)
	}
	theirs, err := rivermigrate.New(riverpgxv5.New(owner), &rivermigrate.Config{Schema: "theirs", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	want, have := describe(t, owner, "theirs"), describe(t, owner, jobs.Schema)
	if len(want) < 40 || !slices.Equal(want, have) {
		for _, d := range want {
			if !slices.Contains(have, d) {
				t.Errorf("only River makes %s", d)
			}
		}
		for _, d := range have {
			if !slices.Contains(want, d) {
				t.Errorf("only the migration makes %s", d)
			}
		}
		t.Errorf("%d things, want %d", len(have), len(want))
	}
}

// describe lists columns, constraints, indexes and enum values of a schema.
func describe(t *testing.T, pool *pgxpool.Pool, schema string) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT replace(replace(d, $1 || '.', ''), '_pkey1', '_pkey') FROM ( -- River makes one table twice
			SELECT format('column %s.%s %s null %s default %s', table_name, column_name, udt_name, is_nullable, column_default) d
				FROM information_schema.columns WHERE table_schema = $1
			UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
				FROM pg_constraint WHERE connamespace = $1::regnamespace
			UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = $1
			UNION ALL SELECT 'value ' || enumlabel || ' ' || row_number() OVER (ORDER BY enumsortorder)
				FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE typnamespace = $1::regnamespace
			UNION ALL SELECT 'function ' || proname || prosrc FROM pg_proc WHERE pronamespace = $1::regnamespace
			UNION ALL SELECT 'migration ' || line || version FROM river.river_migration WHERE $1 = 'river'
			UNION ALL SELECT 'migration ' || line || version FROM theirs.river_migration WHERE $1 = 'theirs'
		) x ORDER BY 1`, schema)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// call is a job that waits for the server of somebody else.
type call struct {
	jobs.Behalf
	jobs.Outward
}

func (call) Kind() string { return "call" }

// Servers of others that do not answer hold up nobody's import.
func TestOutwardJobsAreWorkedApart(t *testing.T) {
	w := newWorld(t)
	ctx := w.acme.As(t.Context(), tenancy.Viewer)
	behalf, err := jobs.Of(ctx)
	w.ok(err)
	const atOnce = 2
	began, goOn, noted := make(chan struct{}, 10), make(chan struct{}), make(chan string, 1)
	runner := jobs.NewRunner(jobs.Options{Pool: w.worker, AtOnce: atOnce, Log: slog.New(slog.DiscardHandler)})
	jobs.Handle(runner, jobs.Work[call]{Do: func(ctx context.Context, _ call) error {
		began <- struct{}{}
		select {
		case <-goOn:
			return fmt.Errorf("no answer: %w", jobs.ErrHopeless)
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	jobs.Handle(runner, jobs.Work[note]{Do: func(_ context.Context, n note) error {
		noted <- n.Text
		return nil
	}})
	w.ok(runner.Start(t.Context()))
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), testkit.Patience)
		defer cancel()
		w.ok(runner.Stop(ctx))
	})
	for range 2 * atOnce {
		w.ok(pgx.BeginFunc(ctx, w.app, func(tx pgx.Tx) error { return w.queue.Add(ctx, tx, call{Behalf: behalf}, time.Time{}) }))
	}
	for range atOnce {
		receive(w, began)
	}
	w.ok(w.add(w.acme, "an import", nil))
	if got := receive(w, noted); got != "an import" {
		t.Error(got)
	}
	close(goOn)
	var states string
	testkit.Eventually(t, testkit.Patience, func() bool {
		w.ok(w.worker.QueryRow(t.Context(), `SELECT string_agg(DISTINCT state::text || ' ' || attempt, ' ') FROM river.river_job WHERE kind = 'call'`).Scan(&states))
		return states == "cancelled 1"
	})
}
