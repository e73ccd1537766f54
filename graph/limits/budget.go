package limits

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
	"foresight/internal/limit"
	"foresight/internal/tenancy"
)

// RetryAfter is the entry of an error's extensions with the seconds to wait.
const RetryAfter = "retryAfter"

// Budget draws the cost of an operation from the buckets of its tenant and of its
// credential, and refuses it with RATE_LIMITED when one has too little. Use it behind
// Extension, which measures, and behind whatever refuses operations for nothing. An
// operation without a credential has no budget; doors bound those by address. A
// subscription pays once, when it begins.
type Budget struct {
	Buckets *limit.Buckets
	// Quota is asked for the tenant of the context.
	Quota func(context.Context) (Quota, error)
	// MaxCost is the largest cost of an operation: no bucket is smaller.
	MaxCost int
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = (*Budget)(nil)

// ExtensionName names the extension among the others of a server.
func (*Budget) ExtensionName() string { return "Budget" }

// Validate implements graphql.HandlerExtension.
func (b *Budget) Validate(graphql.ExecutableSchema) error {
	if b.Buckets == nil || b.Quota == nil || b.MaxCost < 1 {
		return errors.New("limits: a budget needs buckets, quotas and the largest cost")
	}
	return nil
}

// MutateOperationContext draws the cost that Extension has measured.
func (b *Budget) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	c, ok := oc.Stats.GetExtension((*Extension)(nil).ExtensionName()).(*Cost)
	if !ok || tenancy.From(ctx) == nil {
		return nil
	}
	levels, f := b.draw(ctx, c.Requested)
	if len(levels) > 0 {
		least := levels[0]
		for _, l := range levels[1:] {
			if l.Remaining < least.Remaining {
				least = l
			}
		}
		c.Remaining, c.Capacity, c.ResetsAt = &least.Remaining, &least.Capacity, &least.ResetsAt
	}
	if f == nil {
		return nil
	}
	e := refuse(f, nil)
	if f.Kind == fault.RateLimited {
		e.Extensions = map[string]any{RetryAfter: f.Args["Seconds"], "cost": *c}
	}
	return e
}

// Levels returns the present levels of the tenant and the credential of the context.
func (b *Budget) Levels(ctx context.Context) (tenant, credential limit.Level, err error) {
	levels, f := b.draw(ctx, 0)
	if f != nil {
		return tenant, credential, f
	}
	return levels[0], levels[1], nil
}

func (b *Budget) draw(ctx context.Context, n int) ([]limit.Level, *fault.Error) {
	q, err := b.Quota(ctx)
	if err != nil {
		return nil, fault.New(fault.Internal, "error.internal").Because(err)
	}
	a := tenancy.Must(ctx)
	of := func(name string, r limit.Rate) limit.Bucket {
		r.Capacity = max(r.Capacity, b.MaxCost)
		return limit.Bucket{Name: name, Rate: r}
	}
	levels, wait := b.Buckets.Draw(n,
		of("tenant:"+a.TenantID.String(), q.Tenant), of("credential:"+a.TenantID.String()+":"+string(a.Kind)+":"+a.ID.String(), q.Credential()))
	if wait > 0 {
		return levels, limit.Refusal(wait)
	}
	return levels, nil
}
