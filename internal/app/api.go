package app

import (
	"context"
	"io/fs"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"foresight/frontend"
	"foresight/graph"
	"foresight/graph/gqlerr"
	"foresight/graph/limits"
	"foresight/graph/loader"
	"foresight/graph/resolver"
	"foresight/graph/schema"
	"foresight/graph/transport"
	"foresight/internal/audit/trail"
	"foresight/internal/auth"
	"foresight/internal/explanation"
	"foresight/internal/fault"
	"foresight/internal/httpapi"
	"foresight/internal/id"
	"foresight/internal/idempotency"
	"foresight/internal/limit"
	"foresight/internal/modelops"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
	"foresight/locales"
)

func (a *App) startAPI(ctx context.Context) error {
	sessions, err := a.sessions(ctx)
	if err != nil {
		return err
	}
	if err := a.followRevocations(ctx, sessions); err != nil {
		return err
	}
	providers, err := a.signIn(sessions)
	if err != nil {
		return err
	}
	words := locales.New()
	localize := func(ctx context.Context, acceptLanguage, personal string) context.Context {
		return gqlerr.WithLocalizer(ctx, words.Localizer(acceptLanguage, personal))
	}
	hooks, err := a.webhooks(ctx)
	if err != nil {
		return err
	}
	if err := a.start(ctx, a.letters); err != nil {
		return err
	}
	people, err := a.access(sessions, a.letters)
	if err != nil {
		return err
	}
	watch, err := a.watchVitals(ctx)
	if err != nil {
		return err
	}
	budget := a.budget()
	var documents limits.Documents
	if a.cfg.Graph.Locked {
		if documents, err = limits.ReadDocuments(a.cfg.Graph.Documents); err != nil {
			return err
		}
	}
	machines := plant.New(a.db.sql, a.db.app, plant.Options{Files: a.files.store, Links: a.files.links, NewSecret: auth.NewSecret, Log: a.log})
	var door *httpapi.API // known once the graph is
	server := graph.NewServer(graph.Options{
		Resolver: &resolver.Resolver{
			Sources: loader.Sources{Access: people, Plant: machines, Models: modelops.New(a.db.ent), Registry: a.versions,
				Lives: modelops.NewLives(a.db.ent, a.db.app, a.took.Wrap(a.store())), Feedback: modelops.NewFeedback(a.db.sql, a.db.ent, a.db.app, a.took.Wrap(a.store())), Alarms: a.alarms.service,
				Rules: a.alarms.rules, Store: a.took.Wrap(a.store()), Trail: trail.New(a.db.ent), Bulk: a.bulk, Backtests: a.backtests, Health: a.health, Drift: a.drift, Deployments: a.deploys, Training: a.training, Explanations: explanation.New(a.explanationsOfRequests()), Webhooks: hooks, Credentials: auth.NewCredentials(a.db.ent, sessions)},
			Feed: a.alarms.feed, Hub: a.bus.hub, Sessions: sessions, Browser: browser{}, RefreshTTL: a.cfg.Auth.RefreshTTL,
			Budget: budget, Ingester: httpDoor{a.ingest.admitter}, Faults: a.models.service, Vitals: watch,
		},
		Authenticate: socketSession(sessions, localize),
		Session:      streamSession(sessions),
		Admit:        func(ctx context.Context) error { return admitOperation(door, ctx) },
		Origins:      a.cfg.Graph.AllowedOrigins, MaxDepth: a.cfg.Graph.MaxDepth, MaxCost: a.cfg.Graph.MaxCost, MaxBody: a.cfg.Graph.MaxBody,
		Introspection: a.cfg.Graph.Introspection, Documents: documents, Budget: budget, Keys: idempotency.NewStore(a.db.app), Tracer: a.tracer, Log: a.log, Registerer: a.metrics,
	})
	door = httpapi.New(httpapi.Config{
		Graph: server, GraphError: server.Refuse, Auth: sessions, JWKS: sessions.JWKS, SignIn: providers, Schema: schema.SDL(), Web: web(), Images: machines,
		Message: func(ctx context.Context, f *fault.Error) string { return gqlerr.LocalizerFrom(ctx).Error(f) },
		Token:   sessions.TokenEndpoint(func(r *http.Request) string { return door.Remote(r) }),
		Metrics: promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}),
		Vitals:  watch,
		Status:  a.status(people),
		Files:   a.bulk, MaxUpload: a.cfg.Bulk.MaxUpload, MaxModel: a.cfg.Bulk.MaxModel,
		Localize: localize, Secure: a.cfg.Secure(), Origins: a.cfg.Graph.AllowedOrigins, MaxBody: a.cfg.Graph.MaxBody,
		Rate: limit.Rate{Capacity: a.cfg.Graph.RateBurst, PerSecond: a.cfg.Graph.RatePerSecond}, Tracer: a.tracer, Log: a.log, Registerer: a.metrics,
	})
	s := httpapi.NewServer(a.cfg.HTTPAddr, door, a.log, server.Shutdown)
	if err := a.start(ctx, s); err != nil {
		return err
	}
	a.Addr = s.Addr().String()
	return nil
}

