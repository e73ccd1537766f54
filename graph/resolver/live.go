package resolver

import (
	"context"
	"errors"
	"io"
	"time"

	"foresight/graph/model"
	"foresight/graph/share"
	"foresight/internal/alarms"
	"foresight/internal/event"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Shared are the subscriptions that run once for all who ask for the same.
var Shared = share.Fields{
	"telemetry": nil, "predictions": nil, "gatewayStatus": nil, "failurePredictions": nil, "assetHealth": nil, "deployments": nil,
	"alarms":         {"after"},
	"importProgress": nil, "exportProgress": nil, "replayProgress": nil, "backtestProgress": nil, "trainingProgress": nil,
}

// How many items subscriptions begin with, at most.
const (
	firstReadings    = 500 // one of each sensor
	firstPredictions = 20
)

// underway is for how long news may still come of what a snapshot holds: it is stored
// a moment before it is told.
const underway = time.Minute

// watchTelemetry begins with the newest reading of each sensor of the scope, then
// gives readings as they are stored.
func (r *Resolver) watchTelemetry(ctx context.Context, in *model.ScopeInput) (<-chan *model.TelemetryItem, error) {
	scope, err := r.watched(ctx, tenancy.TelemetryRead, in)
	if err != nil {
		return nil, err
	}
	gap := &model.TelemetryItem{Resync: true}
	return share.Serve(ctx, share.Stream[*model.TelemetryItem]{Gap: &gap,
		Listen: func(ctx context.Context) (share.Next[*model.TelemetryItem], error) {
			return listen(ctx, r.Hub, event.Telemetry, scope, func(_ context.Context, i event.Item) (l share.Live[*model.TelemetryItem], ok bool) {
				if d := i.Event.Reading; d != nil {
					l.Mark, l.About, l.Origin = d.IngestID, d.Sensor, origin(i.Event, d.ReceivedAt)
				}
				l.Value = &model.TelemetryItem{Reading: i.Event.Reading, Resync: i.Gap}
				return l, i.Event.Reading != nil || i.Gap
			})
		},
		Begin: func(ctx context.Context) (b share.Beginning[*model.TelemetryItem], err error) {
			newest, err := r.Store.Latest(ctx, tenancy.Must(ctx).TenantID, scope, firstReadings)
			items, seen := make([]*model.TelemetryItem, len(newest)), make(map[any]bool, len(newest))
			for i := range newest {
				items[i] = &model.TelemetryItem{Reading: &newest[i], Snapshot: true}
				seen[newest[i].IngestID] = true
			}
			b.Items, b.Known = share.All(items), known(seen)
			return b, err
		},
	})
}

// watchPredictions begins with the newest predictions of the scope, oldest first,
// then gives predictions as they are made.
func (r *Resolver) watchPredictions(ctx context.Context, in *model.ScopeInput, onlyAbnormal bool) (<-chan *model.PredictionItem, error) {
	scope, err := r.watched(ctx, tenancy.PredictionsRead, in)
	if err != nil {
		return nil, err
	}
	gap := &model.PredictionItem{Resync: true}
	return share.Serve(ctx, share.Stream[*model.PredictionItem]{Gap: &gap,
		Listen: func(ctx context.Context) (share.Next[*model.PredictionItem], error) {
			return listen(ctx, r.Hub, event.Prediction, scope, func(_ context.Context, i event.Item) (l share.Live[*model.PredictionItem], ok bool) {
				p := i.Event.Prediction
				if p != nil && (p.Role != telemetry.Production || onlyAbnormal && p.Label == telemetry.Normal) {
					p = nil
				}
				if p != nil {
					l.Mark, l.About, l.Origin = p.ID, p.Sensor, origin(i.Event, i.Event.At)
				}
				l.Value = &model.PredictionItem{Prediction: p, Resync: i.Gap}
				return l, p != nil || i.Gap
			})
		},
		Begin: func(ctx context.Context) (b share.Beginning[*model.PredictionItem], err error) {
			newest, err := r.Store.Predictions(ctx, telemetry.PredictionQuery{OnlyAbnormal: onlyAbnormal,
				RangeQuery: telemetry.RangeQuery{Tenant: tenancy.Must(ctx).TenantID, Scope: scope, Limit: firstPredictions}})
			items, seen := make([]*model.PredictionItem, len(newest)), make(map[any]bool, len(newest))
			for i := range newest {
				items[len(newest)-1-i] = &model.PredictionItem{Prediction: &newest[i], Snapshot: true}
				seen[newest[i].ID] = true
			}
			b.Items, b.Known = share.All(items), known(seen)
			return b, err
		},
	})
}

// origin says where an event came from, which entered the product at the time given.
func origin(e event.Event, at time.Time) share.Origin {
	return share.Origin{Kind: string(e.Kind), At: at, Trace: e.Trace}
}

// known are the marks of what a snapshot holds.
func known(seen map[any]bool) share.Known {
	return share.Known{Has: func(mark any) bool { return seen[mark] }, For: underway}
}

// watched checks the permission and the scope.
func (r *Resolver) watched(ctx context.Context, p tenancy.Permission, in *model.ScopeInput) (telemetry.Scope, error) {
	if err := tenancy.Require(ctx, p); err != nil {
		return telemetry.Scope{}, err
	}
	return r.scope(ctx, in)
}

// listen subscribes to the hub and gives what show makes of events; false: nothing.
func listen[T any](ctx context.Context, hub event.Subscriber, k event.Kind, scope telemetry.Scope,
	show func(context.Context, event.Item) (share.Live[T], bool)) (share.Next[T], error) {
	live, err := hub.Subscribe(ctx, event.Filter{Tenant: tenancy.Must(ctx).TenantID, Kind: k, Scope: scope})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (share.Live[T], error) {
		for {
			select {
			case i, ok := <-live:
				if !ok {
					return share.Live[T]{}, io.EOF
				}
				if l, ok := show(ctx, i); ok {
					return l, nil
				}
			case <-ctx.Done():
				return share.Live[T]{}, ctx.Err()
			}
		}
	}, nil
}

// watchAlarms gives the alarms of the scope: all active ones, or what changed
// behind a seq, then every change. A client too slow for them is disconnected.
func (r *Resolver) watchAlarms(ctx context.Context, in *model.ScopeInput, least *rules.Severity, after *uint64) (<-chan *model.AlarmItem, error) {
	scope, err := r.watched(ctx, tenancy.AlarmsRead, in)
	if err != nil {
		return nil, err
	}
	w := alarms.Watch{Scope: scope, After: after}
	if least != nil {
		w.MinSeverity = *least
	}
	return share.Serve(ctx, share.Stream[*model.AlarmItem]{
		Listen: func(ctx context.Context) (share.Next[*model.AlarmItem], error) { return r.listenToAlarms(ctx, w) },
		Begin: func(ctx context.Context) (b share.Beginning[*model.AlarmItem], err error) {
			var upTo uint64
			b.Items = func(yield func(*model.AlarmItem, error) bool) {
				var err error
				upTo, err = r.Feed.Begin(ctx, w, func(c alarms.Change) error {
					if !yield(alarmItem(c), nil) {
						return errLeft
					}
					return nil
				})
				if err != nil && !errors.Is(err, errLeft) {
					yield(nil, err)
				}
			}
			b.Known.Has = func(mark any) bool { return mark.(uint64) <= upTo }
			return b, nil
		},
	})
}

// errLeft ends the reading of what nobody waits for any longer.
var errLeft = errors.New("the subscriber has left")

func (r *Resolver) listenToAlarms(ctx context.Context, w alarms.Watch) (share.Next[*model.AlarmItem], error) {
	l, err := r.Feed.Listen(ctx, w)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, l.Close)
	return func(ctx context.Context) (share.Live[*model.AlarmItem], error) {
		c, err := l.Next(ctx)
		switch {
		case errors.Is(err, alarms.ErrTooSlow):
			err = share.ErrTooSlow
		case errors.Is(err, alarms.ErrStopped):
			err = io.EOF
		}
		live := share.Live[*model.AlarmItem]{Value: alarmItem(c), Mark: c.Seq}
		if c.Transition != nil {
			live.Origin = share.Origin{Kind: string(event.Alarm), At: c.Transition.At, Trace: c.Trace}
		}
		return live, err
	}, nil
}

func alarmItem(c alarms.Change) *model.AlarmItem {
	return &model.AlarmItem{Alarm: c.Event, Transition: c.Transition, Seq: c.Seq, Snapshot: c.Snapshot, Resync: c.Resync}
}
