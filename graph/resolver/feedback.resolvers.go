package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/modelops"
	"foresight/internal/telemetry"
)

func (r *feedbackResolver) Prediction(ctx context.Context, obj *ent.Feedback) (*telemetry.FaultPrediction, error) {
	return optional(ctx, loader.From(ctx).Prediction, obj.PredictionID)
}

func (r *feedbackResolver) ModelVersion(ctx context.Context, obj *ent.Feedback) (*ent.MLModelVersion, error) {
	return optional(ctx, loader.From(ctx).VersionEver, &obj.ModelVersionID)
}

func (r *feedbackResolver) Asset(ctx context.Context, obj *ent.Feedback) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, obj.AssetID)
}

func (r *feedbackResolver) PredictedLabel(ctx context.Context, obj *ent.Feedback) (string, error) {
	return r.faultLabel(ctx, obj.PredictedLabel)
}

func (r *feedbackResolver) Label(ctx context.Context, obj *ent.Feedback) (string, error) {
	return r.faultLabel(ctx, obj.NewLabel)
}

func (r *feedbackResolver) HasFeatures(ctx context.Context, obj *ent.Feedback) (bool, error) {
	return len(obj.Features) > 0, nil
}

func (r *feedbackResolver) By(ctx context.Context, obj *ent.Feedback) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *feedbackStatsResolver) Model(ctx context.Context, obj *modelops.FeedbackStats) (*ent.MLModel, error) {
	return optional(ctx, loader.From(ctx).Model, groupOf(obj, modelops.ByModel))
}

func (r *feedbackStatsResolver) ModelVersion(ctx context.Context, obj *modelops.FeedbackStats) (*ent.MLModelVersion, error) {
	return optional(ctx, loader.From(ctx).VersionEver, groupOf(obj, modelops.ByModelVersion))
}

func (r *feedbackStatsResolver) Asset(ctx context.Context, obj *modelops.FeedbackStats) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, groupOf(obj, modelops.ByAsset))
}

func (r *feedbackStatsResolver) PredictedLabel(ctx context.Context, obj *modelops.FeedbackStats) (*string, error) {
	if obj.Code == nil {
		return nil, nil
	}
	label, err := r.faultLabel(ctx, *obj.Code)
	return &label, err
}

func (r *mutationResolver) SubmitFeedback(ctx context.Context, input model.SubmitFeedbackInput) (*model.SubmitFeedbackPayload, error) {
	said, err := saidItems(input.Items)
	var stored []*ent.Feedback
	if err == nil {
		stored, err = r.Sources.Feedback.Give(ctx, said)
	}
	mistakes, err := mistakesAt(ctx, err, "input.items")
	return &model.SubmitFeedbackPayload{Feedback: stored, UserErrors: mistakes}, err
}

func (r *queryResolver) Feedback(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.FeedbackFilter) (*model.Connection[*ent.Feedback], error) {
	return model.NewConnection(r.Sources.Feedback.List(ctx, feedbackFilter(filter), pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) FeedbackStats(ctx context.Context, filter *model.FeedbackFilter, groupBy modelops.FeedbackGroup) ([]*modelops.FeedbackStats, error) {
	return r.Sources.Feedback.Stats(ctx, feedbackFilter(filter), groupBy)
}

func (r *Resolver) Feedback() generated.FeedbackResolver { return &feedbackResolver{r} }

func (r *Resolver) FeedbackStats() generated.FeedbackStatsResolver { return &feedbackStatsResolver{r} }

type (
	feedbackResolver      struct{ *Resolver }
	feedbackStatsResolver struct{ *Resolver }
)
