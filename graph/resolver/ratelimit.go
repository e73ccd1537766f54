package resolver

import (
	"context"

	"foresight/graph/model"
	"foresight/internal/limit"
)

func (r *Resolver) rateLimit(ctx context.Context) (*model.RateLimit, error) {
	tenant, credential, err := r.Budget.Levels(ctx)
	if err != nil {
		return nil, err
	}
	return &model.RateLimit{MaxCost: r.Budget.MaxCost, Tenant: budget(tenant), Credential: budget(credential)}, nil
}

func budget(l limit.Level) *model.RateLimitBudget {
	return &model.RateLimitBudget{Capacity: l.Capacity, Remaining: l.Remaining, PerSecond: l.PerSecond, ResetsAt: l.ResetsAt}
}
