package resolver

import (
	"context"
	"foresight/ent"
	"foresight/ent/document"
	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/training"
	"time"

	"github.com/google/uuid"
)

func (r *modelResolver) TrainingSchedule(ctx context.Context, obj *ent.MLModel) (*training.Weekly, error) {
	return required(ctx, loader.From(ctx).Weekly, obj.ID, "Model")
}

func (r *mutationResolver) StartTraining(ctx context.Context, input model.StartTrainingInput) (*model.StartTrainingPayload, error) {
	run, err := r.Training.Start(ctx, trainingRequest(input))
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.StartTrainingPayload{TrainingRun: run, UserErrors: mistakes}, err
}

func (r *mutationResolver) CancelTraining(ctx context.Context, input model.CancelTrainingInput) (*model.CancelTrainingPayload, error) {
	run, err := r.Training.Cancel(ctx, input.ID)
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.CancelTrainingPayload{TrainingRun: run, UserErrors: mistakes}, err
}

func (r *mutationResolver) SetTrainingSchedule(ctx context.Context, input model.SetTrainingScheduleInput) (*model.SetTrainingSchedulePayload, error) {
	w, err := r.Training.SetWeekly(ctx, input.ModelID, input.IsEnabled, weekday(input.Weekday), input.Hour)
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.SetTrainingSchedulePayload{Schedule: w, UserErrors: mistakes}, err
}

func (r *queryResolver) TrainingRun(ctx context.Context, id uuid.UUID) (*training.Run, error) {
	run, err := r.Training.Run(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return run, err
}

func (r *queryResolver) TrainingRuns(ctx context.Context, first *int, after *string, last *int, before *string, modelID *uuid.UUID) (*model.Connection[*training.Run], error) {
	return model.NewConnection(r.Training.List(ctx, pageArgs(ctx, first, after, last, before), modelID))
}

func (r *subscriptionResolver) TrainingProgress(ctx context.Context, trainingRunID uuid.UUID) (<-chan *bulk.Watched[*training.Run], error) {
	return watchJob(ctx, r.Bulk, trainingRunID, r.Training.Run)
}

func (r *trainedBoosterResolver) HorizonDays(ctx context.Context, obj *document.TrainedBooster) (*int, error) {
	if obj.Horizon == 0 {
		return nil, nil
	}
	return &obj.Horizon, nil
}

func (r *trainedBoosterResolver) Rows(ctx context.Context, obj *document.TrainedBooster) ([]*model.TrainingRows, error) {
	return trainingRows(obj), nil
}

func (r *trainedBoosterResolver) Importance(ctx context.Context, obj *document.TrainedBooster, first int) ([]*document.Importance, error) {
	if first < 1 || first > 1000 {
		return nil, fault.Invalid("first", "error.page.size").With("Max", 1000)
	}
	return pointers(obj.Importance[:min(first, len(obj.Importance))]), nil
}

func (r *trainedClassResolver) Label(ctx context.Context, obj *document.TrainedClass) (string, error) {
	return r.classLabel(ctx, obj.Class)
}

func (r *trainingRunResolver) Failure(ctx context.Context, obj *training.Run) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *trainingRunResolver) By(ctx context.Context, obj *training.Run) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *trainingRunResolver) Model(ctx context.Context, obj *training.Run) (*ent.MLModel, error) {
	return optional(ctx, loader.From(ctx).Model, &obj.Model)
}

func (r *trainingRunResolver) BaseVersion(ctx context.Context, obj *training.Run) (*ent.MLModelVersion, error) {
	return optional(ctx, loader.From(ctx).VersionEver, &obj.Request.Base)
}

func (r *trainingRunResolver) ModelVersion(ctx context.Context, obj *training.Run) (*ent.MLModelVersion, error) {
	return optional(ctx, loader.From(ctx).VersionEver, obj.Version)
}

func (r *trainingRunResolver) IsScheduled(ctx context.Context, obj *training.Run) (bool, error) {
	return obj.Request.Scheduled, nil
}

func (r *trainingRunResolver) DriftReport(ctx context.Context, obj *training.Run) (*ent.DriftReport, error) {
	return optional(ctx, loader.From(ctx).DriftReport, obj.Request.Drift)
}

func (r *trainingRunResolver) Parameters(ctx context.Context, obj *training.Run) (*model.TrainingParameters, error) {
	return trainingParameters(obj)
}

func (r *trainingRunResolver) FeedbackWeight(ctx context.Context, obj *training.Run) (float64, error) {
	return float64(obj.Request.FeedbackWeight), nil
}

func (r *trainingRunResolver) HeldOut(ctx context.Context, obj *training.Run) (float64, error) {
	return obj.Request.HeldOut, nil
}

func (r *trainingRunResolver) Metrics(ctx context.Context, obj *training.Run) ([]*model.TrainingMetrics, error) {
	return trainingMetrics(obj), nil
}

func (r *trainingRunResolver) Boosters(ctx context.Context, obj *training.Run) ([]*document.TrainedBooster, error) {
	return pointers(obj.Outcome.Boosters), nil
}

func (r *trainingRunResolver) NewClasses(ctx context.Context, obj *training.Run) ([]string, error) {
	return listed(obj.Outcome.NewClasses), nil
}

func (r *trainingRunResolver) Seconds(ctx context.Context, obj *training.Run) (*float64, error) {
	return unlessZero(obj.Outcome.Seconds), nil
}

func (r *trainingRunResolver) PeakMemory(ctx context.Context, obj *training.Run) (*uint64, error) {
	return unlessZero(uint64(obj.Outcome.PeakMemory)), nil
}

func (r *trainingRunResolver) Log(ctx context.Context, obj *training.Run) (*string, error) {
	text, err := r.Training.LogText(ctx, obj)
	return orNone(text), err
}

func (r *trainingScheduleResolver) Weekday(ctx context.Context, obj *training.Weekly) (model.Weekday, error) {
	return weekdays[obj.Weekday], nil
}

func (r *trainingScheduleResolver) NextAt(ctx context.Context, obj *training.Weekly) (*time.Time, error) {
	if !obj.Enabled {
		return nil, nil
	}
	return &obj.DueAt, nil
}

func (r *trainingScheduleResolver) LastSkipped(ctx context.Context, obj *training.Weekly) (*string, error) {
	return failureText(ctx, obj.Skipped), nil
}

func (r *Resolver) TrainedBooster() generated.TrainedBoosterResolver {
	return &trainedBoosterResolver{r}
}

func (r *Resolver) TrainedClass() generated.TrainedClassResolver { return &trainedClassResolver{r} }

func (r *Resolver) TrainingRun() generated.TrainingRunResolver { return &trainingRunResolver{r} }

func (r *Resolver) TrainingSchedule() generated.TrainingScheduleResolver {
	return &trainingScheduleResolver{r}
}

type (
	trainedBoosterResolver   struct{ *Resolver }
	trainedClassResolver     struct{ *Resolver }
	trainingRunResolver      struct{ *Resolver }
	trainingScheduleResolver struct{ *Resolver }
)
