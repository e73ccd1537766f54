package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/document"
	"foresight/inference/daily"
	"foresight/internal/fault"
	"foresight/internal/health"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// scoring returns the service of failure predictions, on a model that looks at the
// week's mean vibration alone.
func (r *rig) scoring(client *ent.Client, queue *jobs.Queue) *health.Service {
	steep := &steep{versions: map[id.UUID]id.UUID{}}
	r.health = health.New(health.Options{App: r.app, Ent: client, Queue: queue, Store: r.store, Predictor: steep, Explainer: steep, Events: r.hub, Log: slog.New(slog.DiscardHandler)})
	return r.health
}

// steep gives a probability of 1/2 at 5 mm/s.
type steep struct{ versions map[id.UUID]id.UUID }

func (s *steep) Forecast(_ context.Context, tenant id.UUID, rows []health.Row) ([]health.Forecast, error) {
	at, _ := daily.Place("vibration_rms_7d_avg")
	out := make([]health.Forecast, len(rows))
	for i := range rows {
		v, p := s.versions[tenant], 1/(1+math.Exp(5-float64(rows[i].Features[at])))
		switch {
		case v == id.Nil:
			out[i].Err = fault.New(fault.Unavailable, "error.inference.noModel")
		case p != p:
			p = 0.1
			fallthrough
		default:
			out[i] = health.Forecast{Version: v, Label: "failure_predictor:1.0.0", Within7: health.Probability{Value: p / 2, Lower: p / 4, Upper: p},
				Within30: health.Probability{Value: p, Lower: p / 2, Upper: min(1, 2*p)}}
		}
	}
	return out, nil
}

func (*steep) ExplainForecast(_ context.Context, _ *health.Forecast, x *daily.Vector, days, top int) ([]document.Contribution, error) {
	at, _ := daily.Place("vibration_rms_7d_avg")
	v := float64(x[at])
	return []document.Contribution{{Feature: "vibration_rms_7d_avg", Value: &v, Contribution: float64(days)}}, nil
}

// failureVersion enters the n-th version of a failure predictor.
func (r *rig) failureVersion(p testkit.Plant, n int) id.UUID {
	r.Helper()
	model, version, label := id.New(id.MLModel), id.New(id.MLModelVersion), fmt.Sprintf("failure_predictor:1.0.%d", n)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, $3, 'failure_prediction', $4)`, model, p.TenantID, label, daily.SchemaHash())
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, feature_schema_hash, dataset_hash, classes, metrics)
		VALUES ($1, $2, $3, '1.0.0', $4, 'production', 'x', $5, 'x', '[]', '{}')`, version, p.TenantID, model, label, daily.SchemaHash())
	return version
}

// vibrated stores a week of hourly rollups at the velocity, up to the newest day.
func (r *rig) vibrated(k telemetry.Key, velocity float64) {
	r.Helper()
	day := daily.LastDay(time.Now())
	var rows []telemetry.Rollup
	for h := range 7 * 24 {
		row := telemetry.Rollup{Start: day.AddDate(0, 0, -6).Add(time.Duration(h) * time.Hour)}
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: row.Start, Channels: telemetry.NoChannels()}, LogSeq: uint64(h + 1)}
		for band, v := range []float64{velocity, 0, 0, 0} {
			raw.Channels[telemetry.At(0, band)] = v
		}
		row.Add(&raw)
		rows = append(rows, row)
	}
	r.ok(r.store.WriteRollups(r.Context(), telemetry.H1, rows))
}

// scored lets the product score the fleets, until those of the tenants are. Nothing of it
// goes on behind: what it writes would be taken for the next mutation's.
func (r *rig) scored(of ...testkit.Plant) {
	r.Helper()
	runner := jobs.NewRunner(jobs.Options{Pool: r.worker, Log: slog.New(slog.DiscardHandler)})
	r.health.Work(runner)
	r.ok(runner.Start(r.Context()))
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), testkit.Patience)
		defer cancel()
		r.ok(runner.Stop(ctx))
	}()
	r.ok(health.NewSchedule(r.health, r.worker, health.ScheduleOptions{}).Look(r.Context()))
	testkit.Eventually(r, testkit.Patience, func() bool {
		n := 0
		for _, p := range of {
			n += r.count(`SELECT count(*) FROM scoring_jobs WHERE tenant_id = $1 AND status = 'succeeded'`, p.TenantID)
		}
		return n == len(of)
	})
}

