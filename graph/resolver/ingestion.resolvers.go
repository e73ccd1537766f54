package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *queryResolver) IngestionStats(ctx context.Context, minutes *int) (*model.IngestionStats, error) {
	return r.ingestionStats(ctx, minutes)
}
