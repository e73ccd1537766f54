package resolver

import (
	"context"
	"foresight/ent"
	"foresight/ent/enum"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/deploy"
	"time"

	"github.com/google/uuid"
)

func (r *assetModelBindingResolver) Asset(ctx context.Context, obj *ent.AssetModelVersion) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, &obj.AssetID)
}

func (r *assetModelBindingResolver) Model(ctx context.Context, obj *ent.AssetModelVersion) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.ModelID, "Model")
}

func (r *assetModelBindingResolver) ModelVersion(ctx context.Context, obj *ent.AssetModelVersion) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.ModelVersionID, "ModelVersion")
}

func (r *assetModelBindingResolver) By(ctx context.Context, obj *ent.AssetModelVersion) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.DeployedBy)
}

func (r *comparedLabelResolver) Label(ctx context.Context, obj *deploy.LabelCount) (string, error) {
	return r.faultLabel(ctx, obj.Label)
}

func (r *comparedLabelResolver) Count(ctx context.Context, obj *deploy.LabelCount) (uint64, error) {
	return uint64(obj.Count), nil
}

func (r *comparedVersionResolver) ModelVersion(ctx context.Context, obj *deploy.Compared) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.Version, "ModelVersion")
}

func (r *comparedVersionResolver) Drift(ctx context.Context, obj *deploy.Compared) (*enum.DriftVerdict, error) {
	return driftOf(obj.Drift), nil
}

func (r *deploymentResolver) By(ctx context.Context, obj *ent.MLModelDeployment) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.DeployedBy)
}

func (r *deploymentResolver) RolledBackVersion(ctx context.Context, obj *ent.MLModelDeployment) (*ent.MLModelVersion, error) {
	return optional(ctx, loader.From(ctx).VersionEver, obj.RollbackFromVersionID)
}

func (r *deploymentDecisionResolver) Model(ctx context.Context, obj *deploy.Decision) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.Model, "Model")
}

func (r *deploymentDecisionResolver) ModelVersion(ctx context.Context, obj *deploy.Decision) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.Version, "ModelVersion")
}

func (r *deploymentDecisionResolver) Deployment(ctx context.Context, obj *deploy.Decision) (*ent.MLModelDeployment, error) {
	return required(ctx, loader.From(ctx).Deployment, obj.Deployment, "Deployment")
}

func (r *deploymentDecisionResolver) Hours(ctx context.Context, obj *deploy.Decision) (*float64, error) {
	if !byRules(obj) {
		return nil, nil
	}
	return &obj.Measures.Hours, nil
}

func (r *deploymentDecisionResolver) Candidate(ctx context.Context, obj *deploy.Decision) (*deploy.Side, error) {
	if !byRules(obj) {
		return nil, nil
	}
	return &obj.Measures.Candidate, nil
}

func (r *deploymentDecisionResolver) Baseline(ctx context.Context, obj *deploy.Decision) (*deploy.Side, error) {
	if !byRules(obj) {
		return nil, nil
	}
	return &obj.Measures.Baseline, nil
}

func (r *deploymentDecisionResolver) By(ctx context.Context, obj *deploy.Decision) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.DecidedBy)
}

func (r *deploymentMeasuresResolver) Predictions(ctx context.Context, obj *deploy.Side) (uint64, error) {
	return uint64(obj.Predictions), nil
}

func (r *deploymentMeasuresResolver) Abnormal(ctx context.Context, obj *deploy.Side) (uint64, error) {
	return uint64(obj.Abnormal), nil
}

func (r *deploymentMeasuresResolver) Alarms(ctx context.Context, obj *deploy.Side) (uint64, error) {
	return uint64(obj.Alarms), nil
}

func (r *deploymentMeasuresResolver) Judged(ctx context.Context, obj *deploy.Side) (uint64, error) {
	return uint64(obj.Judged), nil
}

func (r *deploymentMeasuresResolver) Right(ctx context.Context, obj *deploy.Side) (uint64, error) {
	return uint64(obj.Right), nil
}

func (r *deploymentMeasuresResolver) Precision(ctx context.Context, obj *deploy.Side) (*float64, error) {
	return precisionOf(obj), nil
}

func (r *deploymentPolicyResolver) Model(ctx context.Context, obj *deploy.Policy) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.Model, "Model")
}

func (r *deploymentPolicyResolver) MinPredictions(ctx context.Context, obj *deploy.Policy) (uint64, error) {
	return uint64(obj.MinPredictions), nil
}

func (r *deploymentPolicyResolver) UpdatedBy(ctx context.Context, obj *deploy.Policy) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.UpdatedBy)
}

