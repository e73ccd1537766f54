package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/alarms"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

func (r *alarmEventResolver) Rule(ctx context.Context, obj *alarms.Event) (*ent.AlarmRule, error) {
	return optional(ctx, loader.From(ctx).Rule, &obj.RuleID)
}

func (r *alarmEventResolver) Site(ctx context.Context, obj *alarms.Event) (*ent.Site, error) {
	return required(ctx, loader.From(ctx).SiteEver, obj.SiteID, "Site")
}

func (r *alarmEventResolver) Asset(ctx context.Context, obj *alarms.Event) (*ent.Asset, error) {
	return required(ctx, loader.From(ctx).AssetEver, obj.AssetID, "Asset")
}

func (r *alarmEventResolver) Sensor(ctx context.Context, obj *alarms.Event) (*ent.Sensor, error) {
	return optional(ctx, loader.From(ctx).SensorEver, obj.SensorID)
}

func (r *alarmEventResolver) FaultLabel(ctx context.Context, obj *alarms.Event) (*string, error) {
	if obj.FaultCode == nil {
		return nil, nil
	}
	s, err := r.faultLabel(ctx, *obj.FaultCode)
	return &s, err
}

func (r *alarmEventResolver) RecommendedAction(ctx context.Context, obj *alarms.Event) (*string, error) {
	return translated(obj.FaultCode, wordsOf(ctx).FaultAction), nil
}

func (r *alarmEventResolver) Prediction(ctx context.Context, obj *alarms.Event) (*telemetry.FaultPrediction, error) {
	return optional(ctx, loader.From(ctx).Prediction, obj.PredictionID)
}

func (r *alarmEventResolver) AcknowledgedBy(ctx context.Context, obj *alarms.Event) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.AcknowledgedBy)
}

func (r *alarmEventResolver) ResolvedBy(ctx context.Context, obj *alarms.Event) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.ResolvedBy)
}

func (r *alarmEventResolver) Transitions(ctx context.Context, obj *alarms.Event) ([]*alarms.Transition, error) {
	v, _, err := loader.From(ctx).Transitions.Load(ctx, obj.ID)
	return pointers(v), err
}

func (r *alarmRuleResolver) Site(ctx context.Context, obj *ent.AlarmRule) (*ent.Site, error) {
	return optional(ctx, loader.From(ctx).Site, obj.SiteID)
}

func (r *alarmRuleResolver) Asset(ctx context.Context, obj *ent.AlarmRule) (*ent.Asset, error) {
	return optional(ctx, loader.From(ctx).Asset, obj.AssetID)
}

func (r *alarmRuleResolver) Sensor(ctx context.Context, obj *ent.AlarmRule) (*ent.Sensor, error) {
	return optional(ctx, loader.From(ctx).Sensor, obj.SensorID)
}

func (r *alarmTransitionResolver) From(ctx context.Context, obj *alarms.Transition) (*rules.Status, error) {
	if obj.From == rules.None {
		return nil, nil
	}
	return &obj.From, nil
}

func (r *alarmTransitionResolver) By(ctx context.Context, obj *alarms.Transition) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.By)
}

func (r *mutationResolver) CreateAlarmRule(ctx context.Context, input model.CreateAlarmRuleInput) (*model.AlarmRulePayload, error) {
	e, err := r.Rules.Create(ctx, ruleSpec(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmRulePayload{Rule: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateAlarmRule(ctx context.Context, input model.UpdateAlarmRuleInput) (*model.AlarmRulePayload, error) {
	e, err := r.Rules.Update(ctx, input.ID, input.ExpectedVersion, func(s *alarms.RuleSpec) { applyRule(input, s) })
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmRulePayload{Rule: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteAlarmRule(ctx context.Context, input model.AlarmRuleIDInput) (*model.AlarmRulePayload, error) {
	e, err := r.Rules.Delete(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmRulePayload{Rule: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) RestoreAlarmRule(ctx context.Context, input model.AlarmRuleIDInput) (*model.AlarmRulePayload, error) {
	e, err := r.Rules.Restore(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmRulePayload{Rule: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) AcknowledgeAlarm(ctx context.Context, input model.AcknowledgeAlarmInput) (*model.AlarmEventPayload, error) {
	e, err := r.Alarms.Acknowledge(ctx, input.ID, text(input.Note.Value()))
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmEventPayload{Alarm: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) ClearAlarm(ctx context.Context, input model.ClearAlarmInput) (*model.AlarmEventPayload, error) {
	e, err := r.Alarms.Clear(ctx, input.ID, text(input.Note.Value()))
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmEventPayload{Alarm: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) ResolveAlarm(ctx context.Context, input model.ResolveAlarmInput) (*model.AlarmEventPayload, error) {
	e, err := r.Alarms.Resolve(ctx, input.ID, input.CorrectionPlan)
	mistakes, err := mistakesOf(ctx, err)
	return &model.AlarmEventPayload{Alarm: e, UserErrors: mistakes}, err
}

func (r *queryResolver) AlarmRules(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.AlarmRuleFilter) (*model.Connection[*ent.AlarmRule], error) {
	return model.NewConnection(r.Rules.List(ctx, ruleFilter(filter), pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) AlarmEvents(ctx context.Context, first *int, after *string, last *int, before *string, filter *model.AlarmEventFilter) (*model.Connection[*alarms.Event], error) {
	return model.NewConnection(r.Alarms.Events(ctx, eventFilter(filter), pageArgs(ctx, first, after, last, before)))
}

func (r *subscriptionResolver) Alarms(ctx context.Context, scope *model.ScopeInput, minSeverity *rules.Severity, after *uint64) (<-chan *model.AlarmItem, error) {
	return r.watchAlarms(ctx, scope, minSeverity, after)
}

func (r *Resolver) AlarmEvent() generated.AlarmEventResolver { return &alarmEventResolver{r} }

func (r *Resolver) AlarmRule() generated.AlarmRuleResolver { return &alarmRuleResolver{r} }

func (r *Resolver) AlarmTransition() generated.AlarmTransitionResolver {
	return &alarmTransitionResolver{r}
}

type (
	alarmEventResolver      struct{ *Resolver }
	alarmRuleResolver       struct{ *Resolver }
	alarmTransitionResolver struct{ *Resolver }
)
