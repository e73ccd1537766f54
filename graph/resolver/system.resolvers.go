package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *queryResolver) SystemStatus(ctx context.Context) (*model.SystemStatus, error) {
	return r.systemStatus(ctx), nil
}