func (r *deploymentReasonResolver) Text(ctx context.Context, obj *deploy.Reason) (string, error) {
	return deploymentReason(ctx, obj), nil
}

func (r *deploymentRequestResolver) Model(ctx context.Context, obj *deploy.Request) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.Model, "Model")
}

func (r *deploymentRequestResolver) ModelVersion(ctx context.Context, obj *deploy.Request) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.Version, "ModelVersion")
}

func (r *deploymentRequestResolver) RequestedBy(ctx context.Context, obj *deploy.Request) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.RequestedBy)
}

func (r *deploymentRequestResolver) DecidedBy(ctx context.Context, obj *deploy.Request) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.DecidedBy)
}

func (r *deploymentRequestResolver) Deployment(ctx context.Context, obj *deploy.Request) (*ent.MLModelDeployment, error) {
	return optional(ctx, loader.From(ctx).Deployment, obj.Deployment)
}

func (r *mutationResolver) DeployVersion(ctx context.Context, input model.DeployVersionInput) (*model.DeploymentPayload, error) {
	p := deployPlan(input.ModelVersionID, input.Stage, input.Percent.Value())
	p.Instead = input.ExpectedDeploymentID.Value()
	d, err := r.Sources.Deployments.Deploy(ctx, p)
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentPayload{Deployment: d, UserErrors: mistakes}, err
}

func (r *mutationResolver) SetDeploymentPercent(ctx context.Context, input model.SetDeploymentPercentInput) (*model.DeploymentPayload, error) {
	d, err := r.Sources.Deployments.SetPercent(ctx, input.ID, input.Percent)
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentPayload{Deployment: d, UserErrors: mistakes}, err
}

