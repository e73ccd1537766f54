package model

import "foresight/ent"

// The connections of feedback.
type (
	FeedbackConnection = Connection[*ent.Feedback]
	FeedbackEdge       = Edge[*ent.Feedback]
)