func TestFailurePredictionsInTheGraph(t *testing.T) {
	r := newRig(t)
	version := r.failureVersion(r.acme, 0)
	r.health.Predictor.(*steep).versions[r.acme.TenantID] = version
	r.vibrated(r.acme.Key(0), 6)
	failures := r.watch("acme/viewer", `subscription { failurePredictions { prediction { asset { name } within30Days { horizon probability lower upper } riskLabel modelVersion topFeatures { feature contribution } } snapshot resync } }`)
	well := r.watch("acme/viewer", fmt.Sprintf(`subscription { assetHealth(scope: {assetId: "%s"}) { assetId health { score status method } snapshot } }`, r.acme.AssetID))
	other := r.watch("globex/viewer", `subscription { assetHealth { assetId } }`)
	r.vibrated(r.globex.Key(0), 6)
	r.scored(r.acme, r.globex)

	p := 1 / (1 + math.Exp(-1))
	d := failures.next("failurePredictions")
	if got := at(d, "prediction", "within30Days", "probability").(float64); math.Abs(got-p) > 1e-6 || at(d, "prediction", "asset", "name") != "Feed pump" ||
		at(d, "prediction", "riskLabel") != "High risk" || at(d, "prediction", "modelVersion") != "failure_predictor:1.0.0" ||
		at(d, "prediction", "topFeatures", 0, "feature") != "vibration_rms_7d_avg" {
		t.Errorf("told %v", d)
	}
	h := well.next("assetHealth")
	if at(h, "assetId") != r.acme.AssetID.String() || at(h, "health", "status") != "CRITICAL" || at(h, "health", "method") != health.Method {
		t.Errorf("told %v", h)
	}
	// Of the other tenant, which has no model, the first thing told is its own.
	if o := other.next("assetHealth"); at(o, "assetId") != r.globex.AssetID.String() {
		t.Errorf("globex is told %v", o)
	}
	again := r.watch("acme/viewer", `subscription { assetHealth { assetId health { score } snapshot } }`)
	if s := again.next("assetHealth"); at(s, "snapshot") != true || at(s, "health", "score") != at(h, "health", "score") {
		t.Errorf("begins with %v, told was %v", s, h)
	}

	const fields = `{ id predictedAt within7Days { horizon probability } healthScore riskLevel riskLabel modelVersionId topFeatures { label value } }`
	asset := r.data("acme/viewer", fmt.Sprintf(`{ asset(code: "pump-1") { failurePrediction %s health { score } } failurePrediction(assetId: "%s") { id } }`, fields, r.acme.AssetID), "Accept-Language", "de")
	f := at(asset, "asset", "failurePrediction")
	if at(f, "riskLabel") != "Hohes Risiko" || at(f, "riskLevel") != "HIGH" || at(f, "modelVersionId") != version.String() || at(f, "within7Days", "horizon") != "DAYS_7" ||
		at(f, "healthScore") != at(asset, "asset", "health", "score") || at(asset, "failurePrediction", "id") != at(f, "id") {
		t.Errorf("%v", asset)
	}
	if n := r.data("acme/viewer", fmt.Sprintf(`{ node(id: "%s") { id ... on FailurePrediction { riskLevel } } }`, at(f, "id"))); at(n, "node", "riskLevel") != "HIGH" {
		t.Errorf("by id: %v", n)
	}
	list := func(actor, filter string) any {
		return at(r.data(actor, fmt.Sprintf(`{ failurePredictions(filter: {%s}) { totalCount } }`, filter)), "failurePredictions", "totalCount")
	}
	for filter, want := range map[string]float64{
		``: 1, `riskLevels: [HIGH, CRITICAL], newestOnly: true`: 1, `riskLevels: [LOW]`: 0,
		fmt.Sprintf(`siteId: "%s"`, r.acme.SiteID): 1, fmt.Sprintf(`siteId: "%s"`, id.New(id.Site)): 0, fmt.Sprintf(`assetId: "%s"`, r.acme.AssetID): 1,
		`minProbability: 0.5`: 1, `minProbability: 0.5, horizon: DAYS_7`: 0, `minProbability: 0.3, horizon: DAYS_7`: 1,
		fmt.Sprintf(`to: "%s"`, daily.AsOf(daily.LastDay(time.Now())).Format(time.RFC3339)): 0,
	} {
		if got := list("acme/viewer", filter); got != want {
			t.Errorf("{%s} finds %v, want %v", filter, got, want)
		}
	}
	days := at(r.data("acme/viewer", fmt.Sprintf(`{ dailyFeatures(assetId: "%s") { nodes { day schemaHash values { name label unit value } } } }`, r.acme.AssetID)), "dailyFeatures", "nodes")
	if v := at(days, 0, "values", 0); at(v, "name") != "vibration_rms_7d_avg" || at(v, "value") != 6.0 || at(v, "unit") != "mm/s" || at(v, "label") == "vibration_rms_7d_avg" ||
		len(at(days, 0, "values").([]any)) != daily.Count || at(days, 0, "values", 14, "value") != nil || at(days, 0, "schemaHash") != daily.SchemaHash() {
		t.Errorf("%v", days)
	}
	j := at(r.data("acme/viewer", `{ jobs { nodes { status done ... on ScoringJob { day scored unscored } } } }`), "jobs", "nodes", 0)
	if at(j, "status") != "SUCCEEDED" || at(j, "scored") != 1.0 || at(j, "unscored") != 0.0 {
		t.Errorf("job %v", j)
	}

	// What people say of it is told in words.
	r.do("acme/operator", "submitFeedback", "SubmitFeedbackInput", "feedback { id }", map[string]any{"items": []any{map[string]any{"predictionId": at(f, "id"), "type": "FALSE_POSITIVE"}}})
	said := at(r.data("acme/viewer", `{ feedback { nodes { predictedCode predictedLabel code label } } }`, "Accept-Language", "de"), "feedback", "nodes", 0)
	if at(said, "predictedCode") != "failure" || at(said, "predictedLabel") != "Ausfall" || at(said, "code") != "healthy" || at(said, "label") != "gesund" {
		t.Errorf("said %v", said)
	}

	// Another tenant, and somebody of another site, see nothing of it.
	foreign := r.data("globex/admin", fmt.Sprintf(`{ failurePrediction(assetId: "%[1]s") { id } dailyFeatures(assetId: "%[1]s") { nodes { day } } node(id: "%[2]s") { id } failurePredictions { totalCount } }`, r.acme.AssetID, at(f, "id")))
	if fmt.Sprint(foreign) != "map[dailyFeatures:map[nodes:[]] failurePrediction:<nil> failurePredictions:map[totalCount:0] node:<nil>]" {
		t.Errorf("globex sees %v", foreign)
	}
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{id.New(id.Site)} }
	if got := list("acme/viewer", ``); got != 0.0 {
		t.Errorf("of another site: %v", got)
	}
	if got := r.data("acme/viewer", fmt.Sprintf(`{ failurePrediction(assetId: "%[1]s") { id } dailyFeatures(assetId: "%[1]s") { totalCount } jobs { totalCount } }`, r.acme.AssetID)); at(got, "failurePrediction") != nil || at(got, "dailyFeatures", "totalCount") != 0.0 || at(got, "jobs", "totalCount") != 0.0 {
		t.Errorf("of another site: %v", got)
	}
}

