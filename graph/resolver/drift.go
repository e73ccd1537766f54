package resolver

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"foresight/ent"
	"foresight/graph/model"
	"foresight/internal/drift"
	"foresight/internal/fault"
)

// How many features of a report are given.
const (
	someFeatures = 20
	allFeatures  = 1000
)

func driftFilter(in *model.DriftReportFilter) (f drift.ReportFilter) {
	if in != nil {
		set(in.ModelVersionID, &f.Version)
		f.Verdicts = in.Verdicts.Value()
	}
	return f
}

func proposalFilter(in *model.RetrainingProposalFilter) (f drift.ProposalFilter) {
	if in != nil {
		set(in.ModelID, &f.Model)
		f.Statuses = in.Statuses.Value()
	}
	return f
}

// driftOfFeatures lists the features of a report, those that drifted first.
func driftOfFeatures(ctx context.Context, r *ent.DriftReport, driftedOnly *bool, first *int) ([]*model.FeatureDrift, error) {
	limit := someFeatures
	if first != nil {
		limit = *first
	}
	if limit < 1 || limit > allFeatures {
		return nil, fault.Invalid("first", "error.page.size").With("Max", allFeatures)
	}
	names := slices.Clone(r.Drifted)
	drifted := len(names)
	if driftedOnly == nil || !*driftedOnly {
		rest := slices.SortedFunc(maps.Keys(r.Coverage), func(a, b string) int {
			return cmp.Or(cmp.Compare(r.Psi[b], r.Psi[a]), cmp.Compare(r.Coverage[a], r.Coverage[b]), cmp.Compare(a, b))
		})
		names = append(names, slices.DeleteFunc(rest, func(name string) bool { return slices.Contains(r.Drifted, name) })...)
	}
	w := wordsOf(ctx)
	out := make([]*model.FeatureDrift, 0, limit)
	for i, name := range names[:min(limit, len(names))] {
		f := &model.FeatureDrift{Feature: name, Label: w.FeatureLabel(name), Coverage: r.Coverage[name], HasDrifted: i < drifted}
		if v, ok := r.Psi[name]; ok {
			f.Psi = &v
		}
		out = append(out, f)
	}
	return out, nil
}

var driftReasons = map[string]model.DriftReason{
	drift.Features: model.DriftReasonFeatures, drift.Labels: model.DriftReasonLabels, drift.OutOfDistribution: model.DriftReasonOutOfDistribution,
}

func (r *Resolver) labelShares(ctx context.Context, of *ent.DriftReport) ([]*model.LabelShare, error) {
	out := make([]*model.LabelShare, 0, len(of.Labels))
	for code, l := range of.Labels {
		label, err := r.faultLabel(ctx, code)
		if err != nil {
			return nil, err
		}
		out = append(out, &model.LabelShare{Code: code, Label: label, Share: l.Share})
	}
	slices.SortFunc(out, func(a, b *model.LabelShare) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Code, b.Code))
	})
	return out, nil
}

func labelSets(r *ent.DriftReport) *model.LabelSetCoverage {
	if r.LabelSets.Level == 0 {
		return nil
	}
	return &model.LabelSetCoverage{Level: r.LabelSets.Level, MeanSize: r.LabelSets.MeanSize, Findings: r.LabelSets.Findings, Coverage: r.LabelSets.Coverage}
}
