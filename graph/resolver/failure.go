package resolver

import (
	"context"
	"math"
	"time"

	"foresight/ent"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/graph/model"
	"foresight/graph/share"
	"foresight/inference/daily"
	"foresight/internal/event"
	"foresight/internal/health"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/plant"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// How many items subscriptions begin with, at most.
const (
	firstForecasts = page.Max
	firstHealths   = 500
)

func failureFilter(in *model.FailurePredictionFilter) health.PredictionFilter {
	if in == nil {
		return health.PredictionFilter{}
	}
	f := health.PredictionFilter{Risks: in.RiskLevels.Value(), Days: horizonDays(in.Horizon.Value())}
	set(in.SiteID, &f.Site)
	set(in.AssetID, &f.Asset)
	set(in.MinProbability, &f.Least)
	set(in.From, &f.From)
	set(in.To, &f.To)
	set(in.NewestOnly, &f.Newest)
	return f
}

// given returns the time, the zero one for none.
func given(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// orNoID returns the id, nil for none.
func orNoID(u id.UUID) *id.UUID {
	if u == id.Nil {
		return nil
	}
	return &u
}

// horizonDays is 0 when none was given.
func horizonDays(h *model.FailureHorizon) int {
	switch {
	case h == nil:
		return 0
	case *h == model.FailureHorizonDays7:
		return health.Days7
	}
	return health.Days30
}

func within(h model.FailureHorizon, p, lower, upper float64) *model.FailureProbability {
	return &model.FailureProbability{Horizon: h, Probability: p, Lower: lower, Upper: upper}
}

func estimated(h model.FailureHorizon, p health.Probability) *model.FailureProbability {
	return within(h, p.Value, p.Lower, p.Upper)
}

// dailyFeatures lists the features of a vector, the missing ones as null.
func dailyFeatures(ctx context.Context, value func(i int, name string) (float64, bool)) []*model.DailyFeature {
	w := wordsOf(ctx)
	out := make([]*model.DailyFeature, 0, daily.Count)
	for i, c := range daily.Columns() {
		f := &model.DailyFeature{Name: c.Name, Label: w.FeatureLabel(c.Name), Unit: orNone(unitOf(c.Name))}
		if v, ok := value(i, c.Name); ok {
			f.Value = &v
		}
		out = append(out, f)
	}
	return out
}

func featuresOfVector(ctx context.Context, v *daily.Vector) []*model.DailyFeature {
	return dailyFeatures(ctx, func(i int, _ string) (float64, bool) {
		x := float64(v[i])
		return x, !math.IsNaN(x)
	})
}

func contributions(c []document.Contribution) []*document.Contribution {
	out := make([]*document.Contribution, len(c))
	for i := range c {
		out[i] = &c[i]
	}
	return out
}

func predictRequest(in model.PredictFailureInput) health.Request {
	q := health.Request{Days: horizonDays(in.Horizon.Value())}
	set(in.AssetID, &q.Asset)
	set(in.Explain, &q.Explain)
	if features := in.Features.Value(); features != nil {
		q.Features = make([]health.Value, len(features))
		for i, f := range features {
			q.Features[i] = health.Value{Name: f.Name, Value: f.Value}
		}
	}
	return q
}

// watchFailures begins with the newest prediction of each machine of the scope, then
// gives predictions as they are made.
func (r *Resolver) watchFailures(ctx context.Context, in *model.ScopeInput) (<-chan *model.FailurePredictionItem, error) {
	scope, err := r.watchedMachines(ctx, in)
	if err != nil {
		return nil, err
	}
	gap := &model.FailurePredictionItem{Resync: true}
	return share.Serve(ctx, share.Stream[*model.FailurePredictionItem]{Gap: &gap,
		Listen: func(ctx context.Context) (share.Next[*model.FailurePredictionItem], error) {
			return listen(ctx, r.Hub, event.Health, scope, func(_ context.Context, i event.Item) (l share.Live[*model.FailurePredictionItem], ok bool) {
				p := forecastOf(&i.Event)
				if p != nil {
					l.Mark, l.About, l.Origin = p.ID, p.AssetID, origin(i.Event, i.Event.At)
				}
				l.Value = &model.FailurePredictionItem{Prediction: p, Resync: i.Gap}
				return l, p != nil || i.Gap
			})
		},
		Begin: func(ctx context.Context) (b share.Beginning[*model.FailurePredictionItem], err error) {
			first := firstForecasts
			newest, err := r.Health.Predictions(ctx, health.PredictionFilter{Site: scope.Site, Asset: scope.Asset, Newest: true}, page.Args{First: &first})
			items, seen := make([]*model.FailurePredictionItem, len(newest.Items)), make(map[any]bool, len(newest.Items))
			for i, p := range newest.Items {
				items[i] = &model.FailurePredictionItem{Prediction: p, Snapshot: true}
				seen[p.ID] = true
			}
			b.Items, b.Known = share.All(items), known(seen)
			return b, err
		},
	})
}

// forecastOf is the prediction of an event as it is stored, nil when it has none. What
// moved it is looked up when asked for.
func forecastOf(e *event.Event) *ent.FailurePrediction {
	h := e.Health
	if h == nil || h.Failure.ID == id.Nil {
		return nil
	}
	f := &h.Failure
	return &ent.FailurePrediction{ID: f.ID, TenantID: e.Key.Tenant, AssetID: e.Key.Asset, ModelVersionID: f.Version, PredictedAt: h.CalculatedAt,
		FailureProb7d: f.Within7[0], ConfidenceLower7d: f.Within7[1], ConfidenceUpper7d: f.Within7[2],
		FailureProb30d: f.Within30[0], ConfidenceLower30d: f.Within30[1], ConfidenceUpper30d: f.Within30[2],
		HealthScore: h.Score, RiskLevel: enum.RiskLevel(f.Risk)}
}

// watchHealth begins with the health of the machines of the scope, then gives it as it
// is calculated.
func (r *Resolver) watchHealth(ctx context.Context, in *model.ScopeInput) (<-chan *model.AssetHealthItem, error) {
	scope, err := r.watchedMachines(ctx, in)
	if err != nil {
		return nil, err
	}
	type mark struct {
		asset id.UUID
		at    int64
		score float64
	}
	marked := func(asset id.UUID, h *plant.Health) mark { return mark{asset, h.CalculatedAt.UnixMicro(), h.Score} }
	gap := &model.AssetHealthItem{Resync: true}
	return share.Serve(ctx, share.Stream[*model.AssetHealthItem]{Gap: &gap,
		Listen: func(ctx context.Context) (share.Next[*model.AssetHealthItem], error) {
			return listen(ctx, r.Hub, event.Health, scope, func(_ context.Context, i event.Item) (l share.Live[*model.AssetHealthItem], ok bool) {
				item := &model.AssetHealthItem{Resync: i.Gap}
				if h := i.Event.Health; h != nil {
					asset := i.Event.Key.Asset
					item.AssetID, item.Health = &asset, &plant.Health{Score: h.Score, Status: enum.HealthStatus(h.Status), Method: h.Method, CalculatedAt: h.CalculatedAt}
					l.Mark, l.About, l.Origin = marked(asset, item.Health), asset, origin(i.Event, i.Event.At)
				}
				l.Value = item
				return l, item.Health != nil || i.Gap
			})
		},
		Begin: func(ctx context.Context) (b share.Beginning[*model.AssetHealthItem], err error) {
			worst, err := r.Health.Worst(ctx, scope.Site, scope.Asset, firstHealths)
			if err != nil {
				return b, err
			}
			found, err := r.Plant.HealthOfAssets(ctx, worst)
			items, seen := make([]*model.AssetHealthItem, 0, len(worst)), make(map[any]bool, len(worst))
			for _, asset := range worst {
				if h := found[asset]; h != nil {
					items = append(items, &model.AssetHealthItem{AssetID: &asset, Health: h, Snapshot: true})
					seen[marked(asset, h)] = true
				}
			}
			b.Items, b.Known = share.All(items), known(seen)
			return b, err
		},
	})
}

// watchedMachines checks the permission and the scope, which is one of machines: that of
// a sensor is the machine's.
func (r *Resolver) watchedMachines(ctx context.Context, in *model.ScopeInput) (telemetry.Scope, error) {
	s, err := r.watched(ctx, tenancy.PredictionsRead, in)
	if err != nil || s.Sensor == id.Nil {
		return s, err
	}
	sensors, err := r.Plant.SensorsByID(ctx, []id.UUID{s.Sensor})
	if err != nil {
		return s, err
	}
	if n := sensors[s.Sensor]; n != nil {
		s.Sensor, s.Asset = id.Nil, n.AssetID
	}
	return s, nil
}