// sessions returns the service of sign-ins and tokens.
func (a *App) sessions(ctx context.Context) (*auth.Service, error) {
	keys, err := signingKeys(a.cfg)
	if err != nil {
		return nil, err
	}
	if err := a.followKeys(ctx, keys); err != nil {
		return nil, err
	}
	return auth.New(ctx, auth.Config{DB: a.db.app, Keys: keys, Hasher: a.hasher, AccessTTL: a.cfg.Auth.AccessTTL, RefreshTTL: a.cfg.Auth.RefreshTTL,
		OnRevoke: a.announceRevocation, Log: a.log})
}

// socketSession authenticates a WebSocket by its connection_init.
func socketSession(sessions *auth.Service, localize func(context.Context, string, string) context.Context) func(context.Context, string) (*transport.Session, error) {
	return func(ctx context.Context, authorization string) (*transport.Session, error) {
		g, err := sessions.Authenticate(ctx, authorization)
		if err != nil {
			return nil, err
		}
		s := bounded(sessions, g)
		s.Context = tenancy.With(httpapi.WithGrant(localize(ctx, transport.Language(ctx), g.Actor.Locale), g), g.Actor)
		return s, nil
	}
}

// streamSession bounds an event stream by the credential of its request.
func streamSession(sessions *auth.Service) func(context.Context) (*transport.Session, error) {
	return func(ctx context.Context) (*transport.Session, error) {
		g := httpapi.GrantFrom(ctx)
		if g == nil {
			return nil, fault.New(fault.Unauthenticated, "error.auth.required")
		}
		return bounded(sessions, g), nil
	}
}

func bounded(sessions *auth.Service, g *auth.Grant) *transport.Session {
	revoked, release := sessions.Watch(g)
	return &transport.Session{ExpiresAt: g.ExpiresAt, Revoked: revoked, Release: release}
}

// admitOperation counts an operation of a socket against its actor's rate.
func admitOperation(door *httpapi.API, ctx context.Context) error {
	if f := door.Take("actor:" + tenancy.Must(ctx).ID.String()); f != nil {
		return f
	}
	return nil
}

// browser gives resolvers the client's cookie and address.
type browser struct{}

// Remote implements resolver.Browser.
func (browser) Remote(ctx context.Context) string { return httpapi.RemoteFrom(ctx) }

// RefreshCookie implements resolver.Browser.
func (browser) RefreshCookie(ctx context.Context) string { return httpapi.RefreshCookie(ctx) }

// Session implements resolver.Browser.
func (browser) Session(ctx context.Context) id.UUID {
	if g := httpapi.GrantFrom(ctx); g != nil {
		return g.SessionID
	}
	return id.Nil
}

// SetRefreshCookie implements resolver.Browser.
func (browser) SetRefreshCookie(ctx context.Context, token string, ttl time.Duration) bool {
	return httpapi.SetRefreshCookie(ctx, token, ttl)
}

// web returns the built web application, nil when this build has none.
func web() fs.FS {
	if _, err := fs.Stat(frontend.Dist, "index.html"); err != nil {
		return nil
	}
	return frontend.Dist
}
