package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *mutationResolver) CreateParameter(ctx context.Context, input model.CreateParameterInput) (*model.ParameterPayload, error) {
	e, err := r.Plant.CreateParameter(ctx, newParameter(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.ParameterPayload{Parameter: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateParameter(ctx context.Context, input model.UpdateParameterInput) (*model.ParameterPayload, error) {
	e, err := r.Plant.UpdateParameter(ctx, input.ID, input.ExpectedVersion, parameterChange(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.ParameterPayload{Parameter: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteParameter(ctx context.Context, input model.DeleteParameterInput) (*model.ParameterPayload, error) {
	e, err := r.Plant.DeleteParameter(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.ParameterPayload{Parameter: e, UserErrors: mistakes}, err
}
