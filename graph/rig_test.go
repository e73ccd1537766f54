package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/graph"
	"foresight/graph/gqlerr"
	"foresight/graph/limits"
	"foresight/graph/loader"
	"foresight/graph/resolver"
	"foresight/graph/transport"
	"foresight/internal/alarms"
	"foresight/internal/artifacts"
	"foresight/internal/audit/trail"
	"foresight/internal/auth"
	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/bus"
	"foresight/internal/drift"
	"foresight/internal/explanation"
	"foresight/internal/fault"
	"foresight/internal/health"
	"foresight/internal/hub"
	"foresight/internal/id"
	"foresight/internal/idempotency"
	"foresight/internal/jobs"
	"foresight/internal/limit"
	"foresight/internal/modelops"
	"foresight/internal/obs"
	"foresight/internal/plant"
	"foresight/internal/postgres"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/locales"
)

func TestMain(m *testing.M) {
	testkit.AtEnd(everyMutationIsRecorded)
	testkit.Main(m)
}

// rig is the graph on real services, a database and a hub. Requests name their actor
// as "tenant/role" in Authorization; "" is nobody.
type rig struct {
	testing.TB
	*httptest.Server
	graph        *graph.Server
	options      graph.Options
	acme, globex testkit.Plant
	owner        *pgx.Conn
	app, worker  *pgxpool.Pool
	store        *pgstore.Store
	hub          *hub.Hub
	alarms       *alarms.Service
	rules        *alarms.RuleService
	statements   *statements // of the pool of requests
	bulk         *bulk.Service
	files        *blob.Store
	health       *health.Service
	drift        *drift.Service
	budget       *limits.Budget
	quota        limits.Quota
	change       func(*tenancy.Actor)
	sendLetters  func() // from now on
	sessions     *auth.Service
	smtp         *testkit.MailServer
	ingest       func(context.Context, []resolver.IngestReading) ([]resolver.IngestOutcome, error)
}

// Ingest implements resolver.Ingester. The gate itself is tested behind the door of the
// whole product.
func (r *rig) Ingest(ctx context.Context, in []resolver.IngestReading) ([]resolver.IngestOutcome, error) {
	return r.ingest(ctx, in)
}

// newRig collects batches for so long that none is split on a busy machine.
func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigCollecting(t, 60*time.Millisecond)
}

func newRigCollecting(t testing.TB, collect time.Duration) *rig {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db := testkit.NewDB(t)
	r := &rig{TB: t, statements: &statements{}, change: func(*tenancy.Actor) {},
		quota: limits.Quota{Tenant: limit.Rate{Capacity: 1e9, PerSecond: 1e9}}}
	r.acme, r.globex = testkit.TwoTenants(t, db)
	open := func(dsn string, tracer pgx.QueryTracer) *pgxpool.Pool {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8, Tracer: tracer})
		r.ok(err)
		t.Cleanup(p.Close)
		return p
	}
	r.app, r.worker = open(db.AppDSN, r.statements), open(db.WorkerDSN, nil)
	orm := postgres.OpenDB(r.app)
	t.Cleanup(func() { _ = orm.Close() })
	var err error
	r.owner, err = pgx.Connect(t.Context(), db.OwnerDSN)
	r.ok(err)
	t.Cleanup(func() { _ = r.owner.Close(context.WithoutCancel(t.Context())) })

	server := testkit.NATS(t)
	connecting, connected := context.WithTimeout(t.Context(), testkit.Patience)
	defer connected()
	conn, err := bus.Connect(connecting, bus.Options{InProcess: server, Log: log})
	r.ok(err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
		defer cancel()
		r.ok(conn.Close(ctx))
	})
	r.hub = hub.New(conn.Conn(), hub.Options{Log: log, SyncTimeout: testkit.Patience})
	t.Cleanup(func() { r.ok(r.hub.Close()) })
	r.store = pgstore.New(r.worker, r.app)
	client := postgres.Client(orm)
	r.alarms, r.rules = alarms.NewService(r.app, r.hub, nil, log), alarms.NewRuleService(client)
	feed := alarms.NewFeed(alarms.FeedOptions{Pool: r.app, Hub: r.hub, Poll: 50 * time.Millisecond, Log: log})
	r.ok(feed.Start(t.Context()))
	t.Cleanup(func() { r.ok(feed.Stop(context.WithoutCancel(t.Context()))) })
	keys, err := auth.HS256Keys(bytes.Repeat([]byte("k"), 32))
	r.ok(err)
	sessions, err := auth.New(t.Context(), auth.Config{DB: r.app, Keys: keys, Log: log})
	r.ok(err)

	files, err := blob.Open(t.Context(), "mem://")
	r.ok(err)
	r.files = files
	t.Cleanup(func() { r.ok(files.Close()) })
	links, err := blob.NewLinks(files, bytes.Repeat([]byte("k"), 32))
	r.ok(err)

	queue, err := jobs.NewQueue(r.app)
	r.ok(err)
	r.bulk = bulk.New(bulk.Options{App: r.app, Queue: queue, Events: r.hub, Files: files, Store: r.store, Log: log})
	r.budget = &limits.Budget{Buckets: limit.New(nil), MaxCost: 1_000_000,
		Quota: func(context.Context) (limits.Quota, error) { return r.quota, nil }}
	r.sessions = sessions
	people := r.people(orm)
	r.options = graph.Options{
		Resolver: &resolver.Resolver{
			Sources: loader.Sources{Access: people, Plant: plant.New(orm, r.app, plant.Options{Files: files, Links: links, NewSecret: auth.NewSecret}), Models: modelops.New(client),
				Registry: modelops.NewVersions(orm, artifacts.New(files), r.bulk), Lives: modelops.NewLives(client, r.app, r.store), Feedback: modelops.NewFeedback(orm, client, r.app, r.store),
				Alarms: r.alarms, Rules: r.rules, Store: r.store, Collect: collect,
				Bulk: r.bulk, Backtests: r.backtests(client, queue, log), Deployments: r.deployments(client, queue, log), Training: r.training(orm, client, queue, log), Health: r.scoring(client, queue), Drift: r.drifting(client, queue, log), Explanations: explanation.New(r.reasons(r.app)), Trail: trail.New(client), Webhooks: r.webhooks(client), Credentials: auth.NewCredentials(client, sessions)},
			Feed: feed, Hub: r.hub, Sessions: sessions, Browser: noBrowser{}, Budget: r.budget, Ingester: r, Faults: judge(t),
		},
		Authenticate: func(ctx context.Context, authorization string) (*transport.Session, error) {
			a := r.actor(authorization)
			if a == nil {
				return nil, fault.New(fault.Unauthenticated, "error.auth.required")
			}
			return &transport.Session{Context: r.request(ctx, a, transport.Language(ctx))}, nil
		},
		// No client is cut because it stood still for a while.
		InitTimeout: testkit.Patience, PingInterval: time.Hour, WriteTimeout: testkit.Patience,
		MaxDepth: 12, MaxCost: 1_000_000, MaxBody: 1 << 20, Introspection: true, Log: log,
		Budget: r.budget, Keys: idempotency.NewStore(r.app),
	}
	r.serve()
	return r
}

