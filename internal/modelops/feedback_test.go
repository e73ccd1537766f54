package modelops_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/modelops"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// listener takes what people say of predictions that are really stored.
type listener struct {
	*world
	*modelops.Feedback
	store   *pgstore.Store
	version id.UUID // acme's, of a fault classifier that knows all built-in faults but dry_running
	seq     uint64
}

func newListener(t *testing.T) *listener {
	t.Helper()
	w := newWorld(t)
	l := &listener{world: w, store: pgstore.New(w.worker, w.app)}
	db := postgres.OpenDB(w.app)
	t.Cleanup(func() { _ = db.Close() })
	l.Feedback = modelops.NewFeedback(db, w.client, w.app, l.store)
	l.version = l.enter(w.acme, "fault_classification", inference.FeatureSchema(artifact.FaultClassifier), `["normal", "cavitation", "bent_shaft"]`)
	return l
}

// enter registers a version of a tenant's model.
func (l *listener) enter(p testkit.Plant, kind, schema, classes string) id.UUID {
	l.Helper()
	m, v := id.New(id.MLModel), id.New(id.MLModelVersion)
	l.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, $3, $4, $5)`, m, p.TenantID, kind, kind, schema)
	l.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, feature_schema_hash, dataset_hash, classes, decision_threshold)
		VALUES ($1, $2, $3, '1.0.0', $4, 'x', $5, '', $6, 0.3)`, v, p.TenantID, m, kind+":1.0.0", schema, classes)
	return v
}

// said stores a window of a sensor and what the version said of it.
func (l *listener) said(p testkit.Plant, label string) telemetry.FaultPrediction {
	l.Helper()
	var last telemetry.Raw
	begin := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour + time.Duration(l.seq)*time.Second)
	for i := range telemetry.WindowSize {
		l.seq++
		last = telemetry.Raw{Reading: telemetry.Reading{Key: p.Key(0), Timestamp: begin.Add(time.Duration(i) * time.Second), Channels: telemetry.NoChannels()},
			LogSeq: l.seq, ReceivedAt: begin, Topic: "t", Payload: []byte("{}")}
		last.IngestID = telemetry.IngestID(id.Derive(id.Prediction, last.Timestamp, p.TenantID[:], fmt.Append(nil, l.seq)))
		last.Channels[0] = float64(i) // the others are missing
		_, err := l.store.WriteReadings(l.Context(), []telemetry.Raw{last})
		l.ok(err)
	}
	out := telemetry.FaultPrediction{Key: last.Key, Timestamp: last.Timestamp, IngestID: last.IngestID, ID: id.Derive(id.Prediction, last.Timestamp, last.IngestID[:]),
		Label: label, Probability: 0.75, VersionID: l.version, VersionLabel: "fault_classification:1.0.0", Role: telemetry.Production}
	l.ok(l.store.WritePredictions(l.Context(), []telemetry.FaultPrediction{out}))
	return out
}

func (l *listener) operator() context.Context { return l.acme.As(l.Context(), tenancy.Operator) }
func (l *listener) engineer() context.Context { return l.acme.As(l.Context(), tenancy.Engineer) }

// give says one thing.
func (l *listener) give(ctx context.Context, s modelops.Said) *ent.Feedback {
	l.Helper()
	out, err := l.Give(ctx, []modelops.Said{s})
	l.ok(err)
	return out[0]
}

func TestFeedbackKeepsWhatThePredictionWasMadeFrom(t *testing.T) {
	l := newListener(t)
	p := l.said(l.acme, "cavitation")
	f := l.give(l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrection, Code: "bent_shaft", Remark: " seen with a stroboscope "})
	if f.ModelVersionID != l.version || f.PredictedLabel != "cavitation" || f.Probability != 0.75 || f.NewLabel != "bent_shaft" || *f.SiteID != p.Site || *f.AssetID != p.Asset ||
		*f.SensorID != p.Sensor || *f.By != l.acme.Users[tenancy.Operator] || *f.Correction != "seen with a stroboscope" || *f.PredictionID != p.ID || *f.Role != enum.BindingProduction {
		t.Errorf("%+v", f)
	}
	stored, err := l.ByID(l.operator(), []id.UUID{f.ID})
	l.ok(err)
	x := stored[f.ID].Features
	if len(x) != features.Count || x[0] != 6.5 || !math.IsNaN(float64(x[14])) {
		t.Errorf("%d features: %v", len(x), x)
	}
	// A shadow's prediction can be spoken of, too, and is known for one.
	shadow := p
	shadow.ID, shadow.Role = id.Derive(id.Prediction, p.Timestamp, []byte("shadow")), telemetry.Shadow
	l.ok(l.store.WritePredictions(t.Context(), []telemetry.FaultPrediction{shadow}))
	if f := l.give(l.operator(), modelops.Said{Prediction: shadow.ID, Type: enum.FeedbackCorrect}); *f.Role != enum.BindingShadow {
		t.Errorf("%+v", f)
	}
	// The readings are gone: what is said counts all the same.
	p = l.said(l.acme, "cavitation")
	l.sql(`DELETE FROM telemetry_raw WHERE tenant_id = $1`, l.acme.TenantID)
	if f := l.give(l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect}); f.Features != nil || f.NewLabel != "cavitation" {
		t.Errorf("%+v", f)
	}
}

