package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/bulk"

	"github.com/google/uuid"
)

func (r *mutationResolver) Replay(ctx context.Context, input model.ReplayInput) (*model.ReplayPayload, error) {
	j, err := r.Bulk.StartReplay(ctx, bulk.ReplayRequest{From: input.From, To: input.To, Site: input.SiteID.Value(), Asset: input.AssetID.Value(), Sensors: input.SensorIds.Value()})
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.ReplayPayload{Job: j, UserErrors: mistakes}, err
}

func (r *replayJobResolver) Failure(ctx context.Context, obj *bulk.Replay) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *replayJobResolver) By(ctx context.Context, obj *bulk.Replay) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *replayJobResolver) Rejected(ctx context.Context, obj *bulk.Replay) ([]*model.ReplayRejection, error) {
	return replayRejections(obj), nil
}

func (r *subscriptionResolver) ReplayProgress(ctx context.Context, jobID uuid.UUID) (<-chan *bulk.Watched[*bulk.Replay], error) {
	return watchJob(ctx, r.Bulk, jobID, r.Bulk.Replay)
}

func (r *Resolver) ReplayJob() generated.ReplayJobResolver { return &replayJobResolver{r} }

type replayJobResolver struct{ *Resolver }
