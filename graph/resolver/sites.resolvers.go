package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *mutationResolver) CreateSite(ctx context.Context, input model.CreateSiteInput) (*model.SitePayload, error) {
	e, err := r.Plant.CreateSite(ctx, newSite(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.SitePayload{Site: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateSite(ctx context.Context, input model.UpdateSiteInput) (*model.SitePayload, error) {
	e, err := r.Plant.UpdateSite(ctx, input.ID, input.ExpectedVersion, siteChange(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.SitePayload{Site: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteSite(ctx context.Context, input model.DeleteSiteInput) (*model.SitePayload, error) {
	e, err := r.Plant.DeleteSite(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.SitePayload{Site: e, UserErrors: mistakes}, err
}
