package graph_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference"
	"foresight/inference/champion"
	"foresight/inference/explain"
	"foresight/inference/features"
	"foresight/internal/explanation"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// builtIn is the artifact that ships, and no other.
type builtIn struct{}

func (builtIn) Artifact(_ context.Context, hash string) ([]byte, error) {
	if c := champion.FaultClassifier(); c.Hash() == hash {
		return c.Bundle, nil
	}
	return nil, fs.ErrNotExist
}

var shelf = explain.NewShelf(explain.ShelfOptions{Artifacts: builtIn{}})

// judge is the built-in model.
func judge(t testing.TB) *inference.Service {
	t.Helper()
	registry, err := inference.NewRegistry(inference.RegistryConfig{}, nil, nil, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s, err := inference.NewService(inference.ServiceConfig{LoadWait: testkit.Patience}, registry, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reasons is where the rig's explanations come from, in the role of the pool.
func (r *rig) reasons(pool *pgxpool.Pool) explanation.Sources {
	return explanation.Sources{Pool: pool, Store: r.store, Explainers: shelf}
}

// judged stores a full window of a machine's sensor, what the built-in model says of it,
// and an alarm that this raised, and returns prediction and alarm.
func (r *rig) judged(p testkit.Plant, seq int) (said telemetry.FaultPrediction, alarm id.UUID) {
	r.Helper()
	m := r.machine(p, seq)
	var w telemetry.Window
	var last telemetry.Raw
	for i := range telemetry.WindowSize {
		last = reading(m.Key, time.Now().Add(time.Duration(i-600)*time.Second), 1)
		for c := range last.Channels {
			last.Channels[c] = float64(float32(1 + float64(c*i%7)))
		}
		r.write(last)
		w.Add(last.Timestamp, &last.Channels)
	}
	var x features.Vector
	features.Extract(&w, &x)
	e, err := shelf.Explainer(r.Context(), champion.FaultClassifier().Hash())
	r.ok(err)
	said = prediction(last, e.Manifest.Classes[e.Model().Best(x[:])])
	said.VersionID = champion.FaultClassifier().VersionID()
	r.ok(r.store.WritePredictions(r.Context(), []telemetry.FaultPrediction{said}))
	rule := id.New(id.AlarmRule)
	alarm = id.New(id.AlarmEvent)
	r.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, $3, 'confidence', 'gt', 0.5, 'high')`, rule, m.Tenant, fmt.Sprint("judged ", seq))
	r.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, sensor_id, rule_id, prediction_id, fault_code, severity, triggered_value, triggered_at, last_triggered_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'high', 0.9, now(), now())`, alarm, m.Tenant, m.Site, m.Asset, m.Sensor, rule, said.ID, said.Label)
	return said, alarm
}

// explained lets a worker explain all alarms.
func (r *rig) explained() {
	r.Helper()
	f := explanation.NewFollower(explanation.FollowerOptions{Sources: r.reasons(r.worker), Log: slog.New(slog.DiscardHandler)})
	for {
		n, err := f.Explain(r.Context())
		r.ok(err)
		if n == 0 {
			return
		}
	}
}

const whyFields = `code label modelVersion margin bias others features { feature label unit value contribution }`

func TestAnAlarmSaysWhy(t *testing.T) {
	r := newRig(t)
	said, alarm := r.judged(r.acme, 1)
	const one = `query($id: UUID!) { node(id: $id) { ... on AlarmEvent { explanationStatus explanation { ` + whyFields + ` } } } }`
	if got := r.data("acme/viewer", one, "id", alarm); at(got, "node", "explanationStatus") != "PENDING" || at(got, "node", "explanation") != nil {
		t.Errorf("just raised: %v", got)
	}
	r.explained()
	got := r.data("acme/viewer", one, "id", alarm)
	why := at(got, "node", "explanation")
	if at(got, "node", "explanationStatus") != "READY" || at(why, "code") != said.Label || at(why, "modelVersion") != said.VersionLabel {
		t.Fatalf("%v", got)
	}
	list, _ := at(why, "features").([]any)
	sum := at(why, "bias").(float64) + at(why, "others").(float64)
	for _, f := range list {
		sum += at(f, "contribution").(float64)
		name := at(f, "feature").(string)
		if label := at(f, "label").(string); label == name || !strings.Contains(label, ",") {
			t.Errorf("%s is called %q", name, label)
		}
		if unit, known := features.Unit(name); !known || unit != "" && at(f, "unit") != unit {
			t.Errorf("%s is in %v", name, at(f, "unit"))
		}
	}
	if d := sum - at(why, "margin").(float64); len(list) < 3 || d > 1e-9 || d < -1e-9 {
		t.Errorf("%d features, off by %v", len(list), d)
	}
	german := r.data("acme/viewer", one, "id", alarm, "Accept-Language", "de")
	if en, de := at(list[0], "label"), at(german, "node", "explanation", "features", 0, "label"); de == en || de == nil {
		t.Errorf("English %q, German %q", en, de)
	}
	if a := r.ask("globex/admin", one, "id", alarm); at(a.Data, "node") != nil {
		t.Errorf("another tenant: %s", a.raw)
	}
}

// What a list of alarms costs does not grow with its length.
func TestExplanationsOfAListAreReadTogether(t *testing.T) {
	r := newRig(t)
	for i := range 6 {
		r.judged(r.acme, i+1)
	}
	r.explained()
	const list = `query($n: Int!) { alarmEvents(first: $n) { nodes { explanationStatus explanation { margin features { label } } } } }`
	cost := func(n int) func(*rig) []string {
		return func(r *rig) []string {
			r.statements.taken()
			r.data("acme/viewer", list, "n", n)
			return r.statements.taken()
		}
	}
	cost(2)(r) // so that every statement is prepared
	few := r.least(1, cost(2))
	if many := r.least(len(few), cost(6)); len(many) > len(few) {
		t.Errorf("%d statements for 6 alarms, %d for 2:\n%s", len(many), len(few), strings.Join(many, "\n"))
	}
}

func TestExplainPrediction(t *testing.T) {
	r := newRig(t)
	said, _ := r.judged(r.acme, 1)
	const ask = `query($id: UUID!, $code: String, $top: Int! = 5) { explainPrediction(id: $id, code: $code, top: $top) { ` + whyFields + ` } }`
	got := r.data("acme/viewer", ask, "id", said.ID)
	if at(got, "explainPrediction", "code") != said.Label || len(at(got, "explainPrediction", "features").([]any)) != 5 {
		t.Errorf("%v", got)
	}
	if got := r.data("acme/viewer", ask, "id", said.ID, "code", "cavitation", "top", 2); at(got, "explainPrediction", "code") != "cavitation" || len(at(got, "explainPrediction", "features").([]any)) != 2 {
		t.Errorf("%v", got)
	}
	gone := said
	gone.VersionID, gone.ID = id.New(id.MLModelVersion), id.Derive(id.Prediction, said.Timestamp, []byte("gone"))
	r.ok(r.store.WritePredictions(t.Context(), []telemetry.FaultPrediction{gone}))
	for _, c := range []struct {
		name, actor string
		variables   []any
		code, text  string
	}{
		{"another tenant's", "globex/admin", []any{"id", said.ID}, "NOT_FOUND", "no such prediction"},
		{"none", "acme/viewer", []any{"id", id.New(id.Prediction)}, "NOT_FOUND", "no such prediction"},
		{"of a version that is gone", "acme/viewer", []any{"id", gone.ID}, "NOT_FOUND", "version that made this prediction is no longer kept"},
		{"of a fault that there is not", "acme/viewer", []any{"id", said.ID, "code", "rust"}, "BAD_USER_INPUT", "does not know this fault"},
		{"with no features", "acme/viewer", []any{"id", said.ID, "top", 0}, "BAD_USER_INPUT", "between 1 and 50"},
		{"by nobody", "", []any{"id", said.ID}, "UNAUTHENTICATED", ""},
	} {
		a := r.ask(c.actor, ask, c.variables...)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != c.code || !strings.Contains(a.Errors[0].Message, c.text) {
			t.Errorf("%s: %s", c.name, a.raw)
		}
	}
	r.sql(`DELETE FROM telemetry_raw WHERE tenant_id = $1`, r.acme.TenantID)
	if a := r.ask("acme/viewer", ask, "id", said.ID); len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, "Readings") {
		t.Errorf("without readings: %s", a.raw)
	}
}

