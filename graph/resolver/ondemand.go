package resolver

import (
	"context"
	"math"
	"strconv"

	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// FaultPredictor judges windows that a caller holds. inference.Service is one.
type FaultPredictor interface {
	PredictFeatures(ctx context.Context, key telemetry.Key, x *features.Vector, topK int) (telemetry.FaultPrediction, error)
}

// Limits of predictFault.
const (
	maxWindows  = 20
	maxReadings = 100 // of a window
	explainedBy = 5   // features
)

func (r *Resolver) predictFault(ctx context.Context, in model.PredictFaultInput) ([]*model.FaultEstimate, error) {
	if err := tenancy.Require(ctx, tenancy.PredictionsRead); err != nil {
		return nil, err
	}
	if r.Faults == nil {
		return nil, fault.New(fault.Unavailable, "error.inference.noModel")
	}
	windows, err := vectors(in.Windows)
	if err != nil {
		return nil, err
	}
	key := telemetry.Key{Tenant: tenancy.Must(ctx).TenantID}
	if asset := in.AssetID.Value(); asset != nil {
		a, err := required(ctx, loader.From(ctx).Asset, *asset, "Asset")
		if err != nil {
			return nil, err
		}
		key.Site, key.Asset = a.SiteID, a.ID
	}
	out := make([]*model.FaultEstimate, len(windows))
	for i := range windows {
		p, err := r.Faults.PredictFeatures(ctx, key, &windows[i], in.TopK)
		if err != nil {
			return nil, err
		}
		if out[i], err = r.estimate(ctx, &p); err != nil {
			return nil, err
		}
		if in.Explain {
			if out[i].Explanation, err = r.Explanations.Features(ctx, p.VersionID, p.VersionLabel, &windows[i], p.Label, explainedBy); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// estimate shows what was predicted in the words of the request.
func (r *Resolver) estimate(ctx context.Context, p *telemetry.FaultPrediction) (*model.FaultEstimate, error) {
	top, err := r.FaultPrediction().Top(ctx, p)
	if err != nil {
		return nil, err
	}
	label, err := r.faultLabel(ctx, p.Label)
	return &model.FaultEstimate{Code: p.Label, Label: label, Probability: p.Probability, Top: top,
		RecommendedAction: wordsOf(ctx).FaultAction(p.Label), ModelVersion: p.VersionLabel, OutOfDistribution: p.OutOfDistribution}, err
}

// vectors reads the windows as features. Everything that is wrong is told together.
func vectors(in []*model.FaultWindowInput) ([]features.Vector, error) {
	if len(in) < 1 || len(in) > maxWindows {
		return nil, fault.Invalid("input.windows", "error.range").With("Min", 1).With("Max", maxWindows)
	}
	out := make([]features.Vector, len(in))
	var mistakes fault.List
	for i, w := range in {
		field := "input.windows." + strconv.Itoa(i)
		readings, given := w.Readings.Value(), w.Features.Value()
		var f *fault.Error
		switch {
		case (readings == nil) == (given == nil):
			f = fault.Invalid(field, "error.predict.oneOf")
		case given != nil:
			f = vector(given, field+".features", &out[i])
		default:
			f = window(readings, field+".readings", &out[i])
		}
		if f != nil {
			mistakes = append(mistakes, f)
		}
	}
	return out, mistakes.Err()
}

func vector(given []*float64, field string, x *features.Vector) *fault.Error {
	if len(given) != features.Count {
		return fault.Invalid(field, "error.predict.features").With("Need", features.Count).With("Got", len(given))
	}
	for i, v := range given {
		x[i] = float32(math.NaN())
		if v == nil {
			continue
		}
		if x[i] = float32(*v); x[i]-x[i] != 0 {
			return fault.Invalid(field+"."+strconv.Itoa(i), "error.input.malformed")
		}
	}
	return nil
}

func window(given []*model.WindowReadingInput, field string, x *features.Vector) *fault.Error {
	if n := len(given); n < telemetry.WindowSize {
		return fault.Invalid(field, "error.inference.tooFewReadings").With("Need", telemetry.WindowSize).With("Got", n)
	} else if n > maxReadings {
		return fault.Invalid(field, "error.tooMany").With("Max", maxReadings)
	}
	readings := make([][telemetry.Channels]float64, len(given))
	for i, r := range given {
		readings[i] = telemetry.NoChannels()
		for k, v := range r.Values {
			at := field + "." + strconv.Itoa(i) + ".values." + strconv.Itoa(k)
			c, ok := telemetry.ChannelByName(v.Parameter)
			switch f := float32(v.Value); {
			case !ok:
				return fault.Invalid(at+".parameter", "error.predict.channel").With("Name", v.Parameter)
			case readings[i][c] == readings[i][c]:
				return fault.Invalid(at+".parameter", "error.predict.twice").With("Name", v.Parameter)
			case f-f != 0:
				return fault.Invalid(at+".value", "error.input.malformed")
			}
			readings[i][c] = v.Value
		}
	}
	features.Extract(telemetry.WindowOf(readings), x)
	return nil
}
