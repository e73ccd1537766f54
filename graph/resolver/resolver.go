// Package resolver answers the fields of the graph: it parses arguments, calls one
// service and passes errors on. What may be asked by whom stands in permissions.go.
package resolver

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"foresight/graph/generated"
	"foresight/graph/limits"
	"foresight/graph/loader"
	"foresight/internal/alarms"
	"foresight/internal/event"
	"foresight/internal/page"
)

// Resolver is the root. Its fields are set once, before the first request.
type Resolver struct {
	loader.Sources
	Feed       *alarms.Feed
	Hub        event.Subscriber
	Sessions   Sessions
	Browser    Browser
	Budget     *limits.Budget
	Ingester   Ingester       // nil: no readings are taken in
	Faults     FaultPredictor // nil: none is predicted on demand
	Vitals     Vitals         // nil: nothing is watched
	RefreshTTL time.Duration  // how long a browser keeps the refresh cookie
}

var _ generated.ResolverRoot = (*Resolver)(nil)

// asked reports whether the client selected the field on the present object.
func asked(ctx context.Context, field string) bool {
	for _, f := range graphql.CollectFieldsCtx(ctx, nil) {
		if f.Name == field {
			return true
		}
	}
	return false
}

// pageArgs gathers the arguments of a connection field.
func pageArgs(ctx context.Context, first *int, after *string, last *int, before *string) page.Args {
	return page.Args{First: first, After: after, Last: last, Before: before, Total: asked(ctx, "totalCount")}
}