func TestEachPersonHasOneSay(t *testing.T) {
	l := newListener(t)
	p := l.said(l.acme, "cavitation")
	first := l.give(l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect})
	second := l.give(l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackFalsePositive})
	if second.ID == first.ID || second.NewLabel != telemetry.Normal {
		t.Errorf("%+v", second)
	}
	l.give(l.engineer(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect})
	// Machines have one together.
	machine := tenancy.With(l.Context(), &tenancy.Actor{Kind: tenancy.APIKey, ID: id.New(id.APIKey), TenantID: l.acme.TenantID, Scopes: tenancy.NewSet(tenancy.PredictionsWrite)})
	l.give(machine, modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect})
	l.give(machine, modelops.Said{Prediction: p.ID, Type: enum.FeedbackFalsePositive})
	// At once.
	var group sync.WaitGroup
	failed := make([]error, 6)
	for i := range failed {
		group.Go(func() {
			_, failed[i] = l.Give(l.operator(), []modelops.Said{{Prediction: p.ID, Type: enum.FeedbackCorrect}})
		})
	}
	group.Wait()
	for _, err := range failed {
		l.ok(err)
	}
	all, err := l.List(l.operator(), modelops.FeedbackFilter{}, page.Args{Total: true})
	l.ok(err)
	if all.Total != 3 {
		t.Errorf("%d are stored, want one each of two people and of machines", all.Total)
	}
}

func TestWhatFeedbackIsRefused(t *testing.T) {
	l := newListener(t)
	p, normal, foreign := l.said(l.acme, "cavitation"), l.said(l.acme, telemetry.Normal), l.said(l.globex, "cavitation")
	alien := l.said(l.acme, "cavitation")
	alien.VersionID, alien.ID = id.New(id.MLModelVersion), id.Derive(id.Prediction, alien.Timestamp, []byte("alien"))
	l.ok(l.store.WritePredictions(t.Context(), []telemetry.FaultPrediction{alien}))
	const at = "input.items.0."
	for _, c := range []struct {
		name       string
		ctx        context.Context
		said       modelops.Said
		kind       fault.Kind
		key, field string
	}{
		{"by a viewer", l.acme.As(t.Context(), tenancy.Viewer), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect}, fault.Forbidden, "error.forbidden", ""},
		{"of nothing", l.operator(), modelops.Said{Prediction: id.New(id.Prediction), Type: enum.FeedbackCorrect}, fault.NotFound, "error.notFound", at + "predictionId"},
		{"of another tenant's", l.operator(), modelops.Said{Prediction: foreign.ID, Type: enum.FeedbackCorrect}, fault.NotFound, "error.notFound", at + "predictionId"},
		{"of a version that is gone", l.operator(), modelops.Said{Prediction: alien.ID, Type: enum.FeedbackCorrect}, fault.Conflict, "error.feedback.versionGone", at + "predictionId"},
		{"a false alarm that was none", l.operator(), modelops.Said{Prediction: normal.ID, Type: enum.FeedbackFalsePositive}, fault.BadInput, "error.feedback.noAlarm", at + "type"},
		{"right, but another", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect, Code: "bent_shaft"}, fault.BadInput, "error.feedback.implied", at + "code"},
		{"wrong, and no more", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrection}, fault.BadInput, "error.feedback.noCode", at + "code"},
		{"corrected to the same", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrection, Code: "cavitation"}, fault.BadInput, "error.feedback.same", at + "code"},
		{"corrected to nothing known", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrection, Code: "rust"}, fault.BadInput, "error.feedback.unknown", at + "code"},
		{"new, but taught", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackNewFault, Code: "bent_shaft"}, fault.BadInput, "error.feedback.taught", at + "code"},
		{"new, and nobody says what", l.engineer(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackNewFault, Code: "rust"}, fault.BadInput, "error.feedback.unknown", at + "code"},
		{"new, by one who may not name it", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackNewFault, Code: "rust", New: rust()}, fault.BadInput, "error.feedback.mayNotName", at + "faultType"},
		{"new, with an ill name", l.engineer(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackNewFault, Code: "Rust!", New: rust()}, fault.BadInput, "error.code", at + "faultType.code"},
		{"too long", l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect, Remark: strings.Repeat("x", 2001)}, fault.BadInput, "error.tooLong", at + "remark"},
	} {
		_, err := l.Give(c.ctx, []modelops.Said{c.said})
		onlyFault(t, c.name, err, c.kind, c.key, c.field)
	}
	_, err := l.Give(l.operator(), []modelops.Said{{Prediction: p.ID, Type: enum.FeedbackCorrect}, {Prediction: p.ID, Type: enum.FeedbackFalsePositive}})
	onlyFault(t, "twice", err, fault.BadInput, "error.feedback.twice", "input.items.1.predictionId")
	_, err = l.Give(l.operator(), nil)
	onlyFault(t, "nothing", err, fault.BadInput, "error.range", "input.items")
	if all, err := l.List(l.operator(), modelops.FeedbackFilter{}, page.Args{Total: true}); err != nil || all.Total != 0 {
		t.Errorf("%d are stored, %v", all.Total, err)
	}
}

