package inference

import (
	"context"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// maxTop is the most classes that one may ask for.
const maxTop = 100

// PredictFeatures judges the features of a window that a caller holds, by the version
// that serves the asset of the key, or the tenant. The answer carries the topK most
// probable classes, a fresh id, and the present time as Timestamp. A topK outside 1 to
// 100 is a fault.BadInput. It fails with ErrNoModel or with the context's error as well.
func (s *Service) PredictFeatures(ctx context.Context, key telemetry.Key, x *features.Vector, topK int) (telemetry.FaultPrediction, error) {
	if topK < 1 || topK > maxTop {
		return telemetry.FaultPrediction{}, fault.Invalid("input.topK", "error.inference.topK").With("Max", maxTop)
	}
	v, ok := s.registry.Resolve(artifact.FaultClassifier, key.Tenant, key.Asset)
	if !ok {
		return telemetry.FaultPrediction{}, s.none()
	}
	l, begin, err := s.begin(ctx, artifact.FaultClassifier, v)
	if err != nil {
		return telemetry.FaultPrediction{}, err
	}
	top := make([]telemetry.LabelProbability, topK)
	n, outside, err := classify(l.model, x, top)
	if err := s.end(l, v, key.Tenant, begin, 1, err); err != nil {
		return telemetry.FaultPrediction{}, err
	}
	return telemetry.FaultPrediction{
		Key: key, ID: id.New(id.Prediction), Timestamp: time.Now().UTC().Truncate(time.Millisecond),
		Label: top[0].Label, Probability: top[0].Probability, Top: top[:n],
		VersionID: v.ID, VersionLabel: v.Label, Role: telemetry.Production, OutOfDistribution: outside,
	}, nil
}
