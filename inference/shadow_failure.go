package inference

import (
	"context"
	"fmt"

	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/internal/id"
)

// ShadowFailures judges assets of a tenant, assets[i] by x[i], by the versions that are
// tried beside those that serve them, as PredictFailures does. Assets without such a version
// have a prediction without a version, and no error. Nothing may follow from what is said.
func (s *Service) ShadowFailures(ctx context.Context, tenant id.UUID, assets []id.UUID, x []daily.Vector) ([]FailurePrediction, []error, error) {
	if len(assets) != len(x) {
		return nil, nil, fmt.Errorf("inference: %d assets with features of %d", len(assets), len(x))
	}
	tried := map[Version][]int{} // places of those whom one version is tried on
	for i, asset := range assets {
		if v, ok := s.registry.Shadow(artifact.FailurePredictor, tenant, asset); ok {
			tried[v] = append(tried[v], i)
		}
	}
	return s.failuresBy(ctx, tenant, tried, x)
}

// failuresBy judges rows by the versions that have their places.
func (s *Service) failuresBy(ctx context.Context, tenant id.UUID, versions map[Version][]int, x []daily.Vector) ([]FailurePrediction, []error, error) {
	out, failed := make([]FailurePrediction, len(x)), make([]error, len(x))
	for v, places := range versions {
		found, err := s.failures(ctx, tenant, v, x, places)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		for k, i := range places {
			if failed[i] = err; err == nil {
				out[i] = found[k]
			}
		}
	}
	return out, failed, nil
}
