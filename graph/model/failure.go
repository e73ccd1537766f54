package model

import "foresight/ent"

// The connections of failure predictions and of the features that they rest on.
type (
	FailurePredictionConnection = Connection[*ent.FailurePrediction]
	FailurePredictionEdge       = Edge[*ent.FailurePrediction]
	DailyFeaturesConnection     = Connection[*ent.AssetFeatures]
	DailyFeaturesEdge           = Edge[*ent.AssetFeatures]
)
