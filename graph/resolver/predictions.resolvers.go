package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/telemetry"
)

func (r *faultPredictionResolver) Asset(ctx context.Context, obj *telemetry.FaultPrediction) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, &obj.Asset)
}

func (r *faultPredictionResolver) Label(ctx context.Context, obj *telemetry.FaultPrediction) (string, error) {
	return r.faultLabel(ctx, obj.Label)
}

func (r *faultPredictionResolver) Top(ctx context.Context, obj *telemetry.FaultPrediction) ([]*model.FaultProbability, error) {
	out := make([]*model.FaultProbability, len(obj.Top))
	for i, t := range obj.Top {
		label, err := r.faultLabel(ctx, t.Label)
		if err != nil {
			return nil, err
		}
		out[i] = &model.FaultProbability{Code: t.Label, Label: label, Probability: t.Probability}
	}
	return out, nil
}

func (r *faultPredictionResolver) RecommendedAction(ctx context.Context, obj *telemetry.FaultPrediction) (string, error) {
	return wordsOf(ctx).FaultAction(obj.Label), nil
}

func (r *faultTypeResolver) Family(ctx context.Context, obj *ent.FaultType) (string, error) {
	return string(obj.Family), nil
}

func (r *faultTypeResolver) Label(ctx context.Context, obj *ent.FaultType) (string, error) {
	if obj.TenantID != nil {
		return ownLabel(ctx, obj.Code, obj.Labels), nil
	}
	return wordsOf(ctx).FaultLabel(obj.Code), nil
}

func (r *faultTypeResolver) Description(ctx context.Context, obj *ent.FaultType) (string, error) {
	return wordsOf(ctx).FaultDescription(obj.Code), nil
}

func (r *faultTypeResolver) RecommendedAction(ctx context.Context, obj *ent.FaultType) (string, error) {
	return wordsOf(ctx).FaultAction(obj.Code), nil
}

func (r *faultTypeResolver) IsBuiltIn(ctx context.Context, obj *ent.FaultType) (bool, error) {
	return obj.TenantID == nil, nil
}

func (r *queryResolver) FaultTypes(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.FaultType], error) {
	return model.NewConnection(r.Sources.Models.FaultTypes(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) Predictions(ctx context.Context, first *int, after *string, scope *model.ScopeInput, filter *model.PredictionFilter) (*model.Connection[*telemetry.FaultPrediction], error) {
	return r.predictions(ctx, first, after, scope, filter)
}

func (r *subscriptionResolver) Predictions(ctx context.Context, scope *model.ScopeInput, onlyAbnormal *bool) (<-chan *model.PredictionItem, error) {
	return r.watchPredictions(ctx, scope, onlyAbnormal != nil && *onlyAbnormal)
}

func (r *Resolver) FaultPrediction() generated.FaultPredictionResolver {
	return &faultPredictionResolver{r}
}

func (r *Resolver) FaultType() generated.FaultTypeResolver { return &faultTypeResolver{r} }

type (
	faultPredictionResolver struct{ *Resolver }
	faultTypeResolver       struct{ *Resolver }
)
