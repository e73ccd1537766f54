package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/model"
)

func (r *assetResolver) ImageURL(ctx context.Context, obj *ent.Asset) (*string, error) {
	return r.imageURL(ctx, obj)
}

func (r *mutationResolver) UploadAssetImage(ctx context.Context, input model.UploadAssetImageInput) (*model.AssetPayload, error) {
	e, err := r.uploadImage(ctx, input)
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetPayload{Asset: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteAssetImage(ctx context.Context, input model.DeleteAssetImageInput) (*model.AssetPayload, error) {
	e, err := r.Plant.DeleteImage(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetPayload{Asset: e, UserErrors: mistakes}, err
}
