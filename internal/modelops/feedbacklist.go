package modelops

import (
	"context"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/feedback"
	"foresight/ent/mlmodelversion"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// FeedbackFilter chooses feedback; zero fields do not narrow.
type FeedbackFilter struct {
	Types                 []enum.FeedbackType
	Model, Version        id.UUID
	Site, Asset           id.UUID
	PredictedCodes, Codes []string  // what was predicted, what it was
	From, To              time.Time // when it was said, the end exclusive
}

// List lists feedback, the newest first.
func (f *Feedback) List(ctx context.Context, of FeedbackFilter, a page.Args) (page.Page[*ent.Feedback], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PredictionsRead, a, keyset.Newest(feedback.FieldAt))
	if err != nil {
		return page.Page[*ent.Feedback]{}, err
	}
	q := f.ent.Feedback.Query()
	if len(of.Types) > 0 {
		q.Where(feedback.FeedbackTypeIn(of.Types...))
	}
	if of.Model != id.Nil {
		q.Where(feedback.HasModelVersionWith(mlmodelversion.ModelID(of.Model)))
	}
	if of.Version != id.Nil {
		q.Where(feedback.ModelVersionID(of.Version))
	}
	if of.Site != id.Nil {
		q.Where(feedback.SiteID(of.Site))
	}
	if of.Asset != id.Nil {
		q.Where(feedback.AssetID(of.Asset))
	}
	if len(of.PredictedCodes) > 0 {
		q.Where(feedback.PredictedLabelIn(of.PredictedCodes...))
	}
	if len(of.Codes) > 0 {
		q.Where(feedback.NewLabelIn(of.Codes...))
	}
	if !of.From.IsZero() {
		q.Where(feedback.AtGTE(of.From))
	}
	if !of.To.IsZero() {
		q.Where(feedback.AtLT(of.To))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.Feedback) page.Key { return keyset.Key(e.At, e.ID) })
}

// ByID loads feedback in one statement; ids that the actor does not see are absent.
func (f *Feedback) ByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.Feedback, error) {
	rows, err := f.ent.Feedback.Query().Where(feedback.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.Feedback) id.UUID { return e.ID })
}
