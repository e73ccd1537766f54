package resolver

import (
	"context"
	"maps"
	"slices"
	"time"

	"foresight/ent/document"
	"foresight/graph/model"
	"foresight/internal/training"
)

func trainingRequest(in model.StartTrainingInput) training.Request {
	q := training.Request{Model: in.ModelID, Source: in.Source, Base: in.BaseVersionID.Value(), Alone: !in.WithOriginal,
		FeedbackWeight: float32(in.FeedbackWeight), HeldOut: in.HeldOut, Since: in.Since.Value(), Upload: in.UploadID.Value()}
	if f := in.Simulator.Value(); f != nil {
		q.Fleet = document.TrainingFleet{FaultMachines: value(f.FaultMachines.Value()), NormalMachines: value(f.NormalMachines.Value()),
			Windows: value(f.Windows.Value()), Machines: value(f.Machines.Value()), Days: value(f.Days.Value())}
	}
	if p := in.Parameters.Value(); p != nil {
		q.Recipe = training.Recipe{Rounds: value(p.Rounds.Value()), Patience: value(p.Patience.Value()), Depth: value(p.MaxDepth.Value()),
			Eta: value(p.Eta.Value()), Subsample: value(p.Subsample.Value()), Colsample: value(p.Colsample.Value()), MinChildWeight: value(p.MinChildWeight.Value()),
			Lambda: value(p.Lambda.Value()), Gamma: value(p.Gamma.Value()), MaxBin: value(p.MaxBin.Value()), Seed: int64(value(p.Seed.Value()))}
	}
	return q
}

// value is what is pointed at, zero when nothing is.
func value[T any](v *T) (out T) {
	if v != nil {
		out = *v
	}
	return out
}

// unlessZero is nil for zero.
func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func trainingParameters(r *training.Run) (*model.TrainingParameters, error) {
	p, err := r.Recipe()
	return &model.TrainingParameters{Rounds: p.Rounds, Patience: p.Patience, MaxDepth: p.Depth, Eta: p.Eta, Subsample: p.Subsample, Colsample: p.Colsample,
		MinChildWeight: p.MinChildWeight, Lambda: p.Lambda, Gamma: p.Gamma, MaxBin: p.MaxBin, Seed: uint64(p.Seed)}, err
}

// splits are those of trainings, in the order of their use, by the name that is stored.
var splits = []struct {
	name string
	of   model.TrainingSplit
}{
	{"train", model.TrainingSplitTrain}, {"validation", model.TrainingSplitValidation},
	{"calibration", model.TrainingSplitCalibration}, {"test", model.TrainingSplitTest},
}

func trainingMetrics(r *training.Run) []*model.TrainingMetrics {
	out := []*model.TrainingMetrics{}
	for _, s := range splits {
		values := r.Metrics[s.name]
		if len(values) == 0 {
			continue
		}
		m := &model.TrainingMetrics{Split: s.of}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			m.Metrics = append(m.Metrics, &model.Metric{Name: name, Value: values[name]})
		}
		out = append(out, m)
	}
	return out
}

func trainingRows(b *document.TrainedBooster) []*model.TrainingRows {
	out := []*model.TrainingRows{}
	for _, s := range splits {
		if n := b.Rows[s.name]; n > 0 {
			out = append(out, &model.TrainingRows{Split: s.of, Rows: n, Machines: b.Groups[s.name]})
		}
	}
	return out
}

// outcomes are what predictions of failures call the classes of a failure predictor.
var outcomes = map[string]string{"fails": "failure", "survives": "healthy"}

// classLabel is the name of a class of a model in the language of the request.
func (r *Resolver) classLabel(ctx context.Context, class string) (string, error) {
	if outcome := outcomes[class]; outcome != "" {
		class = outcome
	}
	return r.faultLabel(ctx, class)
}

// weekdays are the graph's in the order of Go's.
var weekdays = []model.Weekday{model.WeekdaySunday, model.WeekdayMonday, model.WeekdayTuesday, model.WeekdayWednesday, model.WeekdayThursday, model.WeekdayFriday, model.WeekdaySaturday}

func weekday(d model.Weekday) time.Weekday { return time.Weekday(slices.Index(weekdays, d)) }
