package health

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference/daily"
	"foresight/internal/event"
	"foresight/internal/id"
)

// explained is how many features a kept prediction names.
const explained = 5

// tally is what became of machines.
type tally struct{ Assets, Scored, Unscored int }

// scored is what is known of one machine at the end of a day.
type scored struct {
	machine
	features daily.Vector
	forecast *Forecast // nil: not asked, since nothing was heard of it
	evidence Evidence
	health   float64
	known    bool // whether there is a health
	status   enum.HealthStatus
	risk     enum.RiskLevel
	top      []document.Contribution
}

// score predicts from the stored features of a day, for those machines that have no
// prediction of it yet, and stores what comes of it. A machine of which nothing was
// heard for 7 days is not predicted: there is nothing to tell from.
func (s *Service) score(ctx context.Context, tenant id.UUID, l Limits, machines []machine, day time.Time) (tally, error) {
	var t tally
	rows, have, err := s.unscored(ctx, tenant, machines, day)
	if err != nil {
		return t, err
	}
	t.Assets, t.Scored = have+len(rows), have
	if len(rows) == 0 {
		return t, nil
	}
	if err := s.forecast(ctx, tenant, rows); err != nil {
		return t, err
	}
	if err := s.gather(ctx, tenant, rows, day); err != nil {
		return t, err
	}
	var why error // of the first one
	for i := range rows {
		r := &rows[i]
		if f := r.forecast; f != nil && f.Err != nil {
			t.Unscored++
			if why == nil {
				why = f.Err
			}
		} else if f != nil {
			r.evidence.Probability30 = &f.Within30.Value
			r.risk = l.Risk(f.Within30.Value, r.Criticality)
			t.Scored++
		}
		if r.health, r.known = r.evidence.Health(); r.known {
			r.status = l.Status(r.health)
		}
	}
	if why != nil {
		s.Log.WarnContext(ctx, "machines not scored", "count", t.Unscored, "error", why)
	}
	s.explain(ctx, rows)
	hints, err := s.write(ctx, tenant, rows, day)
	if err != nil {
		return t, err
	}
	s.publish(ctx, append(s.events(tenant, rows, day), hints...))
	s.shadow(ctx, tenant, rows, day)
	return t, nil
}

// ok reports whether there is a forecast.
func (r *scored) ok() bool { return r.forecast != nil && r.forecast.Err == nil }

