package resolver

import (
	"context"
	"foresight/ent"
	"foresight/ent/document"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/bulk"
	"foresight/internal/health"
	"time"

	"github.com/google/uuid"
)

func (r *assetResolver) FailurePrediction(ctx context.Context, obj *ent.Asset) (*ent.FailurePrediction, error) {
	return orNilPointer(loader.From(ctx).Forecast.Load(ctx, obj.ID))
}

func (r *assetHealthItemResolver) Asset(ctx context.Context, obj *model.AssetHealthItem) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, obj.AssetID)
}

func (r *dailyFeaturesResolver) Values(ctx context.Context, obj *ent.AssetFeatures) ([]*model.DailyFeature, error) {
	return dailyFeatures(ctx, func(_ int, name string) (float64, bool) {
		v, ok := obj.Features[name]
		return v, ok
	}), nil
}

func (r *failureEstimateResolver) AssetID(ctx context.Context, obj *health.Estimate) (*uuid.UUID, error) {
	return orNoID(obj.Asset), nil
}

func (r *failureEstimateResolver) Day(ctx context.Context, obj *health.Estimate) (*time.Time, error) {
	return orNoTime(obj.Day), nil
}

func (r *failureEstimateResolver) Within7Days(ctx context.Context, obj *health.Estimate) (*model.FailureProbability, error) {
	return estimated(model.FailureHorizonDays7, obj.Within7), nil
}

func (r *failureEstimateResolver) Within30Days(ctx context.Context, obj *health.Estimate) (*model.FailureProbability, error) {
	return estimated(model.FailureHorizonDays30, obj.Within30), nil
}

func (r *failureEstimateResolver) RiskLabel(ctx context.Context, obj *health.Estimate) (string, error) {
	return wordsOf(ctx).RiskLabel(string(obj.Risk)), nil
}

func (r *failureEstimateResolver) Features(ctx context.Context, obj *health.Estimate) ([]*model.DailyFeature, error) {
	return featuresOfVector(ctx, &obj.Features), nil
}

func (r *failureEstimateResolver) Explanation(ctx context.Context, obj *health.Estimate) ([]*document.Contribution, error) {
	if obj.Top == nil {
		return nil, nil
	}
	return contributions(obj.Top), nil
}

func (r *failurePredictionResolver) Asset(ctx context.Context, obj *ent.FailurePrediction) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, &obj.AssetID)
}

func (r *failurePredictionResolver) Within7Days(ctx context.Context, obj *ent.FailurePrediction) (*model.FailureProbability, error) {
	return within(model.FailureHorizonDays7, obj.FailureProb7d, obj.ConfidenceLower7d, obj.ConfidenceUpper7d), nil
}

func (r *failurePredictionResolver) Within30Days(ctx context.Context, obj *ent.FailurePrediction) (*model.FailureProbability, error) {
	return within(model.FailureHorizonDays30, obj.FailureProb30d, obj.ConfidenceLower30d, obj.ConfidenceUpper30d), nil
}

func (r *failurePredictionResolver) RiskLabel(ctx context.Context, obj *ent.FailurePrediction) (string, error) {
	return wordsOf(ctx).RiskLabel(string(obj.RiskLevel)), nil
}

func (r *failurePredictionResolver) ModelVersion(ctx context.Context, obj *ent.FailurePrediction) (string, error) {
	v, err := required(ctx, loader.From(ctx).VersionEver, obj.ModelVersionID, "ModelVersion")
	if err != nil {
		return "", err
	}
	return v.FullVersionLabel, nil
}

func (r *failurePredictionResolver) TopFeatures(ctx context.Context, obj *ent.FailurePrediction) ([]*document.Contribution, error) {
	if obj.TopFeatures != nil { // else it is of an event
		return contributions(obj.TopFeatures), nil
	}
	p, found, err := loader.From(ctx).FailurePrediction.Load(ctx, obj.ID)
	if err != nil || !found {
		return []*document.Contribution{}, err
	}
	return contributions(p.TopFeatures), nil
}

func (r *mutationResolver) PredictFailure(ctx context.Context, input model.PredictFailureInput) (*model.PredictFailurePayload, error) {
	e, err := r.Health.Predict(ctx, predictRequest(input))
	mistakes, err := mistakesAt(ctx, err, "input.assetId")
	return &model.PredictFailurePayload{Estimate: e, UserErrors: mistakes}, err
}

func (r *queryResolver) FailurePrediction(ctx context.Context, assetID uuid.UUID) (*ent.FailurePrediction, error) {
	return orNilPointer(loader.From(ctx).Forecast.Load(ctx, assetID))
}

func (r *queryResolver) FailurePredictions(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.FailurePredictionFilter) (*model.Connection[*ent.FailurePrediction], error) {
	return model.NewConnection(r.Sources.Health.Predictions(ctx, failureFilter(filter), pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) DailyFeatures(ctx context.Context, assetID uuid.UUID, from *time.Time, to *time.Time, first *int, after *string, last *int, before *string) (*model.Connection[*ent.AssetFeatures], error) {
	return model.NewConnection(r.Sources.Health.Features(ctx, assetID, given(from), given(to), pageArgs(ctx, first, after, last, before)))
}

func (r *scoringJobResolver) Failure(ctx context.Context, obj *bulk.Scoring) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *scoringJobResolver) By(ctx context.Context, obj *bulk.Scoring) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *subscriptionResolver) FailurePredictions(ctx context.Context, scope *model.ScopeInput) (<-chan *model.FailurePredictionItem, error) {
	return r.watchFailures(ctx, scope)
}

func (r *subscriptionResolver) AssetHealth(ctx context.Context, scope *model.ScopeInput) (<-chan *model.AssetHealthItem, error) {
	return r.watchHealth(ctx, scope)
}

func (r *Resolver) AssetHealthItem() generated.AssetHealthItemResolver {
	return &assetHealthItemResolver{r}
}

func (r *Resolver) DailyFeatures() generated.DailyFeaturesResolver { return &dailyFeaturesResolver{r} }

func (r *Resolver) FailureEstimate() generated.FailureEstimateResolver {
	return &failureEstimateResolver{r}
}

func (r *Resolver) FailurePrediction() generated.FailurePredictionResolver {
	return &failurePredictionResolver{r}
}

func (r *Resolver) ScoringJob() generated.ScoringJobResolver { return &scoringJobResolver{r} }

type (
	assetHealthItemResolver   struct{ *Resolver }
	dailyFeaturesResolver     struct{ *Resolver }
	failureEstimateResolver   struct{ *Resolver }
	failurePredictionResolver struct{ *Resolver }
	scoringJobResolver        struct{ *Resolver }
)
