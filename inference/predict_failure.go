package inference

import (
	"context"
	"fmt"

	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/internal/id"
)

// FailurePrediction is what the version that serves an asset says of it.
type FailurePrediction struct {
	Failure
	VersionID    id.UUID
	VersionLabel string  // `failure_predictor:1.0.0`
	Artifact     string  // content address, for explanations
	Threshold    float64 // probability from which on the version calls it a failure
	Level        float64 // nominal level of the intervals, 0-1; 0: there are none
}

// PredictFailure judges an asset by its features of a day. It fails with ErrNoModel or
// with the context's error.
func (s *Service) PredictFailure(ctx context.Context, tenant, asset id.UUID, x *daily.Vector) (FailurePrediction, error) {
	v, ok := s.registry.Resolve(artifact.FailurePredictor, tenant, asset)
	if !ok {
		return FailurePrediction{}, s.none()
	}
	l, begin, err := s.begin(ctx, artifact.FailurePredictor, v)
	if err != nil {
		return FailurePrediction{}, err
	}
	f, err := judge(l.model, x)
	if err := s.end(l, v, tenant, begin, 1, err); err != nil {
		return FailurePrediction{}, err
	}
	return v.said(f, l.model), nil
}

func (v *Version) said(f Failure, m *Model) FailurePrediction {
	return FailurePrediction{f, v.ID, v.Label, v.Artifact, v.Threshold, m.Level()}
}

// PredictFailures judges many assets of a tenant, assets[i] by x[i], each by the version
// that serves it, with the results of PredictFailure and in a fraction of its time. Of
// assets whose version did not answer the error tells why, with ErrNoModel in its chain.
func (s *Service) PredictFailures(ctx context.Context, tenant id.UUID, assets []id.UUID, x []daily.Vector) ([]FailurePrediction, []error, error) {
	if len(assets) != len(x) {
		return nil, nil, fmt.Errorf("inference: %d assets with features of %d", len(assets), len(x))
	}
	served, unserved := map[Version][]int{}, []int{} // places of those whom one version serves
	for i, asset := range assets {
		if v, ok := s.registry.Resolve(artifact.FailurePredictor, tenant, asset); ok {
			served[v] = append(served[v], i)
		} else {
			unserved = append(unserved, i)
		}
	}
	out, failed, err := s.failuresBy(ctx, tenant, served, x)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range unserved {
		failed[i] = s.none()
	}
	return out, failed, nil
}

// failures judges the rows at the places by one version.
func (s *Service) failures(ctx context.Context, tenant id.UUID, v Version, x []daily.Vector, places []int) ([]FailurePrediction, error) {
	l, begin, err := s.begin(ctx, artifact.FailurePredictor, v)
	if err != nil {
		return nil, err
	}
	rows, judged := make([]daily.Vector, len(places)), make([]Failure, len(places))
	for k, i := range places {
		rows[k] = x[i]
	}
	err = judgeAll(l.model, rows, judged)
	if err := s.end(l, v, tenant, begin, len(places), err); err != nil {
		return nil, err
	}
	out := make([]FailurePrediction, len(places))
	for k, f := range judged {
		out[k] = v.said(f, l.model)
	}
	return out, nil
}

// judge and judgeAll turn a panic of the model into an error, as classify does.
func judge(m *Model, x *daily.Vector) (f Failure, err error) {
	defer recovered(&err)
	return m.Failure(x)
}

func judgeAll(m *Model, x []daily.Vector, out []Failure) (err error) {
	defer recovered(&err)
	return m.Failures(x, out)
}
