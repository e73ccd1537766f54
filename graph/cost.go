package graph

// fieldCost are the fields that cost more than one point.
var fieldCost = map[string]int{
	"Mutation.predictFailure": 10, // a model, and on request a walk over all trees
	"Query.series":            50, // thousands of rows
	"Mutation.predictFault":   50, // up to 20 windows
	"Query.explainPrediction": 20, // a window of readings, and a walk over all trees
}

// listSize are the lists of which it is known how short they are.
var listSize = map[string]int{
	"ModelCard.boosters":            2, // one for each horizon
	"TrainingRun.boosters":          2,
	"TrainingRun.metrics":           4, // one for each split
	"TrainedBooster.rows":           4,
	"FailurePrediction.topFeatures": 5,
	"FailureEstimate.explanation":   5,
}

// longest are lists of features, which are longer than a page.
var longest = map[string]int{
	"DriftReport.features":      1000,
	"TrainedBooster.importance": 1000,
}
