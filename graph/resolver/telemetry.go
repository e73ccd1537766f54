package resolver

import (
	"context"
	"encoding/hex"
	"time"

	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

const latestLimit = 100

func (r *Resolver) latestReadings(ctx context.Context, in *model.ScopeInput) ([]*telemetry.Raw, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryRead); err != nil {
		return nil, err
	}
	scope, err := r.scope(ctx, in)
	if err != nil {
		return nil, err
	}
	found, err := r.Store.Latest(ctx, tenancy.Must(ctx).TenantID, scope, latestLimit)
	return pointers(found), err
}

func (r *Resolver) readings(ctx context.Context, first *int, after *string, in model.ScopeInput, from, to *time.Time) (*model.ReadingConnection, error) {
	q, w, err := r.rangeQuery(ctx, "telemetry", tenancy.TelemetryRead, first, after, &in, from, to)
	if err != nil {
		return nil, err
	}
	if in.AssetID.Value() == nil && in.SensorID.Value() == nil {
		return nil, fault.Invalid("scope", "error.scope.assetOrSensor")
	}
	found, err := r.Store.Readings(ctx, q)
	return model.NewConnection(page.Of(w, pointers(found), 0, func(d *telemetry.Raw) page.Key { return placeOf(d.Timestamp, d.IngestID) }), err)
}

func (r *Resolver) predictions(ctx context.Context, first *int, after *string, in *model.ScopeInput, f *model.PredictionFilter) (*model.FaultPredictionConnection, error) {
	var from, to *time.Time
	if f != nil {
		from, to = f.From.Value(), f.To.Value()
	}
	rq, w, err := r.rangeQuery(ctx, "predictions", tenancy.PredictionsRead, first, after, in, from, to)
	if err != nil {
		return nil, err
	}
	q := telemetry.PredictionQuery{RangeQuery: rq}
	if f != nil {
		abnormal, least := f.OnlyAbnormal.Value(), f.MinProbability.Value()
		q.OnlyAbnormal, q.Labels = abnormal != nil && *abnormal, f.Codes.Value()
		if least != nil {
			q.MinProbability = *least
		}
	}
	found, err := r.Store.Predictions(ctx, q)
	return model.NewConnection(page.Of(w, pointers(found), 0, func(d *telemetry.FaultPrediction) page.Key { return placeOf(d.Timestamp, d.IngestID) }), err)
}

// rangeQuery verifies what lists of the telemetry store have in common.
func (r *Resolver) rangeQuery(ctx context.Context, list string, p tenancy.Permission, first *int, after *string, in *model.ScopeInput, from, to *time.Time) (telemetry.RangeQuery, page.Window, error) {
	var q telemetry.RangeQuery
	if err := tenancy.Require(ctx, p); err != nil {
		return q, page.Window{}, err
	}
	w, err := page.Args{First: first, After: after}.Resolve(list, 2)
	if err != nil {
		return q, w, err
	}
	if q.Scope, err = r.scope(ctx, in); err != nil {
		return q, w, err
	}
	q.Tenant, q.Limit = tenancy.Must(ctx).TenantID, w.Limit()
	if from != nil {
		q.From = *from
	}
	if to != nil {
		q.To = *to
	}
	if w.Bound != nil {
		if q.After, err = cursor(w.Bound); err != nil {
			return q, w, fault.Invalid("after", "error.page.cursor").Because(err)
		}
	}
	return q, w, nil
}

func placeOf(at time.Time, i telemetry.IngestID) page.Key {
	return keyset.Key(at, hex.EncodeToString(i[:]))
}

func cursor(k page.Key) (c telemetry.Cursor, err error) {
	if c.Timestamp, err = time.Parse(time.RFC3339Nano, k[0]); err != nil {
		return c, err
	}
	b, err := hex.DecodeString(k[1])
	if err != nil || len(b) != len(c.IngestID) {
		return c, fault.New(fault.BadInput, "error.page.cursor")
	}
	copy(c.IngestID[:], b)
	return c, nil
}

// values lists what was measured: channels, process parameters, then the derived
// ones, in catalogue order. A nil selection is all.
func values(d *telemetry.Raw, names []string) []*model.ReadingValue {
	if names == nil {
		names = make([]string, 0, telemetry.Channels+len(d.Values)+2)
		for c := telemetry.Channel(0); c < telemetry.Channels; c++ {
			names = append(names, c.String())
		}
		derived := map[string]bool{telemetry.VibrationRMS: true, telemetry.BearingTemp: true}
		for _, v := range d.Values {
			names = append(names, v.Name)
			delete(derived, v.Name)
		}
		for _, n := range []string{telemetry.VibrationRMS, telemetry.BearingTemp} {
			if derived[n] {
				names = append(names, n)
			}
		}
	}
	out := make([]*model.ReadingValue, 0, len(names))
	for _, n := range names {
		if v, ok := d.Parameter(n); ok {
			out = append(out, &model.ReadingValue{Parameter: n, Value: v})
		}
	}
	return out
}

const rejectedLimit = 100

func (r *Resolver) rejected(ctx context.Context, first *int) ([]*model.RejectedReading, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryRead); err != nil {
		return nil, err
	}
	n := page.Default
	if first != nil {
		n = *first
	}
	if n < 1 || n > rejectedLimit {
		return nil, fault.Invalid("first", "error.page.size").With("Max", rejectedLimit)
	}
	found, err := r.Plant.Rejected(ctx, n)
	if err != nil {
		return nil, err
	}
	w := wordsOf(ctx)
	out := make([]*model.RejectedReading, len(found))
	for i, f := range found {
		out[i] = &model.RejectedReading{ID: f.ID, Reason: f.Reason, Message: w.Reason(f.Reason), Topic: f.Topic,
			Payload: string(f.Payload), At: f.At}
	}
	return out, nil
}