// unscored reads the features of those machines that have no prediction of the day, and
// counts those that have one.
func (s *Service) unscored(ctx context.Context, tenant id.UUID, machines []machine, day time.Time) (out []scored, have int, err error) {
	of := make(map[id.UUID]*machine, len(machines))
	for i := range machines {
		of[machines[i].ID] = &machines[i]
	}
	rows, err := s.App.Query(ctx, `SELECT f.asset_id, f.features, p.id IS NOT NULL FROM asset_features f
		LEFT JOIN failure_predictions p ON p.tenant_id = f.tenant_id AND p.asset_id = f.asset_id AND p.predicted_at = $5
		WHERE f.tenant_id = $1 AND f.asset_id = ANY ($2) AND f.day = $3::date AND f.feature_schema_hash = $4
		ORDER BY f.asset_id`, tenant, ids(machines), day, daily.SchemaHash(), daily.AsOf(day))
	if err != nil {
		return nil, 0, fmt.Errorf("health: features: %w", err)
	}
	var asset id.UUID
	var features map[string]float64
	var done bool
	_, err = pgx.ForEachRow(rows, []any{&asset, &features, &done}, func() error {
		if done {
			have++
		} else {
			out = append(out, scored{machine: *of[asset], features: daily.Named(features)})
		}
		features = nil
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("health: features: %w", err)
	}
	return out, have, nil
}

var coverage, _ = daily.Place("telemetry_coverage_7d")

// forecast asks the model about the machines of which something was heard.
func (s *Service) forecast(ctx context.Context, tenant id.UUID, rows []scored) error {
	ask, of := make([]Row, 0, len(rows)), make([]*scored, 0, len(rows))
	for i := range rows {
		if rows[i].features[coverage] > 0 {
			ask, of = append(ask, Row{rows[i].ID, rows[i].features}), append(of, &rows[i])
		}
	}
	if len(ask) == 0 {
		return nil
	}
	told, err := s.Predictor.Forecast(ctx, tenant, ask)
	if err != nil {
		return fmt.Errorf("health: forecast: %w", err)
	}
	for i := range told {
		of[i].forecast = &told[i]
	}
	return s.registered(ctx, tenant, told)
}

// registered turns away forecasts of versions that the tenant's register does not have:
// of the built-in model, before it is entered for a new tenant.
func (s *Service) registered(ctx context.Context, tenant id.UUID, told []Forecast) error {
	asked := map[id.UUID]bool{}
	for i := range told {
		if told[i].Err == nil {
			asked[told[i].Version] = true
		}
	}
	rows, err := s.App.Query(ctx, `SELECT id FROM ml_model_versions WHERE tenant_id = $1 AND id = ANY ($2)`, tenant, slices.Collect(maps.Keys(asked)))
	if err != nil {
		return fmt.Errorf("health: versions: %w", err)
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return fmt.Errorf("health: versions: %w", err)
	}
	for i := range told {
		if told[i].Err == nil && !slices.Contains(known, told[i].Version) {
			told[i].Err = fmt.Errorf("health: version %s is not registered", told[i].Label)
		}
	}
	return nil
}

// explain names what moved the predictions of machines at high risk. Without an
// explanation a prediction is kept all the same.
func (s *Service) explain(ctx context.Context, rows []scored) {
	if s.Explainer == nil {
		return
	}
	for i := range rows {
		r := &rows[i]
		if !r.ok() || r.risk != enum.RiskHigh && r.risk != enum.RiskCritical {
			continue
		}
		var err error
		if r.top, err = s.Explainer.ExplainForecast(ctx, r.forecast, &r.features, Days30, explained); err != nil {
			s.Log.WarnContext(ctx, "prediction not explained", "asset", r.ID, "error", err)
		}
	}
}

// write stores predictions and health, each in one statement, lets rules judge what is
// new, and returns the hints of what they raised. A health that was made while there was
// no model gives way to the one with a prediction; nothing else changes.
func (s *Service) write(ctx context.Context, tenant id.UUID, rows []scored, day time.Time) (hints []event.Event, err error) {
	var p predictionColumns
	var h healthColumns
	asOf := daily.AsOf(day)
	for i := range rows {
		r := &rows[i]
		if r.known {
			if err := h.add(tenant, r, day); err != nil {
				return nil, err
			}
		}
		if r.ok() {
			if err := p.add(tenant, r, day); err != nil {
				return nil, err
			}
		}
	}
	predicted, calculated := map[id.UUID]bool{}, map[id.UUID]bool{}
	// Those that were stored now and that nothing newer follows.
	fresh := func(into map[id.UUID]bool) func(pgx.Rows) error {
		return func(rows pgx.Rows) error {
			var asset id.UUID
			var newest bool
			_, err := pgx.ForEachRow(rows, []any{&asset, &newest}, func() error { into[asset] = newest; return nil })
			return err
		}
	}
	err = s.tx(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(`INSERT INTO failure_predictions AS p (id, tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, confidence_lower_7d, confidence_upper_7d,
				failure_prob_30d, confidence_lower_30d, confidence_upper_30d, health_score, risk_level, top_features)
			SELECT n.id, $1, n.asset, n.version, $2, n.p7, n.l7, n.u7, n.p30, n.l30, n.u30, n.health, n.risk, n.top::jsonb
			FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::float8[], $7::float8[], $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::text[], $14::text[])
				AS n (id, asset, version, p7, l7, u7, p30, l30, u30, health, risk, top)
			ON CONFLICT (id) DO NOTHING
			RETURNING p.asset_id, NOT EXISTS (SELECT FROM asset_health l WHERE l.tenant_id = $1 AND l.asset_id = p.asset_id AND l.calculated_at > $2)`,
			tenant, asOf, p.id, p.asset, p.version, p.p[0], p.p[1], p.p[2], p.p[3], p.p[4], p.p[5], p.health, p.risk, p.top).Query(fresh(predicted))
		b.Queue(`INSERT INTO asset_health AS h (id, tenant_id, site_id, asset_id, health_score, health_status, method, inputs, calculated_at)
			SELECT n.id, $1, n.site, n.asset, n.score, n.status, $2, n.inputs::jsonb, $3
			FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::float8[], $8::text[], $9::text[]) AS n (id, site, asset, score, status, inputs)
			ON CONFLICT (id) DO UPDATE SET health_score = excluded.health_score, health_status = excluded.health_status, inputs = excluded.inputs
			WHERE NOT h.inputs ? '`+inputProbability+`' AND excluded.inputs ? '`+inputProbability+`'
			RETURNING h.asset_id, NOT EXISTS (SELECT FROM asset_health l WHERE l.tenant_id = $1 AND l.asset_id = h.asset_id AND l.calculated_at > $3)`,
			tenant, Method, asOf, h.id, h.site, h.asset, h.score, h.status, h.inputs).Query(fresh(calculated))
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("health: write scores: %w", err)
		}
		if s.Alarms == nil {
			return nil
		}
		var judged []scored
		for i := range rows {
			// Of a machine of which nothing was heard the health is all that there will be.
			if r := &rows[i]; r.ok() && predicted[r.ID] || r.forecast == nil && calculated[r.ID] {
				judged = append(judged, *r)
			}
		}
		var err error
		hints, err = s.Alarms.Apply(ctx, tx, tenant, s.events(tenant, judged, day))
		return err
	})
	return hints, err
}

