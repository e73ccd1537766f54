package resolver

import (
	"context"
	"encoding/base64"

	"foresight/ent"
	"foresight/graph/model"
	"foresight/internal/fault"
)

// imageURL is where internal/httpapi shows the picture.
func (r *Resolver) imageURL(ctx context.Context, e *ent.Asset) (*string, error) {
	token, err := r.Plant.ImageLink(ctx, e)
	if err != nil || token == "" {
		return nil, err
	}
	u := "/assets/" + e.ID.String() + "/image?link=" + token
	return &u, nil
}

func (r *Resolver) uploadImage(ctx context.Context, in model.UploadAssetImageInput) (*ent.Asset, error) {
	file, err := base64.StdEncoding.DecodeString(in.Content)
	if err != nil {
		return nil, fault.Invalid("input.content", "error.image.base64").Because(err)
	}
	return r.Plant.SetImage(ctx, in.ID, in.ExpectedVersion.Value(), file)
}
