package resolver

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/text/language"

	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/deploy"
	"foresight/internal/fault"
	"foresight/internal/modelops"
	"foresight/internal/tenancy"
)

func uploadRequest(in model.UploadModelVersionInput) modelops.UploadRequest {
	q := modelops.UploadRequest{Model: in.ModelID, Classes: in.Classes.Value(), FeatureSchemaHash: text(in.FeatureSchemaHash.Value())}
	for _, f := range in.Files {
		file := modelops.UploadedFile{Upload: f.UploadID}
		set(f.HorizonDays, &file.Horizon)
		q.Files = append(q.Files, file)
	}
	return q
}

// newFaultType reads what people say of a fault; a language named twice is a mistake of
// the field.
func newFaultType(code string, in *model.FaultTypeInput, field string) (modelops.NewFaultType, error) {
	n := modelops.NewFaultType{Code: code, Family: in.Family, ISO14224Code: text(in.Iso14224Code.Value()), Severity: in.DefaultSeverity, Labels: map[string]string{}}
	for _, l := range in.Labels {
		if _, twice := n.Labels[l.Language]; twice {
			return n, fault.Invalid(field+".labels", "error.faultType.languageTwice").With("Language", l.Language)
		}
		n.Labels[l.Language] = l.Label
	}
	return n, nil
}

func newModel(in model.CreateModelInput) modelops.NewModel {
	return modelops.NewModel{Name: in.Name, Description: text(in.Description.Value()), Type: in.Type}
}

// besideVersions are the figures of feedback of each of the versions.
func (r *Resolver) besideVersions(ctx context.Context, c *modelops.Comparison) ([]*modelops.FeedbackStats, error) {
	if err := tenancy.Require(ctx, tenancy.PredictionsRead); err != nil {
		return nil, err
	}
	found, err := r.Sources.Feedback.Stats(ctx, modelops.FeedbackFilter{Model: c.Versions[0].ModelID}, modelops.ByModelVersion)
	if err != nil {
		return nil, err
	}
	out := make([]*modelops.FeedbackStats, len(c.Versions))
	for i, v := range c.Versions {
		out[i] = &modelops.FeedbackStats{Of: &v.ID, By: modelops.ByModelVersion} // nobody has said anything
		for _, s := range found {
			if *s.Of == v.ID {
				out[i] = s
			}
		}
	}
	return out, nil
}

// faultLabel is the name of a fault, built in or the tenant's own, in the language of the
// request.
func (r *Resolver) faultLabel(ctx context.Context, code string) (string, error) {
	w := wordsOf(ctx)
	// In English a failure is called as it is coded.
	if s := w.FaultLabel(code); s != code || code == deploy.Failure || code == deploy.NoFailure || w == (codes{}) {
		return s, nil
	}
	labels, err := r.Sources.Models.OwnFault(ctx, code)
	if err != nil {
		return "", err
	}
	return ownLabel(ctx, code, labels), nil
}

// ownLabel is what a tenant calls a fault of its own, in the language of the request, in
// English, or in whatever language there is.
func ownLabel(ctx context.Context, code string, labels map[string]string) string {
	wanted := []string{"en"}
	if w, ok := gqlerr.LocalizerFrom(ctx).(interface{ Tag() language.Tag }); ok {
		base, _ := w.Tag().Base()
		wanted = []string{w.Tag().String(), base.String(), "en"}
	}
	for _, l := range append(wanted, slices.Sorted(maps.Keys(labels))...) {
		if s := labels[l]; s != "" {
			return s
		}
	}
	return code
}
