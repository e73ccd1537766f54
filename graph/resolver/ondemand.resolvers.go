package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *mutationResolver) PredictFault(ctx context.Context, input model.PredictFaultInput) (*model.PredictFaultPayload, error) {
	found, err := r.predictFault(ctx, input)
	mistakes, err := mistakesAt(ctx, err, "input.assetId")
	return &model.PredictFaultPayload{Estimates: found, UserErrors: mistakes}, err
}
