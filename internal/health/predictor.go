package health

import (
	"context"

	"foresight/ent/document"
	"foresight/inference/daily"
	"foresight/internal/id"
)

// The horizons of failure predictions, in days.
const (
	Days7  = 7
	Days30 = 30
)

// Row is what is asked about one machine.
type Row struct {
	Asset    id.UUID // Nil: no particular one; the tenant's own version answers
	Features daily.Vector
}

// Probability is that of a failure within a horizon, 0-1, with an interval that holds
// it.
type Probability struct{ Value, Lower, Upper float64 }

// Forecast is what a failure predictor says of one machine.
type Forecast struct {
	Version  id.UUID
	Label    string // `failure_predictor:1.0.0`
	Artifact string // content address of the version's artifact, by which it is explained
	Within7  Probability
	Within30 Probability
	Err      error // why there is none; fault.Unavailable when no model could answer
}

// Predictor asks the failure predictor that serves each machine.
type Predictor interface {
	// Forecast answers for each row, in order. Machines may be served by different
	// versions. An error is the context's; what is wrong with one row stands in it.
	Forecast(ctx context.Context, tenant id.UUID, rows []Row) ([]Forecast, error)
}

// Explainer says what moved a forecast.
type Explainer interface {
	// ExplainForecast returns the features that moved the margin of the horizon most,
	// the strongest first, at most so many, as the version of the forecast computes it.
	ExplainForecast(ctx context.Context, f *Forecast, x *daily.Vector, days, top int) ([]document.Contribution, error)
}