func TestPredictFailure(t *testing.T) {
	r := newRig(t)
	r.health.Predictor.(*steep).versions[r.acme.TenantID] = r.failureVersion(r.acme, 0)
	const fields = "estimate { assetId day within30Days { probability } riskLevel features { name value } explanation { feature contribution } } "
	predict := func(actor string, in map[string]any) any {
		return r.do(actor, "predictFailure", "PredictFailureInput", fields, in)
	}
	feature := func(name string, v any) map[string]any { return map[string]any{"name": name, "value": v} }

	got := predict("acme/viewer", map[string]any{"features": []any{feature("vibration_rms_7d_avg", 6), feature("asset_age_days", 100)}, "explain": true, "horizon": "DAYS_7"})
	if e := at(got, "estimate"); math.Abs(at(e, "within30Days", "probability").(float64)-1/(1+math.Exp(-1))) > 1e-6 || at(e, "riskLevel") != "HIGH" || at(e, "day") != nil || at(e, "assetId") != nil ||
		at(e, "features", 0, "value") != 6.0 || at(e, "features", 1, "value") != nil || at(e, "explanation", 0, "contribution") != 7.0 {
		t.Errorf("%v", got)
	}
	for name, c := range map[string]struct {
		in   map[string]any
		want string
	}{
		"unknown":          {map[string]any{"features": []any{feature("vibration", 6)}}, "input.features.0.name BAD_USER_INPUT There is no daily feature vibration."},
		"twice":            {map[string]any{"features": []any{feature("alert_count_7d", 1), feature("alert_count_7d", 2)}}, "input.features.1.name BAD_USER_INPUT The feature alert_count_7d is given twice."},
		"out of range":     {map[string]any{"features": []any{feature("criticality_encoded", 3.5)}}, "input.features.0.value BAD_USER_INPUT The feature criticality_encoded must lie between 0 and 3."},
		"nothing":          {map[string]any{}, "input.assetId BAD_USER_INPUT Name a machine"},
		"a stranger's":     {map[string]any{"assetId": r.globex.AssetID}, "input.assetId NOT_FOUND"},
		"nothing heard of": {map[string]any{"assetId": r.acme.AssetID}, "input.assetId BAD_USER_INPUT Nothing was heard"},
	} {
		got := predict("acme/viewer", c.in)
		told := fmt.Sprint(at(got, "userErrors", 0, "field"), " ", at(got, "userErrors", 0, "code"), " ", at(got, "userErrors", 0, "message"))
		if at(got, "estimate") != nil || !strings.HasPrefix(told, c.want) {
			t.Errorf("%s: %s", name, told)
		}
	}
	r.vibrated(r.acme.Key(0), 5)
	r.scored(r.acme)
	got = predict("acme/viewer", map[string]any{"assetId": r.acme.AssetID})
	if e := at(got, "estimate"); math.Abs(at(e, "within30Days", "probability").(float64)-0.5) > 1e-6 || at(e, "day") != daily.LastDay(time.Now()).Format("2006-01-02T15:04:05.000Z") ||
		at(e, "assetId") != r.acme.AssetID.String() || at(e, "explanation") != nil {
		t.Errorf("%v", got)
	}
	if a := r.ask("globex/viewer", `mutation { predictFailure(input: {features: []}) { estimate { riskLevel } } }`); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] == "INTERNAL" {
		t.Errorf("without a model: %s", a.raw)
	}
}
