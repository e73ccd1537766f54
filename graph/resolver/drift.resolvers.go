package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/drift"
)

func (r *driftCheckResolver) Failure(ctx context.Context, obj *drift.Checked) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *driftCheckResolver) By(ctx context.Context, obj *drift.Checked) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *driftReportResolver) ModelVersion(ctx context.Context, obj *ent.DriftReport) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.ModelVersionID, "ModelVersion")
}

func (r *driftReportResolver) Samples(ctx context.Context, obj *ent.DriftReport) (uint64, error) {
	return uint64(obj.Samples), nil
}

func (r *driftReportResolver) Machines(ctx context.Context, obj *ent.DriftReport) (uint64, error) {
	return uint64(obj.Machines), nil
}

func (r *driftReportResolver) Reasons(ctx context.Context, obj *ent.DriftReport) ([]model.DriftReason, error) {
	out := make([]model.DriftReason, len(obj.Reasons))
	for i, name := range obj.Reasons {
		out[i] = driftReasons[name]
	}
	return out, nil
}

func (r *driftReportResolver) Features(ctx context.Context, obj *ent.DriftReport, driftedOnly *bool, first *int) ([]*model.FeatureDrift, error) {
	return driftOfFeatures(ctx, obj, driftedOnly, first)
}

func (r *driftReportResolver) DriftedFeatures(ctx context.Context, obj *ent.DriftReport) (int, error) {
	return len(obj.Drifted), nil
}

func (r *driftReportResolver) Labels(ctx context.Context, obj *ent.DriftReport) ([]*model.LabelShare, error) {
	return r.labelShares(ctx, obj)
}

func (r *driftReportResolver) LabelSets(ctx context.Context, obj *ent.DriftReport) (*model.LabelSetCoverage, error) {
	return labelSets(obj), nil
}

func (r *modelResolver) AutomaticRetraining(ctx context.Context, obj *ent.MLModel) (bool, error) {
	yes, _, err := loader.From(ctx).Automatic.Load(ctx, obj.ID)
	return yes, err
}

func (r *mutationResolver) CheckDrift(ctx context.Context, input model.CheckDriftInput) (*model.CheckDriftPayload, error) {
	check, err := r.Drift.Request(ctx)
	var c *drift.Checked
	if err == nil {
		c, err = r.Drift.CheckOf(ctx, check)
	}
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.CheckDriftPayload{Check: c, UserErrors: mistakes}, err
}

func (r *mutationResolver) AcceptRetraining(ctx context.Context, input model.DecideRetrainingInput) (*model.DecideRetrainingPayload, error) {
	p, err := r.Drift.Accept(ctx, input.ID, text(input.Note.Value()))
	mistakes, err := mistakesAt(ctx, err, "input.id")
	return &model.DecideRetrainingPayload{Proposal: p, UserErrors: mistakes}, err
}

func (r *mutationResolver) DismissRetraining(ctx context.Context, input model.DecideRetrainingInput) (*model.DecideRetrainingPayload, error) {
	p, err := r.Drift.Dismiss(ctx, input.ID, text(input.Note.Value()))
	mistakes, err := mistakesAt(ctx, err, "input.id")
	return &model.DecideRetrainingPayload{Proposal: p, UserErrors: mistakes}, err
}

func (r *mutationResolver) SetDriftPolicy(ctx context.Context, input model.SetDriftPolicyInput) (*model.SetDriftPolicyPayload, error) {
	var m *ent.MLModel
	err := r.Drift.SetAutomatic(ctx, input.ModelID, input.AutomaticRetraining)
	if err == nil {
		m, _, err = loader.From(ctx).Model.Load(ctx, input.ModelID)
	}
	mistakes, err := mistakesAt(ctx, err, "input.modelId")
	return &model.SetDriftPolicyPayload{Model: m, UserErrors: mistakes}, err
}

func (r *queryResolver) DriftReports(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.DriftReportFilter) (*model.Connection[*ent.DriftReport], error) {
	return model.NewConnection(r.Drift.Reports(ctx, driftFilter(filter), pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) RetrainingProposals(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.RetrainingProposalFilter) (*model.Connection[*drift.Proposal], error) {
	return model.NewConnection(r.Drift.Proposals(ctx, proposalFilter(filter), pageArgs(ctx, first, after, last, before)))
}

func (r *retrainingProposalResolver) Model(ctx context.Context, obj *drift.Proposal) (*ent.MLModel, error) {
	return required(ctx, loader.From(ctx).Model, obj.Model, "Model")
}

func (r *retrainingProposalResolver) ModelVersion(ctx context.Context, obj *drift.Proposal) (*ent.MLModelVersion, error) {
	return required(ctx, loader.From(ctx).VersionEver, obj.Version, "ModelVersion")
}

func (r *retrainingProposalResolver) Report(ctx context.Context, obj *drift.Proposal) (*ent.DriftReport, error) {
	return required(ctx, loader.From(ctx).DriftReport, obj.Report, "DriftReport")
}

func (r *retrainingProposalResolver) DecidedBy(ctx context.Context, obj *drift.Proposal) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.DecidedBy)
}

func (r *Resolver) DriftCheck() generated.DriftCheckResolver { return &driftCheckResolver{r} }

func (r *Resolver) DriftReport() generated.DriftReportResolver { return &driftReportResolver{r} }

func (r *Resolver) RetrainingProposal() generated.RetrainingProposalResolver {
	return &retrainingProposalResolver{r}
}

type (
	driftCheckResolver         struct{ *Resolver }
	driftReportResolver        struct{ *Resolver }
	retrainingProposalResolver struct{ *Resolver }
)
