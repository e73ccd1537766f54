package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/loader"
	"foresight/internal/plant"
)

func (r *assetResolver) Health(ctx context.Context, obj *ent.Asset) (*plant.Health, error) {
	return orNilPointer(loader.From(ctx).Health.Load(ctx, obj.ID))
}
