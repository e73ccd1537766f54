package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *queryResolver) RateLimit(ctx context.Context) (*model.RateLimit, error) {
	return r.rateLimit(ctx)
}
