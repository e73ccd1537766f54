package bulk_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/bus"
	"foresight/internal/hub"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is the service with its jobs, on a database with two tenants and a hub.
type world struct {
	testing.TB
	*bulk.Service
	owner        *pgx.Conn
	app, worker  *pgxpool.Pool
	store        *pgstore.Store
	hub          *hub.Hub
	acme, globex testkit.Plant
	south        id.UUID // acme's second site
}

func newWorld(t testing.TB, limits bulk.Limits) *world {
	t.Helper()
	w := newIdleWorld(t, limits)
	w.work()
	return w
}

// newIdleWorld is a world in which nobody works the jobs.
func newIdleWorld(t testing.TB, limits bulk.Limits) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db := testkit.NewDB(t)
	w := &world{TB: t}
	w.acme, w.globex = testkit.TwoTenants(t, db)
	for pool, dsn := range map[**pgxpool.Pool]string{&w.app: db.AppDSN, &w.worker: db.WorkerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		w.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	var err error
	w.owner, err = pgx.Connect(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(func() { _ = w.owner.Close(context.WithoutCancel(t.Context())) })
	conn, err := bus.Connect(t.Context(), bus.Options{InProcess: testkit.NATS(t), Log: log})
	w.ok(err)
	t.Cleanup(func() { w.stop(conn.Close) })
	w.hub = hub.New(conn.Conn(), hub.Options{Log: log})
	t.Cleanup(func() { _ = w.hub.Close() })
	dir, err := blob.DirURL(t.TempDir())
	w.ok(err)
	files, err := blob.Open(t.Context(), dir)
	w.ok(err)
	t.Cleanup(func() { _ = files.Close() })
	queue, err := jobs.NewQueue(w.app)
	w.ok(err)
	w.store = pgstore.New(w.worker, w.app)
	w.Service = bulk.New(bulk.Options{App: w.app, Queue: queue, Events: w.hub, Files: files, Store: w.store, Limits: limits, Log: log})
	w.south = id.New(id.Site)
	w.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South works')`, w.south, w.acme.TenantID)
	return w
}

// work starts a runner, as another process would; it stops after the test.
func (w *world) work() {
	w.Helper()
	r := jobs.NewRunner(jobs.Options{Pool: w.worker, Log: slog.New(slog.DiscardHandler)})
	w.Work(r)
	w.ok(r.Start(w.Context()))
	w.Cleanup(func() { w.stop(r.Stop) })
}

func (w *world) stop(f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), testkit.Patience)
	defer cancel()
	if err := f(ctx); err != nil {
		w.Error(err)
	}
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

// count runs a query for one number past all policies.
func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	w.ok(w.owner.QueryRow(w.Context(), query, args...).Scan(&n))
	return n
}

// as is a person of acme.
func (w *world) as(r tenancy.Role) context.Context { return w.acme.As(w.Context(), r) }

// limited is an engineer of acme who sees only the site.
func (w *world) limited(site id.UUID) context.Context {
	a := *tenancy.Must(w.as(tenancy.Engineer))
	a.SiteIDs = []id.UUID{site}
	return tenancy.With(w.Context(), &a)
}

// start uploads a file and starts its import.
func (w *world) start(ctx context.Context, file string, q bulk.ImportRequest) *bulk.Import {
	w.Helper()
	u, err := w.Upload(ctx, "plant.csv", strings.NewReader(file))
	w.ok(err)
	q.Upload = u.ID
	i, err := w.StartImport(ctx, q)
	w.ok(err)
	return i
}

// importFile imports a file and waits for the end.
func (w *world) importFile(ctx context.Context, file string, q bulk.ImportRequest) *bulk.Import {
	w.Helper()
	return w.await(ctx, w.start(ctx, file, q).ID)
}

func (w *world) await(ctx context.Context, job id.UUID) *bulk.Import {
	w.Helper()
	return last(w, follow(w, ctx, job, w.Import))
}

// follow gives a job as it stands, then whenever it may have got on, up to its end.
func follow[J bulk.Job](w *world, ctx context.Context, which id.UUID, look func(context.Context, id.UUID) (J, error)) <-chan J {
	w.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	wait, err := w.News(ctx, which)
	w.ok(err)
	out := make(chan J)
	go func() {
		defer cancel()
		defer close(out)
		for {
			j, err := look(ctx, which)
			if err != nil {
				w.Errorf("a job that is watched: %v", err)
				return
			}
			select {
			case out <- j:
			case <-ctx.Done():
				w.Errorf("not at its end within a minute: %+v", j.Base())
				return
			}
			if j.Base().Ended() || wait(ctx) != nil {
				return
			}
		}
	}()
	return out
}

// last returns what a watch ends with.
func last[J bulk.Job](w *world, c <-chan J) (j J) {
	w.Helper()
	for i := range c {
		j = i
	}
	if !j.Base().Ended() {
		w.Fatalf("the watch ended with %+v", j.Base())
	}
	return j
}

// mistakes lists them as `row column CODE key`.
func mistakes(i *bulk.Import) []string {
	out := make([]string, len(i.Mistakes))
	for n, m := range i.Mistakes {
		out[n] = fmt.Sprintf("%d %s %s %s", m.Row, m.Column, m.Code, m.Key)
	}
	return out
}

// export runs an export and returns it with the content of its file.
func (w *world) export(ctx context.Context, q bulk.ExportRequest) (*bulk.Export, string) {
	w.Helper()
	e, err := w.StartExport(ctx, q)
	w.ok(err)
	e = last(w, follow(w, ctx, e.ID, w.Export))
	if e.Failure != nil {
		w.Fatalf("export failed: %v", e.Failure)
	}
	d, err := w.Open(ctx, e.ID)
	w.ok(err)
	defer d.Close()
	b, err := io.ReadAll(d)
	w.ok(err)
	return e, string(b)
}

func pageArgs(first int, after *string) page.Args {
	return page.Args{First: &first, After: after, Total: true}
}

func ptr[T any](v T) *T { return &v }