// predictionColumns are rows of failure_predictions.
type predictionColumns struct {
	id, asset, version []id.UUID
	p                  [6][]float64 // value, lower, upper of 7 and 30 days
	health             []float64
	risk, top          []string
}

func (c *predictionColumns) add(tenant id.UUID, r *scored, day time.Time) error {
	top, err := json.Marshal(listed(r.top))
	if err != nil {
		return err
	}
	c.id = append(c.id, rowID(id.FailurePrediction, tenant, r.ID, day))
	c.asset, c.version = append(c.asset, r.ID), append(c.version, r.forecast.Version)
	f := r.forecast
	for i, v := range [...]float64{f.Within7.Value, f.Within7.Lower, f.Within7.Upper, f.Within30.Value, f.Within30.Lower, f.Within30.Upper} {
		c.p[i] = append(c.p[i], v)
	}
	c.health, c.risk, c.top = append(c.health, r.health), append(c.risk, string(r.risk)), append(c.top, string(top))
	return nil
}

func listed[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

// healthColumns are rows of asset_health.
type healthColumns struct {
	id, site, asset []id.UUID
	score           []float64
	status, inputs  []string
}

func (c *healthColumns) add(tenant id.UUID, r *scored, day time.Time) error {
	inputs, err := json.Marshal(r.evidence.inputs())
	if err != nil {
		return err
	}
	c.id, c.site, c.asset = append(c.id, rowID(id.AssetHealth, tenant, r.ID, day)), append(c.site, r.Site), append(c.asset, r.ID)
	c.score, c.status, c.inputs = append(c.score, r.health), append(c.status, string(r.status)), append(c.inputs, string(inputs))
	return nil
}

// events are what is told of the scores of a day.
func (s *Service) events(tenant id.UUID, rows []scored, day time.Time) []event.Event {
	events, now := make([]event.Event, 0, len(rows)), time.Now().UTC()
	for i := range rows {
		r := &rows[i]
		if !r.known {
			continue
		}
		e := event.Event{Kind: event.Health, At: now}
		e.Key.Tenant, e.Key.Site, e.Key.Asset = tenant, r.Site, r.ID
		e.Health = &event.HealthChange{CalculatedAt: daily.AsOf(day), Score: r.health, Status: string(r.status), Method: Method}
		if f := r.forecast; r.ok() {
			e.Health.Failure = event.FailureChange{ID: rowID(id.FailurePrediction, tenant, r.ID, day), Version: f.Version, Risk: string(r.risk),
				Within7:  [...]float64{f.Within7.Value, f.Within7.Lower, f.Within7.Upper},
				Within30: [...]float64{f.Within30.Value, f.Within30.Lower, f.Within30.Upper}}
		}
		events = append(events, e)
	}
	return events
}

// publish tells who watches, after the commit.
func (s *Service) publish(ctx context.Context, events []event.Event) {
	if err := s.Events.Publish(ctx, events...); err != nil {
		s.Log.WarnContext(ctx, "scores were not published", "error", err)
	}
}
