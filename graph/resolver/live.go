package resolver

import (
	"context"
	"errors"

	"foresight/graph/model"
	"foresight/graph/transport"
	"foresight/internal/alarms"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// How many items subscriptions begin with, at most.
const (
	firstReadings    = 500 // one of each sensor
	firstPredictions = 20
)

// watchTelemetry begins with the newest reading of each sensor of the scope, then
// gives readings as they are stored. The hub is subscribed first, so that nothing
// falls between; what the snapshot holds already is not repeated.
func (r *Resolver) watchTelemetry(ctx context.Context, in *model.ScopeInput) (<-chan *model.TelemetryItem, error) {
	scope, live, err := r.watch(ctx, tenancy.TelemetryRead, event.Telemetry, in)
	if err != nil {
		return nil, err
	}
	newest, err := r.Store.Latest(ctx, tenancy.Must(ctx).TenantID, scope, firstReadings)
	if err != nil {
		return nil, err
	}
	seen := make(map[telemetry.IngestID]bool, len(newest))
	for i := range newest {
		seen[newest[i].IngestID] = true
	}
	return pump(ctx, live, func(send func(*model.TelemetryItem) bool) {
		for i := range newest {
			if !send(&model.TelemetryItem{Reading: &newest[i], Snapshot: true}) {
				return
			}
		}
	}, func(i event.Item) *model.TelemetryItem {
		reading := i.Event.Reading
		if reading != nil && seen[reading.IngestID] {
			delete(seen, reading.IngestID)
			reading = nil
		}
		if reading == nil && !i.Gap {
			return nil
		}
		return &model.TelemetryItem{Reading: reading, Resync: i.Gap}
	}), nil
}

// watchPredictions begins with the newest predictions of the scope, oldest first,
// then gives predictions as they are made.
func (r *Resolver) watchPredictions(ctx context.Context, in *model.ScopeInput, onlyAbnormal bool) (<-chan *model.PredictionItem, error) {
	scope, live, err := r.watch(ctx, tenancy.PredictionsRead, event.Prediction, in)
	if err != nil {
		return nil, err
	}
	newest, err := r.Store.Predictions(ctx, telemetry.PredictionQuery{OnlyAbnormal: onlyAbnormal,
		RangeQuery: telemetry.RangeQuery{Tenant: tenancy.Must(ctx).TenantID, Scope: scope, Limit: firstPredictions}})
	if err != nil {
		return nil, err
	}
	seen := make(map[id.UUID]bool, len(newest))
	for i := range newest {
		seen[newest[i].ID] = true
	}
	return pump(ctx, live, func(send func(*model.PredictionItem) bool) {
		for i := len(newest) - 1; i >= 0; i-- {
			if !send(&model.PredictionItem{Prediction: &newest[i], Snapshot: true}) {
				return
			}
		}
	}, func(i event.Item) *model.PredictionItem {
		p := i.Event.Prediction
		if p != nil && (seen[p.ID] || p.Role != telemetry.Production || onlyAbnormal && p.Label == telemetry.Normal) {
			p = nil
		}
		if p == nil && !i.Gap {
			return nil
		}
		return &model.PredictionItem{Prediction: p, Resync: i.Gap}
	}), nil
}

// watch checks the permission and the scope, and subscribes to the hub.
func (r *Resolver) watch(ctx context.Context, p tenancy.Permission, k event.Kind, in *model.ScopeInput) (telemetry.Scope, <-chan event.Item, error) {
	if err := tenancy.Require(ctx, p); err != nil {
		return telemetry.Scope{}, nil, err
	}
	scope, err := r.scope(ctx, in)
	if err != nil {
		return scope, nil, err
	}
	live, err := r.Hub.Subscribe(ctx, event.Filter{Tenant: tenancy.Must(ctx).TenantID, Kind: k, Scope: scope})
	return scope, live, err
}

// pump sends the snapshot, then what show makes of live items (nil: nothing),
// until the context or the hub ends.
func pump[T any](ctx context.Context, live <-chan event.Item, snapshot func(send func(*T) bool), show func(event.Item) *T) <-chan *T {
	out := make(chan *T, 16)
	send := func(v *T) bool {
		select {
		case out <- v:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(out)
		snapshot(send)
		for {
			select {
			case i, ok := <-live:
				if !ok {
					return
				}
				if v := show(i); v != nil && !send(v) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// watchAlarms gives the alarms of the scope: all active ones, or what changed
// behind a seq, then every change. A client too slow for them is disconnected.
func (r *Resolver) watchAlarms(ctx context.Context, in *model.ScopeInput, least *rules.Severity, after *uint64) (<-chan *model.AlarmItem, error) {
	if err := tenancy.Require(ctx, tenancy.AlarmsRead); err != nil {
		return nil, err
	}
	scope, err := r.scope(ctx, in)
	if err != nil {
		return nil, err
	}
	w := alarms.Watch{Scope: scope, After: after}
	if least != nil {
		w.MinSeverity = *least
	}
	sub, err := r.Feed.Subscribe(ctx, w)
	if err != nil {
		return nil, err
	}
	out := make(chan *model.AlarmItem)
	go func() {
		defer close(out)
		for c := range sub.C {
			select {
			case out <- &model.AlarmItem{Alarm: c.Event, Transition: c.Transition, Seq: c.Seq, Snapshot: c.Snapshot, Resync: c.Resync}:
			case <-ctx.Done():
				return
			}
		}
		switch err := sub.Err(); {
		case ctx.Err() != nil, errors.Is(err, alarms.ErrStopped):
		case errors.Is(err, alarms.ErrTooSlow):
			transport.DisconnectSlow(ctx)
		default: // an end would look as if there were nothing more to come
			transport.DisconnectFailed(ctx)
		}
	}()
	return out, nil
}
