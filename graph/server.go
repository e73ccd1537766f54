package graph

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/graph/limits"
	"foresight/graph/loader"
	"foresight/graph/resolver"
	"foresight/graph/share"
	"foresight/graph/transport"
	"foresight/internal/fault"
	"foresight/internal/idempotency"
	"foresight/internal/obs/tracing"
	"foresight/internal/tenancy"
)

// Options of a Server.
type Options struct {
	Resolver *resolver.Resolver
	// Authenticate checks the credential of a WebSocket.
	Authenticate func(ctx context.Context, authorization string) (*transport.Session, error)
	// Session bounds an event stream of an authenticated request.
	Session func(ctx context.Context) (*transport.Session, error)
	// Admit is asked before each operation of a WebSocket.
	Admit func(ctx context.Context) error

	// InitTimeout, PingInterval and WriteTimeout of sockets; the transport's own when zero.
	InitTimeout, PingInterval, WriteTimeout time.Duration

	Origins           []string
	MaxDepth, MaxCost int
	MaxBody           int64
	// Introspection is open to all; otherwise it needs a permission.
	Introspection bool
	// Documents are the only ones that are executed; nil: all are.
	Documents limits.Documents
	// Budget is drawn upon by every operation; nil: there is none.
	Budget *limits.Budget
	// Keys remember what was made under the idempotency keys of callers.
	Keys *idempotency.Store

	Tracer     *tracing.Tracer // nil: nothing is followed
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Server is the handler of /graphql: POST, GET, WebSocket and event streams.
type Server struct {
	*handler.Server
	sockets *transport.WebSocket
	streams *transport.SSE
	groups  *share.Groups
	log     *slog.Logger
}

// parsed is how many documents are kept parsed.
const parsed = 1000

// NewServer puts the graph together.
func NewServer(o Options) *Server {
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: o.Resolver})
	groups := share.New(share.Options{Fields: resolver.Shared, View: resolver.ViewOf, Encode: transport.AppendResponse, Tracer: o.Tracer, Log: o.Log, Registerer: o.Registerer})
	frames := transport.NewFrames(o.Tracer, o.Registerer)
	s := &Server{
		Server: handler.New(schema),
		log:    o.Log,
		groups: groups,
		sockets: transport.NewWebSocket(transport.WebSocketConfig{Authenticate: o.Authenticate, Admit: o.Admit, Origins: o.Origins,
			InitTimeout: o.InitTimeout, PingInterval: o.PingInterval, WriteTimeout: o.WriteTimeout, Groups: groups, Frames: frames, Log: o.Log, Registerer: o.Registerer}),
		streams: transport.NewSSE(transport.SSEConfig{MaxBody: o.MaxBody, Session: o.Session, Groups: groups, Frames: frames}),
	}
	s.AddTransport(s.sockets)
	s.AddTransport(s.streams)
	s.AddTransport(transport.HTTP{MaxBody: o.MaxBody})
	s.SetQueryCache(lru.New[*ast.QueryDocument](parsed))
	s.SetErrorPresenter(counted(gqlerr.Presenter(o.Log), o.Registerer))
	s.SetRecoverFunc(gqlerr.Recover(o.Log))
	limits.Use(s.Server, limits.Config{MaxDepth: o.MaxDepth, MaxCost: o.MaxCost, DefaultPage: 20, FieldCost: fieldCost, ListSize: listSize, Longest: longest})
	s.Use(limits.Introspection{Allowed: func(ctx context.Context) bool {
		return o.Introspection || tenancy.Require(ctx, tenancy.SchemaRead) == nil
	}})
	s.Use(resolver.Permissions{})
	if o.Budget != nil {
		s.Use(o.Budget)
	}
	s.Use(&resolver.Idempotency{Resolver: o.Resolver, Keys: o.Keys})
	if o.Documents != nil {
		s.Use(limits.Trusted{Documents: o.Documents})
	} else {
		s.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](parsed)})
	}
	s.AroundResponses(follow(o.Tracer))
	s.AroundResponses(loader.Extension(o.Resolver.Sources))
	return s
}

// Refuse writes a result that is one error, for requests that do not get so far.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, status int, f *fault.Error) {
	transport.Refuse(w, r, status, f, gqlerr.Presenter(s.log))
}

// Shutdown ends the long connections with a code that tells clients to come back.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.sockets.Shutdown(ctx)
	if e := s.streams.Shutdown(ctx); err == nil {
		err = e
	}
	s.groups.Close()
	return err
}

// Open returns the number of sockets and event streams.
func (s *Server) Open() (sockets, streams int) { return s.sockets.Open(), s.streams.Open() }