func rust() *modelops.NewFaultType {
	return &modelops.NewFaultType{Family: enum.FamilyOther, Labels: map[string]string{"en": "Rust"}}
}

func TestFeedbackNamesNewFaults(t *testing.T) {
	l := newListener(t)
	a, b, c := l.said(l.acme, "cavitation"), l.said(l.acme, "cavitation"), l.said(l.acme, "cavitation")
	out, err := l.Give(l.engineer(), []modelops.Said{
		{Prediction: a.ID, Type: enum.FeedbackNewFault, Code: "rust", New: rust()},
		{Prediction: b.ID, Type: enum.FeedbackNewFault, Code: "rust", New: rust()},
		{Prediction: c.ID, Type: enum.FeedbackNewFault, Code: "dry_running"}, // built in, and this version was not taught it
	})
	l.ok(err)
	if out[0].NewLabel != "rust" || out[1].NewLabel != "rust" || out[2].NewLabel != "dry_running" {
		t.Errorf("%+v", out)
	}
	// From now on an operator may name it.
	l.give(l.operator(), modelops.Said{Prediction: a.ID, Type: enum.FeedbackNewFault, Code: "rust"})
	types, err := l.FaultTypes(l.operator(), page.Args{First: ptr(100)})
	l.ok(err)
	own := 0
	for _, f := range types.Items {
		if f.TenantID != nil {
			own++
		}
	}
	if own != 1 {
		t.Errorf("%d fault types of acme's own", own)
	}
}

func TestFeedbackOnFailurePredictions(t *testing.T) {
	l := newListener(t)
	v := l.enter(l.acme, "failure_prediction", daily.SchemaHash(), `["healthy", "failure"]`)
	day := daily.LastDay(time.Now())
	predict := func(p float64, at time.Time) id.UUID {
		u := id.New(id.FailurePrediction)
		l.sql(`INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, failure_prob_30d, confidence_lower_7d, confidence_upper_7d,
			confidence_lower_30d, confidence_upper_30d, health_score, risk_level) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, 1, 0, 1, 50, 'low')`, u, l.acme.TenantID, l.acme.AssetID, v, at, p)
		return u
	}
	l.sql(`INSERT INTO asset_features (id, tenant_id, asset_id, day, features, feature_schema_hash) VALUES ($1, $2, $3, $4, '{"vibration_rms_7d_avg": 6.5}', $5)`,
		id.New(id.AssetFeatures), l.acme.TenantID, l.acme.AssetID, day, daily.SchemaHash())
	alarming, calm := predict(0.4, daily.AsOf(day)), predict(0.2, daily.AsOf(day.AddDate(0, 0, -1)))
	place, _ := daily.Place("vibration_rms_7d_avg")
	f := l.give(l.operator(), modelops.Said{Prediction: alarming, Type: enum.FeedbackFalsePositive})
	if f.PredictedLabel != "failure" || f.NewLabel != "healthy" || f.Probability != 0.4 || len(f.Features) != daily.Count || f.Features[place] != 6.5 || f.Role != nil || f.SensorID != nil || *f.SiteID != l.acme.SiteID {
		t.Errorf("%+v", f)
	}
	f = l.give(l.operator(), modelops.Said{Prediction: calm, Type: enum.FeedbackCorrection, Code: "failure"})
	if f.PredictedLabel != "healthy" || f.NewLabel != "failure" || f.Probability != 0.8 || f.Features != nil {
		t.Errorf("%+v", f)
	}
	_, err := l.Give(l.operator(), []modelops.Said{{Prediction: calm, Type: enum.FeedbackCorrection, Code: "cavitation"}})
	onlyFault(t, "a fault", err, fault.BadInput, "error.feedback.yesNo", "input.items.0.code")
	_, err = l.Give(l.engineer(), []modelops.Said{{Prediction: calm, Type: enum.FeedbackNewFault, Code: "rust", New: rust()}})
	onlyFault(t, "a new fault", err, fault.BadInput, "error.feedback.yesNo", "input.items.0.code")
	_, err = l.Give(l.globex.As(t.Context(), tenancy.Admin), []modelops.Said{{Prediction: calm, Type: enum.FeedbackCorrect}})
	onlyFault(t, "another tenant's", err, fault.NotFound, "error.notFound", "input.items.0.predictionId")
}

