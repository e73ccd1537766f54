package resolver

import (
	"strconv"

	"foresight/graph/model"
	"foresight/internal/id"
	"foresight/internal/modelops"
)

func feedbackFilter(in *model.FeedbackFilter) modelops.FeedbackFilter {
	if in == nil {
		return modelops.FeedbackFilter{}
	}
	f := modelops.FeedbackFilter{Types: in.Types.Value(), PredictedCodes: in.PredictedCodes.Value(), Codes: in.Codes.Value()}
	set(in.ModelID, &f.Model)
	set(in.ModelVersionID, &f.Version)
	set(in.SiteID, &f.Site)
	set(in.AssetID, &f.Asset)
	set(in.From, &f.From)
	set(in.To, &f.To)
	return f
}

func saidItems(in []*model.FeedbackItemInput) ([]modelops.Said, error) {
	out := make([]modelops.Said, len(in))
	for i, item := range in {
		out[i] = modelops.Said{Prediction: item.PredictionID, Type: item.Type, Code: text(item.Code.Value()), Remark: text(item.Remark.Value())}
		if t := item.FaultType.Value(); t != nil {
			n, err := newFaultType(out[i].Code, t, "input.items."+strconv.Itoa(i)+".faultType")
			if err != nil {
				return nil, err
			}
			out[i].New = &n
		}
	}
	return out, nil
}

// groupOf is the id of the group, when figures are told apart by this.
func groupOf(s *modelops.FeedbackStats, by modelops.FeedbackGroup) *id.UUID {
	if s.By != by {
		return nil
	}
	return s.Of
}

// positive is the number, nil for none.
func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}