// serve opens the door.
func (r *rig) serve() {
	r.graph = graph.NewServer(r.options)
	r.Server = httptest.NewServer(r.door(r.graph))
	r.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), testkit.Patience)
		defer cancel()
		r.ok(r.graph.Shutdown(ctx))
		r.Close()
		http.DefaultClient.CloseIdleConnections()
	})
}

// collecting returns a second door to the same, behind which batches are collected for
// so long.
func (r *rig) collecting(wait time.Duration) *rig {
	out, to := *r, *r.options.Resolver
	to.Collect = wait
	out.options.Resolver = &to
	out.serve()
	return &out
}

// door names the actor of a request and passes it on.
func (r *rig) door(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		ctx := q.Context()
		if q.Header.Get("Upgrade") == "" {
			ctx = r.request(ctx, r.actor(q.Header.Get("Authorization")), q.Header.Get("Accept-Language"))
		}
		to.ServeHTTP(w, q.WithContext(ctx))
	})
}

var words = locales.New()

func (r *rig) request(ctx context.Context, a *tenancy.Actor, language string) context.Context {
	ctx = gqlerr.WithLocalizer(obs.WithRequestID(ctx, "request-1"), words.Localizer(language, ""))
	if a != nil {
		ctx = tenancy.With(ctx, a)
	}
	return ctx
}

func (r *rig) actor(authorization string) *tenancy.Actor {
	code, role, ok := strings.Cut(authorization, "/")
	if !ok {
		return nil
	}
	p := r.acme
	if code == r.globex.TenantCode {
		p = r.globex
	}
	a := *tenancy.Must(p.As(context.Background(), tenancy.Role(role)))
	r.change(&a)
	return &a
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Error(err)
		if r.Context().Err() == nil { // not in a clean-up
			r.FailNow()
		}
	}
}

// sql changes the database past all policies.
func (r *rig) sql(query string, args ...any) {
	r.Helper()
	_, err := r.owner.Exec(r.Context(), query, args...)
	r.ok(err)
}

// answer is what a request gave.
type answer struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	raw string
}

// ask sends an operation as the actor; variables come in pairs, "Accept-Language" is a header.
func (r *rig) ask(actor, query string, variables ...any) answer {
	r.Helper()
	vars, language := map[string]any{}, "en"
	for i := 0; i < len(variables); i += 2 {
		if name := variables[i].(string); name == "Accept-Language" {
			language = variables[i+1].(string)
		} else {
			vars[name] = variables[i+1]
		}
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	r.ok(err)
	q, err := http.NewRequestWithContext(r.Context(), "POST", r.URL, bytes.NewReader(body))
	r.ok(err)
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", actor)
	q.Header.Set("Accept-Language", language)
	before := r.statements.count()
	res, err := http.DefaultClient.Do(q)
	r.ok(err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	r.ok(err)
	out := answer{raw: b.String()}
	r.ok(json.Unmarshal(b.Bytes(), &out))
	r.recorded(query, out, r.statements.since(before))
	return out
}

// data is ask where no error is expected.
func (r *rig) data(actor, query string, variables ...any) map[string]any {
	r.Helper()
	a := r.ask(actor, query, variables...)
	if len(a.Errors) > 0 {
		r.Fatalf("%s\n%s", query, a.raw)
	}
	return a.Data
}

// at follows a path of field names and indices through an answer.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// noBrowser is a client without cookies.
type noBrowser struct{}

func (noBrowser) Remote(context.Context) string                                { return "192.0.2.1" }
func (noBrowser) Session(context.Context) id.UUID                              { return id.Nil }
func (noBrowser) RefreshCookie(context.Context) string                         { return "" }
func (noBrowser) SetRefreshCookie(context.Context, string, time.Duration) bool { return false }
