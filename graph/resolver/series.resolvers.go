package resolver

import (
	"context"
	"foresight/graph/model"
	"foresight/internal/telemetry/series"
	"time"
)

func (r *queryResolver) Series(ctx context.Context, scope model.ScopeInput, parameters []string, from time.Time, to time.Time, resolution series.Resolution) (*series.Answer, error) {
	return r.series(ctx, scope, parameters, from, to, resolution)
}