func TestFeedbackStaysOnTheSitesOfTheActor(t *testing.T) {
	l := newListener(t)
	p := l.said(l.acme, "cavitation")
	l.give(l.operator(), modelops.Said{Prediction: p.ID, Type: enum.FeedbackCorrect})
	elsewhere := *tenancy.Must(l.operator())
	elsewhere.SiteIDs = []id.UUID{id.New(id.Site)}
	ctx := tenancy.With(l.Context(), &elsewhere)
	_, err := l.Give(ctx, []modelops.Said{{Prediction: p.ID, Type: enum.FeedbackCorrect}})
	onlyFault(t, "of another site", err, fault.NotFound, "error.notFound", "input.items.0.predictionId")
	if all, err := l.List(ctx, modelops.FeedbackFilter{}, page.Args{Total: true}); err != nil || all.Total != 0 {
		t.Errorf("of another site: %d, %v", all.Total, err)
	}
	if s, err := l.Stats(ctx, modelops.FeedbackFilter{}, modelops.ByNothing); err != nil || len(s) != 0 {
		t.Errorf("of another site: %+v, %v", s, err)
	}
	here := elsewhere
	here.SiteIDs = []id.UUID{l.acme.SiteID}
	l.give(tenancy.With(l.Context(), &here), modelops.Said{Prediction: p.ID, Type: enum.FeedbackFalsePositive})
	for who, ctx := range map[string]context.Context{"another tenant": l.globex.As(l.Context(), tenancy.Admin)} {
		all, err := l.List(ctx, modelops.FeedbackFilter{}, page.Args{Total: true})
		s, serr := l.Stats(ctx, modelops.FeedbackFilter{}, modelops.ByNothing)
		if err != nil || serr != nil || all.Total != 0 || len(s) != 0 {
			t.Errorf("%s sees %d and %+v, %v, %v", who, all.Total, s, err, serr)
		}
	}
}

