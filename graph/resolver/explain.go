package resolver

import (
	"context"

	"foresight/graph/loader"
	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/internal/alarms"
	"foresight/internal/explanation"
)

// explanationOf loads what is known of why an alarm was raised, false for alarms that no
// prediction raised.
func (r *Resolver) explanationOf(ctx context.Context, obj *alarms.Event) (explanation.OfAlarm, bool, error) {
	if obj.PredictionID == nil {
		return explanation.OfAlarm{}, false, nil
	}
	return loader.From(ctx).Explanation.Load(ctx, obj.ID)
}

// unitOf returns the unit of a feature of any model, "" for none.
func unitOf(feature string) string {
	if unit, ok := features.Unit(feature); ok {
		return unit
	}
	if i, ok := daily.Place(feature); ok && daily.Columns()[i].Unit != "1" {
		return daily.Columns()[i].Unit
	}
	return ""
}
