package resolver

import (
	"context"
	"foresight/ent"
	"foresight/ent/document"
	"foresight/graph/generated"
	"foresight/graph/model"
	"foresight/inference"
	"foresight/internal/modelops"
	"foresight/internal/telemetry"
	"time"

	"github.com/google/uuid"
)

func (r *modelResolver) ServedFeatureSchemaHash(ctx context.Context, obj *ent.MLModel) (*string, error) {
	return orNone(inference.FeatureSchema(modelops.Kinds[obj.Type])), nil
}

func (r *modelBoosterResolver) HorizonDays(ctx context.Context, obj *document.BoosterCard) (*int, error) {
	return positive(obj.HorizonDays), nil
}

func (r *modelBoosterResolver) Rounds(ctx context.Context, obj *document.BoosterCard) (*int, error) {
	return positive(obj.Rounds), nil
}

func (r *modelBoosterResolver) Calibration(ctx context.Context, obj *document.BoosterCard) (*string, error) {
	return orNone(obj.Calibration), nil
}

func (r *modelBoosterResolver) GoldenTolerance(ctx context.Context, obj *document.BoosterCard) (float64, error) {
	return inference.Tolerance, nil
}

func (r *modelCardResolver) Bytes(ctx context.Context, obj *document.ModelCard) (uint64, error) {
	return uint64(obj.Bytes), nil
}

func (r *modelCardResolver) XgboostVersion(ctx context.Context, obj *document.ModelCard) (*string, error) {
	return orNone(obj.XGBoost), nil
}

func (r *mutationResolver) CreateModel(ctx context.Context, input model.CreateModelInput) (*model.ModelPayload, error) {
	e, err := r.Registry.CreateModel(ctx, newModel(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.ModelPayload{Model: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UploadModelVersion(ctx context.Context, input model.UploadModelVersionInput) (*model.ModelVersionPayload, error) {
	e, err := r.Registry.Upload(ctx, uploadRequest(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.ModelVersionPayload{ModelVersion: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) ArchiveVersion(ctx context.Context, input model.ArchiveVersionInput) (*model.ModelVersionPayload, error) {
	e, err := r.Registry.Archive(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.ModelVersionPayload{ModelVersion: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteVersion(ctx context.Context, input model.DeleteVersionInput) (*model.ModelVersionPayload, error) {
	e, err := r.Registry.Delete(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.ModelVersionPayload{ModelVersion: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) CreateFaultType(ctx context.Context, input model.CreateFaultTypeInput) (*model.FaultTypePayload, error) {
	n, err := newFaultType(input.Code, input.FaultType, "input.faultType")
	var e *ent.FaultType
	if err == nil {
		e, err = r.Registry.CreateFaultType(ctx, n)
	}
	mistakes, err := mistakesOf(ctx, err)
	return &model.FaultTypePayload{FaultType: e, UserErrors: mistakes}, err
}

func (r *queryResolver) VersionStats(ctx context.Context, modelVersionID uuid.UUID, from *time.Time, to *time.Time) ([]*telemetry.VersionCount, error) {
	found, err := r.Lives.Stats(ctx, modelVersionID, given(from), given(to))
	return pointers(found), err
}

func (r *queryResolver) CompareVersions(ctx context.Context, ids []uuid.UUID) (*modelops.Comparison, error) {
	return r.Sources.Models.Compare(ctx, ids)
}

func (r *versionComparisonResolver) Feedback(ctx context.Context, obj *modelops.Comparison) ([]*modelops.FeedbackStats, error) {
	return r.besideVersions(ctx, obj)
}

func (r *versionCountResolver) Label(ctx context.Context, obj *telemetry.VersionCount) (string, error) {
	return r.faultLabel(ctx, obj.Label)
}

func (r *versionCountResolver) Count(ctx context.Context, obj *telemetry.VersionCount) (uint64, error) {
	return uint64(obj.Count), nil
}

func (r *Resolver) ModelBooster() generated.ModelBoosterResolver { return &modelBoosterResolver{r} }

func (r *Resolver) ModelCard() generated.ModelCardResolver { return &modelCardResolver{r} }

func (r *Resolver) VersionComparison() generated.VersionComparisonResolver {
	return &versionComparisonResolver{r}
}

func (r *Resolver) VersionCount() generated.VersionCountResolver { return &versionCountResolver{r} }

type (
	modelBoosterResolver      struct{ *Resolver }
	modelCardResolver         struct{ *Resolver }
	versionComparisonResolver struct{ *Resolver }
	versionCountResolver      struct{ *Resolver }
)