func TestFeedbackIsCounted(t *testing.T) {
	l := newListener(t)
	a, b, c, normal := l.said(l.acme, "cavitation"), l.said(l.acme, "cavitation"), l.said(l.acme, "bent_shaft"), l.said(l.acme, telemetry.Normal)
	l.give(l.operator(), modelops.Said{Prediction: a.ID, Type: enum.FeedbackCorrect})
	l.give(l.operator(), modelops.Said{Prediction: b.ID, Type: enum.FeedbackCorrect})
	l.give(l.engineer(), modelops.Said{Prediction: b.ID, Type: enum.FeedbackFalsePositive}) // later, and so what counts
	l.give(l.operator(), modelops.Said{Prediction: c.ID, Type: enum.FeedbackCorrection, Code: "cavitation"})
	l.give(l.operator(), modelops.Said{Prediction: normal.ID, Type: enum.FeedbackCorrect})
	viewer := l.acme.As(t.Context(), tenancy.Viewer)
	stats := func(f modelops.FeedbackFilter, by modelops.FeedbackGroup) []*modelops.FeedbackStats {
		t.Helper()
		out, err := l.Stats(viewer, f, by)
		l.ok(err)
		return out
	}
	all := stats(modelops.FeedbackFilter{}, modelops.ByNothing)
	if len(all) != 1 || all[0].Total() != 5 || all[0].Correct != 3 || all[0].FalsePositives != 1 || all[0].Corrections != 1 || all[0].NewFaults != 0 ||
		all[0].Alarming != 3 || all[0].Right != 1 || math.Abs(*all[0].Precision()-1.0/3) > 1e-12 {
		t.Errorf("all: %+v", all[0])
	}
	// A word that was contradicted does not count because the later one is filtered out.
	if right := stats(modelops.FeedbackFilter{Types: []enum.FeedbackType{enum.FeedbackCorrect}}, modelops.ByNothing); right[0].Correct != 3 || right[0].Alarming != 1 || right[0].Right != 1 {
		t.Errorf("only right ones: %+v", right[0])
	}
	byCode := stats(modelops.FeedbackFilter{}, modelops.ByPredictedCode)
	if len(byCode) != 3 || *byCode[0].Code != "cavitation" || byCode[0].Total() != 3 || byCode[0].Alarming != 2 || byCode[0].Right != 1 || *byCode[2].Code != telemetry.Normal || byCode[2].Precision() != nil {
		t.Errorf("by code: %+v", byCode)
	}
	if v := stats(modelops.FeedbackFilter{}, modelops.ByModelVersion); len(v) != 1 || *v[0].Of != l.version || v[0].Total() != 5 || v[0].By != modelops.ByModelVersion {
		t.Errorf("by version: %+v", v)
	}
	if d := stats(modelops.FeedbackFilter{Asset: l.acme.AssetID}, modelops.ByDay); len(d) < 1 || d[0].From == nil || d[0].From.UTC().Hour() != 0 {
		t.Errorf("by day: %+v", d)
	}
	for name, f := range map[string]modelops.FeedbackFilter{"another version": {Version: id.New(id.MLModelVersion)}, "another model": {Model: id.New(id.MLModel)}, "another machine": {Asset: id.New(id.Asset)},
		"another site": {Site: id.New(id.Site)}, "tomorrow": {From: time.Now().Add(time.Hour)}, "yesterday": {To: time.Now().Add(-time.Hour)}, "codes": {Codes: []string{"rust"}}, "predicted": {PredictedCodes: []string{"rust"}}} {
		rows, err := l.List(viewer, f, page.Args{})
		if s := stats(f, modelops.ByNothing); len(s) != 0 || err != nil || len(rows.Items) != 0 {
			t.Errorf("%s: %+v, %d rows, %v", name, s, len(rows.Items), err)
		}
	}
	rows, err := l.List(viewer, modelops.FeedbackFilter{Codes: []string{telemetry.Normal}, PredictedCodes: []string{"cavitation"}, Version: l.version}, page.Args{})
	if err != nil || len(rows.Items) != 1 || *rows.Items[0].PredictionID != b.ID {
		t.Errorf("listed %+v, %v", rows.Items, err)
	}
}

func TestWhatVersionsSaid(t *testing.T) {
	l := newListener(t)
	l.said(l.acme, "cavitation")
	l.said(l.acme, "cavitation")
	l.said(l.acme, telemetry.Normal)
	l.said(l.globex, "cavitation") // of another tenant, with the same version id
	lives := modelops.NewLives(l.client, l.app, l.store)
	viewer := l.acme.As(t.Context(), tenancy.Viewer)
	got, err := lives.Stats(viewer, l.version, time.Time{}, time.Time{})
	l.ok(err)
	total := int64(0)
	for _, c := range got {
		total += c.Count
		if c.Role != telemetry.Production || c.Probability != 0.75 {
			t.Errorf("%+v", c)
		}
	}
	if total != 3 || got[0].Label != "cavitation" {
		t.Errorf("%+v", got)
	}
	v := l.enter(l.acme, "failure_prediction", daily.SchemaHash(), `["healthy", "failure"]`)
	for i, p := range []float64{0.4, 0.6, 0.1} {
		l.sql(`INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, failure_prob_30d, confidence_lower_7d, confidence_upper_7d,
			confidence_lower_30d, confidence_upper_30d, health_score, risk_level) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, 1, 0, 1, 50, 'low')`,
			id.New(id.FailurePrediction), l.acme.TenantID, l.acme.AssetID, v, time.Now().UTC().Truncate(24*time.Hour).Add(-time.Duration(i+1)*time.Second), p)
	}
	got, err = lives.Stats(viewer, v, time.Time{}, time.Time{})
	l.ok(err)
	if len(got) != 2 || got[0].Label != "failure" || got[0].Count != 2 || math.Abs(got[0].Probability-0.5) > 1e-12 || got[1].Label != "healthy" || math.Abs(got[1].Probability-0.9) > 1e-12 {
		t.Errorf("%+v", got)
	}
	_, err = lives.Stats(l.globex.As(t.Context(), tenancy.Admin), l.version, time.Time{}, time.Time{})
	onlyFault(t, "another tenant's", err, fault.NotFound, "error.notFound", "modelVersionId")
	_, err = lives.Stats(viewer, l.version, time.Now().AddDate(-1, 0, 0), time.Time{})
	onlyFault(t, "a year", err, fault.BadInput, "error.version.range", "from")
}
