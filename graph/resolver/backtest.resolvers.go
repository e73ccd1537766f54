package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/gqlerr"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/alarms"
	"foresight/internal/backtest"
	"foresight/internal/bulk"
	"foresight/internal/fault"

	"github.com/google/uuid"
)

func (r *backtestResolver) Failure(ctx context.Context, obj *backtest.Backtest) (*string, error) {
	return failureText(ctx, obj.Failure), nil
}

func (r *backtestResolver) By(ctx context.Context, obj *backtest.Backtest) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *backtestResolver) ModelVersion(ctx context.Context, obj *backtest.Backtest) (*ent.MLModelVersion, error) {
	return optional(ctx, loader.From(ctx).VersionEver, obj.Version)
}

func (r *backtestResolver) Readings(ctx context.Context, obj *backtest.Backtest) (uint64, error) {
	return obj.Outcome.Readings, nil
}

func (r *backtestResolver) Rules(ctx context.Context, obj *backtest.Backtest) ([]*model.BacktestRule, error) {
	return backtestRules(obj), nil
}

func (r *backtestResolver) Agreement(ctx context.Context, obj *backtest.Backtest) (*model.BacktestAgreement, error) {
	return backtestAgreement(obj), nil
}

func (r *backtestAlarmResolver) Site(ctx context.Context, obj *ent.BacktestAlarm) (*ent.Site, error) {
	return optional(ctx, loader.From(ctx).SiteEver, &obj.SiteID)
}

func (r *backtestAlarmResolver) Asset(ctx context.Context, obj *ent.BacktestAlarm) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, &obj.AssetID)
}

func (r *backtestAlarmResolver) Sensor(ctx context.Context, obj *ent.BacktestAlarm) (*ent.Sensor, error) {
	return optional(ctx, loader.From(ctx).SensorEver, &obj.SensorID)
}

func (r *backtestAlarmResolver) RealAlarm(ctx context.Context, obj *ent.BacktestAlarm) (*alarms.Event, error) {
	return optional(ctx, loader.From(ctx).Event, obj.AlarmEventID)
}

func (r *backtestPredictionResolver) Site(ctx context.Context, obj *ent.BacktestPrediction) (*ent.Site, error) {
	return optional(ctx, loader.From(ctx).SiteEver, &obj.SiteID)
}

func (r *backtestPredictionResolver) Asset(ctx context.Context, obj *ent.BacktestPrediction) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).AssetEver, &obj.AssetID)
}

func (r *backtestPredictionResolver) Sensor(ctx context.Context, obj *ent.BacktestPrediction) (*ent.Sensor, error) {
	return optional(ctx, loader.From(ctx).SensorEver, &obj.SensorID)
}

func (r *backtestRuleResolver) Rule(ctx context.Context, obj *model.BacktestRule) (*ent.AlarmRule, error) {
	return optional(ctx, loader.From(ctx).Rule, obj.StoredID)
}

func (r *mutationResolver) StartBacktest(ctx context.Context, input model.StartBacktestInput) (*model.StartBacktestPayload, error) {
	b, err := r.Backtests.Start(ctx, backtestRequest(input))
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.StartBacktestPayload{Backtest: b, UserErrors: mistakes}, err
}

func (r *mutationResolver) CancelBacktest(ctx context.Context, input model.CancelBacktestInput) (*model.CancelBacktestPayload, error) {
	b, err := r.Backtests.Cancel(ctx, input.ID)
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.CancelBacktestPayload{Backtest: b, UserErrors: mistakes}, err
}

func (r *queryResolver) Backtest(ctx context.Context, id uuid.UUID) (*backtest.Backtest, error) {
	b, err := r.Resolver.Backtests.Backtest(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return b, err
}

func (r *queryResolver) Backtests(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*backtest.Backtest], error) {
	return model.NewConnection(r.Resolver.Backtests.List(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) BacktestAlarms(ctx context.Context, backtestID uuid.UUID, first *int, after *string, last *int, before *string, ruleNumber *int, assetID *uuid.UUID, matched *bool) (*model.Connection[*ent.BacktestAlarm], error) {
	return model.NewConnection(r.Resolver.Backtests.Alarms(ctx, backtestID, backtest.AlarmFilter{Rule: ruleNumber, Asset: assetID, Matched: matched}, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) BacktestPredictions(ctx context.Context, backtestID uuid.UUID, first *int, after *string, last *int, before *string, assetID *uuid.UUID, changed *bool) (*model.Connection[*ent.BacktestPrediction], error) {
	return model.NewConnection(r.Resolver.Backtests.Predictions(ctx, backtestID, backtest.PredictionFilter{Asset: assetID, Changed: changed}, pageArgs(ctx, first, after, last, before)))
}

func (r *subscriptionResolver) BacktestProgress(ctx context.Context, backtestID uuid.UUID) (<-chan *bulk.Watched[*backtest.Backtest], error) {
	return watchJob(ctx, r.Bulk, backtestID, r.Backtests.Backtest)
}

func (r *Resolver) Backtest() generated.BacktestResolver { return &backtestResolver{r} }

func (r *Resolver) BacktestAlarm() generated.BacktestAlarmResolver { return &backtestAlarmResolver{r} }

func (r *Resolver) BacktestPrediction() generated.BacktestPredictionResolver {
	return &backtestPredictionResolver{r}
}

func (r *Resolver) BacktestRule() generated.BacktestRuleResolver { return &backtestRuleResolver{r} }

type (
	backtestResolver           struct{ *Resolver }
	backtestAlarmResolver      struct{ *Resolver }
	backtestPredictionResolver struct{ *Resolver }
	backtestRuleResolver       struct{ *Resolver }
)