func TestPredictFault(t *testing.T) {
	r := newRig(t)
	m := r.machine(r.acme, 1)
	const ask = `mutation($in: PredictFaultInput!) { predictFault(input: $in) { userErrors { field message code } estimates { code label probability modelVersion recommendedAction outOfDistribution top { code probability } explanation { ` + whyFields + ` } } } }`
	values := func(i int) []any {
		var out []any
		for c := range telemetry.Channel(telemetry.Channels) {
			if (int(c)+i)%5 > 0 {
				out = append(out, map[string]any{"parameter": c.String(), "value": 1 + float64(int(c)*i%7)})
			}
		}
		return out
	}
	var readings []any
	held := make([][telemetry.Channels]float64, telemetry.WindowSize)
	for i := range held {
		held[i] = telemetry.NoChannels()
		readings = append(readings, map[string]any{"values": values(i)})
		for _, v := range values(i) {
			c, _ := telemetry.ChannelByName(at(v, "parameter").(string))
			held[i][c] = at(v, "value").(float64)
		}
	}
	var x features.Vector
	features.Extract(telemetry.WindowOf(held), &x)
	given := make([]any, len(x))
	for i, v := range x {
		if v == v {
			given[i] = float64(v)
		}
	}
	got := r.data("acme/viewer", ask, "in", map[string]any{"assetId": m.Asset, "topK": 5, "explain": true,
		"windows": []any{map[string]any{"readings": readings}, map[string]any{"features": given}}})
	estimates, _ := at(got, "predictFault", "estimates").([]any)
	if len(estimates) != 2 {
		t.Fatalf("%v", got)
	}
	want, err := judge(t).PredictFeatures(t.Context(), telemetry.Key{Tenant: r.acme.TenantID}, &x, 5)
	r.ok(err)
	for i, e := range estimates {
		if at(e, "code") != want.Label || at(e, "probability") != want.Probability || len(at(e, "top").([]any)) != 5 || at(e, "modelVersion") != want.VersionLabel ||
			at(e, "explanation", "code") != want.Label || len(at(e, "explanation", "features").([]any)) != 5 {
			t.Errorf("window %d: %v", i, e)
		}
	}
	plain := r.data("acme/viewer", ask, "in", map[string]any{"windows": []any{map[string]any{"features": given}}})
	if e := at(plain, "predictFault", "estimates", 0); at(e, "explanation") != nil || len(at(e, "top").([]any)) != 3 || at(e, "probability") != want.Probability {
		t.Errorf("as little as may be given: %v", e)
	}

	one := func(w map[string]any) map[string]any { return map[string]any{"windows": []any{w}} }
	spoilt := func(value map[string]any) []any {
		out := append([]any(nil), readings...)
		out[3] = map[string]any{"values": []any{map[string]any{"parameter": "motor_DE_temperature", "value": 60}, value}}
		return out
	}
	for _, c := range []struct {
		name  string
		in    map[string]any
		field string
	}{
		{"no windows", map[string]any{"windows": []any{}}, "input.windows"},
		{"too many windows", map[string]any{"windows": make21(map[string]any{"features": given})}, "input.windows"},
		{"nothing", one(map[string]any{}), "input.windows.0"},
		{"both", one(map[string]any{"readings": readings, "features": given}), "input.windows.0"},
		{"13 readings", one(map[string]any{"readings": readings[1:]}), "input.windows.0.readings"},
		{"335 features", one(map[string]any{"features": given[1:]}), "input.windows.0.features"},
		{"a feature beyond float32", one(map[string]any{"features": append([]any{1e300}, given[1:]...)}), "input.windows.0.features.0"},
		{"no machine channel", one(map[string]any{"readings": spoilt(map[string]any{"parameter": "flow", "value": 1})}), "input.windows.0.readings.3.values.1.parameter"},
		{"a channel twice", one(map[string]any{"readings": spoilt(map[string]any{"parameter": "motor_DE_temperature", "value": 1})}), "input.windows.0.readings.3.values.1.parameter"},
		{"topK 0", map[string]any{"topK": 0, "windows": []any{map[string]any{"features": given}}}, "input.topK"},
		{"no such machine", map[string]any{"assetId": id.New(id.Asset), "windows": []any{map[string]any{"features": given}}}, "input.assetId"},
	} {
		got := r.data("acme/viewer", ask, "in", c.in)
		if at(got, "predictFault", "estimates") != nil || at(got, "predictFault", "userErrors", 0, "field") != c.field {
			t.Errorf("%s: %v, want %s", c.name, got, c.field)
		}
	}
	if got := r.data("globex/admin", ask, "in", map[string]any{"assetId": m.Asset, "windows": []any{map[string]any{"features": given}}}); at(got, "predictFault", "userErrors", 0, "code") != "NOT_FOUND" {
		t.Errorf("another tenant's machine: %v", got)
	}
}

func make21(w any) (out []any) {
	for range 21 {
		out = append(out, w)
	}
	return out
}
