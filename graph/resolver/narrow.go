package resolver

import (
	"context"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"foresight/graph/share"
	"foresight/internal/tenancy"
)

// narrowedActor is where an operation keeps the actor that it runs as.
const narrowedActor = "narrowedActor"

// narrow looks for the sites where the actor holds all that the operation needs.
// The operation as a whole runs there, since its fields share batches: who asks for
// the alarms of assets, and may read alarms on one site, is shown that site's assets.
func (g gate) narrow(oc *graphql.OperationContext) error {
	a := tenancy.From(g.ctx)
	if a == nil || len(a.OnSites) == 0 || len(g.needed) == 0 {
		return nil
	}
	n, err := a.Under(slices.Sorted(maps.Keys(g.needed))...)
	if err != nil {
		return err
	}
	if n != a {
		oc.Stats.SetExtension(narrowedActor, n)
	}
	return nil
}

// narrowed returns the actor that the operation runs as, nil when it is the one who asks.
func narrowed(oc *graphql.OperationContext) *tenancy.Actor {
	n, _ := oc.Stats.GetExtension(narrowedActor).(*tenancy.Actor)
	return n
}

// InterceptOperation implements graphql.OperationInterceptor: it runs the operation
// as the narrowed actor. One that is shared runs as that already, and as no person.
func (Permissions) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if n := narrowed(graphql.GetOperationContext(ctx)); n != nil && !share.Shared(ctx) {
		ctx = tenancy.With(ctx, n)
	}
	return next(ctx)
}