func (r *mutationResolver) EndDeployment(ctx context.Context, input model.EndDeploymentInput) (*model.DeploymentPayload, error) {
	d, err := r.Sources.Deployments.End(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentPayload{Deployment: d, UserErrors: mistakes}, err
}

func (r *mutationResolver) Rollback(ctx context.Context, input model.RollbackInput) (*model.DeploymentPayload, error) {
	d, err := r.Sources.Deployments.Rollback(ctx, input.ModelID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentPayload{Deployment: d, UserErrors: mistakes}, err
}

func (r *mutationResolver) BindAsset(ctx context.Context, input model.BindAssetInput) (*model.AssetModelBindingPayload, error) {
	p := deployPlan(input.ModelVersionID, input.Stage, input.Percent.Value())
	b, err := r.Sources.Deployments.Bind(ctx, deploy.Binding{Asset: input.AssetID, Version: p.Version, Stage: p.Stage, Percent: p.Percent})
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetModelBindingPayload{Binding: b, UserErrors: mistakes}, err
}

func (r *mutationResolver) UnbindAsset(ctx context.Context, input model.UnbindAssetInput) (*model.AssetModelBindingPayload, error) {
	b, err := r.Sources.Deployments.Unbind(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.AssetModelBindingPayload{Binding: b, UserErrors: mistakes}, err
}

func (r *mutationResolver) RequestDeployment(ctx context.Context, input model.RequestDeploymentInput) (*model.DeploymentRequestPayload, error) {
	found, err := r.Sources.Deployments.Request(ctx, deployPlan(input.ModelVersionID, input.Stage, input.Percent.Value()), text(input.Note.Value()))
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentRequestPayload{Request: found, UserErrors: mistakes}, err
}

func (r *mutationResolver) ApproveDeployment(ctx context.Context, input model.DecideDeploymentInput) (*model.DeploymentRequestPayload, error) {
	found, err := r.Sources.Deployments.Approve(ctx, input.ID, text(input.Answer.Value()))
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentRequestPayload{Request: found, UserErrors: mistakes}, err
}

func (r *mutationResolver) RejectDeployment(ctx context.Context, input model.DecideDeploymentInput) (*model.DeploymentRequestPayload, error) {
	found, err := r.Sources.Deployments.Reject(ctx, input.ID, text(input.Answer.Value()))
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentRequestPayload{Request: found, UserErrors: mistakes}, err
}

func (r *mutationResolver) SetDeploymentPolicy(ctx context.Context, input model.SetDeploymentPolicyInput) (*model.DeploymentPolicyPayload, error) {
	p, err := r.Sources.Deployments.SetPolicy(ctx, policyOf(input), input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.DeploymentPolicyPayload{Policy: p, UserErrors: mistakes}, err
}

func (r *queryResolver) AssetModelBindings(ctx context.Context, first *int, after *string, last *int, before *string, assetID *uuid.UUID, modelID *uuid.UUID, includeEnded *bool) (*model.Connection[*ent.AssetModelVersion], error) {
	return model.NewConnection(r.Sources.Deployments.Bindings(ctx, deploy.BindingFilter{Asset: assetID, Model: modelID, Ended: includeEnded != nil && *includeEnded},
		pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) DeploymentRequests(ctx context.Context, first *int, after *string, last *int, before *string, modelID *uuid.UUID, status *deploy.RequestStatus) (*model.Connection[*deploy.Request], error) {
	return model.NewConnection(r.Sources.Deployments.Requests(ctx, deploy.RequestFilter{Model: modelID, Status: status}, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) DeploymentDecisions(ctx context.Context, first *int, after *string, last *int, before *string, modelID *uuid.UUID, deploymentID *uuid.UUID) (*model.Connection[*deploy.Decision], error) {
	return model.NewConnection(r.Sources.Deployments.Decisions(ctx, deploy.DecisionFilter{Model: modelID, Deployment: deploymentID}, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) DeploymentPolicy(ctx context.Context, modelID uuid.UUID) (*deploy.Policy, error) {
	return r.Sources.Deployments.Policy(ctx, modelID)
}

func (r *queryResolver) DeploymentComparison(ctx context.Context, candidateID uuid.UUID, baselineID *uuid.UUID, from *time.Time, to *time.Time) (*deploy.Comparison, error) {
	return r.Sources.Deployments.Compare(ctx, deploy.Question{Candidate: candidateID, Baseline: baselineID, From: given(from), To: given(to)})
}

func (r *shadowAgreementResolver) Pairs(ctx context.Context, obj *deploy.Agreement) (uint64, error) {
	return uint64(obj.Pairs), nil
}

func (r *shadowAgreementResolver) Agreed(ctx context.Context, obj *deploy.Agreement) (uint64, error) {
	return uint64(obj.Agreed), nil
}

func (r *shadowAgreementResolver) Share(ctx context.Context, obj *deploy.Agreement) (*float64, error) {
	return obj.Share(), nil
}

func (r *shadowDisagreementResolver) ShadowLabel(ctx context.Context, obj *deploy.Disagreement) (string, error) {
	return r.faultLabel(ctx, obj.Shadow)
}

func (r *shadowDisagreementResolver) ServingLabel(ctx context.Context, obj *deploy.Disagreement) (string, error) {
	return r.faultLabel(ctx, obj.Serving)
}

func (r *shadowDisagreementResolver) Count(ctx context.Context, obj *deploy.Disagreement) (uint64, error) {
	return uint64(obj.Count), nil
}

func (r *subscriptionResolver) Deployments(ctx context.Context, modelID *uuid.UUID) (<-chan *model.DeploymentItem, error) {
	return r.watchDeployments(ctx, modelID)
}

func (r *Resolver) AssetModelBinding() generated.AssetModelBindingResolver {
	return &assetModelBindingResolver{r}
}

func (r *Resolver) ComparedLabel() generated.ComparedLabelResolver { return &comparedLabelResolver{r} }

func (r *Resolver) ComparedVersion() generated.ComparedVersionResolver {
	return &comparedVersionResolver{r}
}

func (r *Resolver) DeploymentDecision() generated.DeploymentDecisionResolver {
	return &deploymentDecisionResolver{r}
}

func (r *Resolver) DeploymentMeasures() generated.DeploymentMeasuresResolver {
	return &deploymentMeasuresResolver{r}
}

func (r *Resolver) DeploymentPolicy() generated.DeploymentPolicyResolver {
	return &deploymentPolicyResolver{r}
}

func (r *Resolver) DeploymentReason() generated.DeploymentReasonResolver {
	return &deploymentReasonResolver{r}
}

func (r *Resolver) DeploymentRequest() generated.DeploymentRequestResolver {
	return &deploymentRequestResolver{r}
}

func (r *Resolver) ShadowAgreement() generated.ShadowAgreementResolver {
	return &shadowAgreementResolver{r}
}

func (r *Resolver) ShadowDisagreement() generated.ShadowDisagreementResolver {
	return &shadowDisagreementResolver{r}
}

type (
	assetModelBindingResolver  struct{ *Resolver }
	comparedLabelResolver      struct{ *Resolver }
	comparedVersionResolver    struct{ *Resolver }
	deploymentDecisionResolver struct{ *Resolver }
	deploymentMeasuresResolver struct{ *Resolver }
	deploymentPolicyResolver   struct{ *Resolver }
	deploymentReasonResolver   struct{ *Resolver }
	deploymentRequestResolver  struct{ *Resolver }
	shadowAgreementResolver    struct{ *Resolver }
	shadowDisagreementResolver struct{ *Resolver }
)
