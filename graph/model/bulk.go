package model

import "foresight/internal/bulk"

// The connections of jobs, and what their subscriptions give.
type (
	JobConnection  = Connection[bulk.Job]
	JobEdge        = Edge[bulk.Job]
	ImportProgress = bulk.Watched[*bulk.Import]
	ReplayProgress = bulk.Watched[*bulk.Replay]
	ExportProgress = bulk.Watched[*bulk.Export]
)
