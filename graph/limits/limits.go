// Package limits keeps one operation from asking for too much: tokens, nesting,
// aliases, page sizes and a cost that multiplies with page sizes are bounded
// before anything is executed, and the cost is told in `extensions.cost`.
//
// # Cost
//
// Every selected field costs its weight (1 unless FieldCost says otherwise) times
// the number of objects it is selected on. A field with `first`/`last` stands for
// as many objects as the page asks for, a list argument of ids for as many as are
// named, any other list of objects for ListSize (or DefaultListSize). `edges` and
// `nodes` of a connection share the size of its page. Fields left out by @skip or
// @include cost nothing; fragments count where they are spread. A connection that is
// asked for without `first` or `last` costs its default page.
//
// # Budgets
//
// The cost is drawn from two token buckets, the tenant's and the credential's, whose
// size and rate follow from the tenant's plan (Quota). Budget refuses what they do not
// hold with RATE_LIMITED and the seconds to wait.
package limits

import (
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
)

// Config are the limits. The zero value of a number takes the default in brackets.
type Config struct {
	// MaxDocument bounds a document in bytes [64 KiB]: documents are kept parsed
	// and by hash, and a thousand large ones would fill the memory.
	MaxDocument int
	MaxTokens   int // lexical tokens of a document [4000]
	MaxDepth    int // nesting of fields, the root counting 1 [12]
	MaxCost     int // cost of an operation [5000]
	MaxAliases  int // fields under another name than their own [50]
	// MaxRootFields bounds the fields of a mutation, so that one request does not
	// try many passwords [10].
	MaxRootFields int
	MaxPage       int // largest page [100]
	// DefaultPage is the page size taken where neither first nor last is given.
	// 0 makes it mandatory for connections.
	DefaultPage     int
	DefaultListSize int            // objects in a list of unknown length [10]
	ListSize        map[string]int // objects in the list "Type.field"
	// Longest are the largest `first` of lists "Type.field" that are no connections, where
	// it is another than MaxPage.
	Longest   map[string]int
	FieldCost map[string]int // weight of the field "Type.field"
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		v *int
		n int
	}{{&c.MaxDocument, 64 << 10}, {&c.MaxTokens, 4000}, {&c.MaxDepth, 12}, {&c.MaxCost, 5000}, {&c.MaxAliases, 50},
		{&c.MaxRootFields, 10}, {&c.MaxPage, 100}, {&c.DefaultListSize, 10}} {
		if *d.v == 0 {
			*d.v = d.n
		}
	}
	return c
}

// Use puts the limits on a server.
func Use(srv *handler.Server, c Config) {
	c = c.withDefaults()
	srv.SetParserTokenLimit(c.MaxTokens)
	srv.Use(New(c))
}

// Cost is the entry `cost` of extensions.
type Cost struct {
	Requested int `json:"requested"` // cost of the operation
	Limit     int `json:"limit"`     // largest cost that is executed

	// What is left of the budget of the tenant or that of the credential, whichever
	// is less, after the operation; absent without a credential.
	Remaining *int       `json:"remaining,omitempty"` // points
	Capacity  *int       `json:"capacity,omitempty"`  // points of that budget when it is full
	ResetsAt  *time.Time `json:"resetsAt,omitempty"`  // when it is full again
}

// Extension is the gqlgen extension that measures and refuses. It holds no state
// of operations and is safe for concurrent use.
type Extension struct{ c Config }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
	graphql.ResponseInterceptor
} = (*Extension)(nil)

// New returns the extension; Use also sets the token limit, which is the parser's.
func New(c Config) *Extension { return &Extension{c.withDefaults()} }

// ExtensionName names the extension among the others of a server.
func (*Extension) ExtensionName() string { return "Limits" }

// Validate refuses limits that refuse everything.
func (e *Extension) Validate(graphql.ExecutableSchema) error {
	if e.c.MaxDepth < 1 || e.c.MaxCost < 1 || e.c.MaxPage < 1 || e.c.DefaultPage > e.c.MaxPage {
		return errors.New("limits: depth, cost and page must be positive, and the default page within the largest")
	}
	return nil
}

// MutateOperationParameters refuses a document that is too long before anything
// reads or keeps it. Use the extension before those that keep documents.
func (e *Extension) MutateOperationParameters(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
	if len(p.Query) > e.c.MaxDocument {
		return exceeded("error.graphql.tooLarge", e.c.MaxDocument, nil)
	}
	return nil
}

// MutateOperationContext measures the operation and refuses what exceeds a limit.
func (e *Extension) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	w := walker{c: &e.c, vars: oc.Variables}
	w.root(oc.Operation)
	oc.Stats.SetExtension(e.ExtensionName(), &Cost{Requested: w.cost, Limit: e.c.MaxCost})
	if w.err == nil && w.cost > e.c.MaxCost {
		// The walk ends where the limit is passed, so the true cost is not known.
		w.err = exceeded("error.graphql.cost", e.c.MaxCost, nil)
	}
	return w.err
}

// InterceptResponse tells the cost with the first response of an operation; the
// items of a subscription repeat nothing.
func (e *Extension) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if graphql.HasOperationContext(ctx) {
		oc := graphql.GetOperationContext(ctx)
		c, ok := oc.Stats.GetExtension(e.ExtensionName()).(*Cost)
		if ok && oc.Operation != nil && oc.Operation.Operation != ast.Subscription {
			graphql.RegisterExtension(ctx, "cost", *c)
		}
	}
	return next(ctx)
}

func exceeded(key string, limit int, at *ast.Position) *gqlerror.Error {
	return refuse(fault.New(fault.ComplexityLimit, key).With("Limit", limit), at)
}

func refuse(f *fault.Error, at *ast.Position) *gqlerror.Error {
	e := &gqlerror.Error{Err: f, Message: f.Error()}
	if at != nil {
		e.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return e
}
