package model

import (
	"foresight/internal/bulk"
	"foresight/internal/training"
)

// The connection of trainings, and what their subscription gives.
type (
	TrainingRunConnection = Connection[*training.Run]
	TrainingRunEdge       = Edge[*training.Run]
	TrainingProgress      = bulk.Watched[*training.Run]
)
