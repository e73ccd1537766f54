package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"maps"
	"slices"

	"github.com/google/uuid"
)

func (r *deploymentResolver) Model(ctx context.Context, obj *ent.MLModelDeployment) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.ModelID, "Model")
}

func (r *deploymentResolver) ModelVersion(ctx context.Context, obj *ent.MLModelDeployment) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.ModelVersionID, "ModelVersion")
}

func (r *modelResolver) Versions(ctx context.Context, obj *ent.MLModel) ([]*ent.MLModelVersion, error) {
	v, _, err := loader.From(ctx).Versions.Load(ctx, obj.ID)
	return listed(v), err
}

func (r *modelVersionResolver) Model(ctx context.Context, obj *ent.MLModelVersion) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.ModelID, "Model")
}

func (r *modelVersionResolver) DatasetHash(ctx context.Context, obj *ent.MLModelVersion) (*string, error) {
	if obj.DatasetHash == "" {
		return nil, nil
	}
	return &obj.DatasetHash, nil
}

func (r *modelVersionResolver) Metrics(ctx context.Context, obj *ent.MLModelVersion) ([]*model.Metric, error) {
	out := make([]*model.Metric, 0, len(obj.Metrics))
	for _, name := range slices.Sorted(maps.Keys(obj.Metrics)) {
		out = append(out, &model.Metric{Name: name, Value: obj.Metrics[name]})
	}
	return out, nil
}

func (r *queryResolver) Models(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.MLModel], error) {
	return model.NewConnection(r.Sources.Models.Models(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) ModelVersions(ctx context.Context, first *int, after *string, last *int, before *string, modelID *uuid.UUID) (*model.Connection[*ent.MLModelVersion], error) {
	return model.NewConnection(r.Sources.Models.Versions(ctx, pageArgs(ctx, first, after, last, before), modelID))
}

func (r *queryResolver) Deployments(ctx context.Context, first *int, after *string, last *int, before *string, modelID *uuid.UUID) (*model.Connection[*ent.MLModelDeployment], error) {
	return model.NewConnection(r.Sources.Models.Deployments(ctx, pageArgs(ctx, first, after, last, before), modelID))
}

func (r *Resolver) Deployment() generated.DeploymentResolver { return &deploymentResolver{r} }

func (r *Resolver) Model() generated.ModelResolver { return &modelResolver{r} }

func (r *Resolver) ModelVersion() generated.ModelVersionResolver { return &modelVersionResolver{r} }

type (
	deploymentResolver   struct{ *Resolver }
	modelResolver        struct{ *Resolver }
	modelVersionResolver struct{ *Resolver }
)
