package resolver

import (
	"context"
	"foresight/ent/document"
	"foresight/graph/generated"
	"foresight/internal/alarms"
	"foresight/internal/explanation"

	"github.com/google/uuid"
)

func (r *alarmEventResolver) Explanation(ctx context.Context, obj *alarms.Event) (*explanation.Explanation, error) {
	e, _, err := r.explanationOf(ctx, obj)
	return e.Explanation, err
}

func (r *alarmEventResolver) ExplanationStatus(ctx context.Context, obj *alarms.Event) (*explanation.State, error) {
	e, found, err := r.explanationOf(ctx, obj)
	if !found {
		return nil, err
	}
	return &e.State, err
}

func (r *explanationResolver) Label(ctx context.Context, obj *explanation.Explanation) (string, error) {
	return r.faultLabel(ctx, obj.Code)
}

func (r *featureContributionResolver) Label(ctx context.Context, obj *document.Contribution) (string, error) {
	return wordsOf(ctx).FeatureLabel(obj.Feature), nil
}

func (r *featureContributionResolver) Unit(ctx context.Context, obj *document.Contribution) (*string, error) {
	return orNone(unitOf(obj.Feature)), nil
}

func (r *queryResolver) ExplainPrediction(ctx context.Context, id uuid.UUID, code *string, top int) (*explanation.Explanation, error) {
	return r.Explanations.Prediction(ctx, id, text(code), top)
}

func (r *Resolver) Explanation() generated.ExplanationResolver { return &explanationResolver{r} }

func (r *Resolver) FeatureContribution() generated.FeatureContributionResolver {
	return &featureContributionResolver{r}
}

type (
	explanationResolver         struct{ *Resolver }
	featureContributionResolver struct{ *Resolver }
)
