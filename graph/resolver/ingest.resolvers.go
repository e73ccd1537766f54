package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *mutationResolver) IngestReadings(ctx context.Context, input model.IngestReadingsInput) (*model.IngestReadingsPayload, error) {
	return r.ingest(ctx, input)
}
