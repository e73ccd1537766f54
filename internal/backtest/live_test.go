package backtest_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/ingestion/landing"
	"foresight/ingestion/pipeline"
	"foresight/internal/alarms"
	"foresight/internal/backtest"
	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/bus"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
)

// nobody hears of events.
type nobody struct{}

func (nobody) Publish(context.Context, ...event.Event) error { return nil }

// live lets the whole pipeline process the readings, in their order, and the landing
// zone keep them.
func (w *world) live(zone *blob.Store, raws []telemetry.Raw) {
	w.Helper()
	quiet := slog.New(slog.DiscardHandler)
	log, err := bus.OpenLog(w.Context(), w.bus, bus.LogOptions{Partitions: 2})
	w.ok(err)
	source := alarms.NewRuleSource(alarms.SourceOptions{Pool: w.worker, Log: quiet})
	w.ok(source.Start(w.Context()))
	defer w.stop(source.Stop)
	parts := pipeline.Parts{Pool: w.worker, Log: log, Store: w.store, Model: w.models, Dead: pipeline.NewLetters(w.worker), Events: nobody{}, Logger: quiet,
		Alarms: alarms.NewRecorder(source, alarms.NewMetrics(prometheus.NewRegistry()))}
	if zone != nil {
		l := landing.New(landing.Options{Log: log, Files: zone, FileAge: 50 * time.Millisecond, Metrics: prometheus.NewRegistry(), Logger: quiet})
		parts.Beside = []pipeline.Beside{{Name: "landing", Follow: func(ctx context.Context, h *pipeline.Held) error { return l.Follow(ctx, h) }}}
	}
	worker := pipeline.New(parts, pipeline.Options{Name: "w", SilenceGrace: time.Hour, ModelTimeout: time.Minute}) // every full window is predicted, on a busy machine too
	w.ok(worker.Start(w.Context()))
	defer w.stop(worker.Stop)
	last := map[int]uint64{}
	for i := range raws {
		k := raws[i].Key
		p := bus.Partition(k.Tenant, k.Sensor, log.Partitions())
		last[p], err = log.Append(w.Context(), p, k.Tenant, k.Sensor, telemetry.AppendEnvelope(nil, &raws[i]))
		w.ok(err)
	}
	for p, seq := range last {
		w.until(fmt.Sprintf("partition %d is processed", p), func() bool {
			return w.ask(`SELECT count(*) FROM partitions WHERE number = $1 AND sequence >= $2`, p, int64(seq)) == 1 &&
				(zone == nil || w.ask(`SELECT count(*) FROM log_checkpoints WHERE reader = 'landing' AND number = $1 AND sequence >= $2`, p, int64(seq)) == 1)
		})
	}
}

func (w *world) until(what string, is func() bool) {
	w.Helper()
	deadline := time.After(time.Minute)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-deadline:
			w.Fatalf("%s: not within a minute", what)
		}
	}
}

// machine is what both of acme's sensors send of a machine on which a fault sets in
// after half of the n minutes. Every tenth reading comes behind the next one.
func (w *world) machine(n int) (out []telemetry.Raw) {
	w.Helper()
	for s := range 2 {
		m := simulate.NewMachine(uint64(7+s), simulate.Profile{Steady: true, Complete: true})
		from := len(out)
		for i := range n {
			if i == n/2 && s == 0 {
				w.ok(m.SetFault("cavitation", 0.9))
			}
			raw := w.reading(w.acme.Key(s), float64(i), 0)
			sample := m.Next(raw.Timestamp)
			raw.Channels, raw.Values = sample.Channels, sample.Values()
			out = append(out, raw)
			if late := len(out) - 2; i%10 == 5 && late >= from {
				out[late], out[late+1] = out[late+1], out[late]
			}
		}
	}
	return out
}

// packed is the champion under another name, whose first two classes are exchanged: it
// says another fault of nearly every window.
func packed(t testing.TB) []byte {
	t.Helper()
	b, err := artifact.Open(champion.FaultClassifier().Bundle)
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	m.Version, m.Classes = "9.9.9", slices.Clone(m.Classes)
	normal := slices.Index(m.Classes, telemetry.Normal)
	other := (normal + 1) % len(m.Classes)
	m.Classes[normal], m.Classes[other] = m.Classes[other], m.Classes[normal]
	raw, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := json.Marshal(b.Golden)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range []struct {
		name    string
		content []byte
	}{{artifact.ManifestFile, manifest}, {artifact.GoldenFile, golden}, {artifact.BinaryFile, b.Binary}, {artifact.JSONFile, raw}} {
		to, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err == nil {
			_, err = to.Write(f.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// version registers a version of acme's fault classifier.
func (w *world) version(bundle []byte) id.UUID {
	w.Helper()
	hash := artifact.HashOf(bundle)
	w.artifacts.Lock()
	w.artifacts.by[hash] = bundle
	w.artifacts.Unlock()
	m, v := id.New(id.MLModel), id.New(id.MLModelVersion)
	w.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, 'candidate', 'fault_classification', '{}')`, m, w.acme.TenantID)
	w.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, dataset_hash, feature_schema_hash)
		VALUES ($1, $2, $3, '9.9.9', 'candidate:9.9.9', $4, 'x', 'x')`, v, w.acme.TenantID, m, hash)
	return v
}

// What a backtest says is what the pipeline made of the same readings by the same
// rules and model, from the store and from the landing zone; late readings included.
func TestEqualsTheLivePipeline(t *testing.T) {
	w := newIdleWorld(t, nil)
	raws := w.machine(240)
	var sum float64
	for i := range 120 {
		v, _ := raws[i].Parameter(telemetry.VibrationRMS)
		sum += v / 120
	}
	shaky := hot(sum)
	shaky.Parameter, shaky.MinConsecutive, shaky.Deadband = telemetry.VibrationRMS, 2, sum/100
	for _, s := range append(alarms.DefaultRules(), shaky) {
		_, err := w.rules.Create(w.engineer(), s)
		w.ok(err)
	}
	w.live(nil, raws)
	w.work()
	before := w.sums()
	if before[0] < 2 || before[1] < 15 || before[4] < 200 {
		t.Fatalf("too little happened: %v", before)
	}
	q := w.whole()
	q.Active = true
	b := w.succeeded(w.engineer(), q)
	if after := w.sums(); after != before {
		t.Errorf("live rows before %v, after %v", before, after)
	}
	w.sameAsLive(b)
	o := b.Outcome
	if n := uint64(before[4]); o.Predictions != n || o.Stored != n || o.Agreed != n {
		t.Errorf("of %d predictions: %+v", n, o)
	}
	if n := uint64(w.ask(`SELECT count(*) FROM telemetry_raw WHERE NOT late`)); o.Readings != n || n == uint64(len(raws)) {
		t.Errorf("%d readings, %d in time", o.Readings, n)
	}
	for i := range b.Rules {
		if x := real(b, i); x.Caught != x.Raised || x.Additional != 0 || x.Raised != b.Rule(i).Raised {
			t.Errorf("rule %d: %+v of %+v", i, x, b.Rule(i))
		}
	}
}

// sameAsLive holds the alarms of a backtest against the stored ones: all that was
// opened, of each rule and sensor.
func (w *world) sameAsLive(b *backtest.Backtest) {
	w.Helper()
	type sensor struct{ rule, sensor id.UUID }
	type alarm struct {
		First, Last       time.Time
		Value             float64
		Samples, Openings int
		Cleared           bool
		Code              string
	}
	told := map[sensor]*alarm{}
	for _, a := range w.alarms(w.engineer(), b) {
		k := sensor{b.Rules[a.RuleNumber].Rule.ID, a.SensorID}
		x := told[k]
		if x == nil {
			x = &alarm{First: a.TriggeredAt.UTC(), Value: a.TriggeredValue}
			if a.FaultCode != nil {
				x.Code = *a.FaultCode
			}
			told[k] = x
		}
		if a.AlarmEventID == nil {
			w.Errorf("no real alarm stands beside %+v", a)
		}
		x.Last, x.Cleared = a.LastTriggeredAt.UTC(), a.ClearedAt != nil
		x.Samples, x.Openings = x.Samples+a.Occurrences, x.Openings+1
	}
	rows, err := w.owner.Query(w.Context(), `SELECT rule_id, sensor_id, triggered_at, last_triggered_at, triggered_value, occurrences, cleared_at IS NOT NULL, coalesce(fault_code, ''),
		(SELECT count(*) FROM alarm_transitions t WHERE t.event_id = e.id AND t.to_status = 'open') FROM alarm_events e`)
	w.ok(err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var k sensor
		var x alarm
		w.ok(rows.Scan(&k.rule, &k.sensor, &x.First, &x.Last, &x.Value, &x.Samples, &x.Cleared, &x.Code, &x.Openings))
		x.First, x.Last = x.First.UTC(), x.Last.UTC()
		if got := told[k]; got == nil || *got != x {
			w.Errorf("of rule %s, sensor %s the backtest has %+v, live %+v", k.rule, k.sensor, got, x)
		}
	}
	if w.ok(rows.Err()); n != len(told) {
		w.Errorf("the backtest has %d, live %d", len(told), n)
	}
}

// A version that serves nobody judges windows whose readings are long stored, beside
// what was said of them then and what people said since.
func TestAnotherModelVersion(t *testing.T) {
	w := newIdleWorld(t, nil)
	w.live(nil, w.machine(60))
	v := w.version(packed(t))
	var which id.UUID
	var label string
	w.ok(w.owner.QueryRow(t.Context(), `SELECT id, prediction_label FROM predictions WHERE prediction_label = 'normal' LIMIT 1`).Scan(&which, &label))
	w.sql(`INSERT INTO feedback (id, tenant_id, model_version_id, prediction_id, predicted_label, probability, new_label, feedback_type) VALUES ($1, $2, $3, $4, $5, 0.9, $5, 'correct')`,
		id.New(id.Feedback), w.acme.TenantID, v, which, label)
	w.work()
	before := w.sums()
	q := w.whole()
	q.Version = &v
	b := w.succeeded(w.engineer(), q)
	o, n := b.Outcome, uint64(before[4])
	if n == 0 || o.Predictions != n || o.Stored != n || o.Agreed >= n/2 || o.Feedback != 1 || o.Right != 0 || o.StoredRight != 1 {
		t.Errorf("of %d predictions: %+v", n, o)
	}
	if after := w.sums(); after != before {
		t.Errorf("live rows before %v, after %v", before, after)
	}
	yes := true
	first := 100
	p, err := w.Predictions(w.engineer(), b.ID, backtest.PredictionFilter{Changed: &yes}, page.Args{First: &first})
	w.ok(err)
	var windows uint64
	for _, x := range p.Items {
		windows += x.Windows
		if x.StoredCode == nil || *x.StoredCode == x.FaultCode || x.Probability <= 0 || x.StoredProbability == nil || !x.BeginsAt.Equal(x.BeginsAt.Truncate(time.Hour)) {
			t.Errorf("%+v", x)
		}
	}
	if windows != o.Stored-o.Agreed {
		t.Errorf("%d windows changed, %d disagree", windows, o.Stored-o.Agreed)
	}
}

// zone reads a landing zone as the product does.
type zone struct{ *landing.Reader }

// Parts implements bulk.History.
func (z zone) Parts(ctx context.Context, s bulk.Stretch) (out []bulk.HistoryPart, err error) {
	q := landing.Query{Tenant: s.Tenant, From: s.From, To: s.To, Sensors: s.Sensors, Sites: s.Sites}
	parts, err := z.Partitions(ctx, q)
	for _, p := range parts {
		out = append(out, bulk.HistoryPart{Name: fmt.Sprintf("%d/%d", p.Number, p.Of), Rows: p.Rows, Read: func(ctx context.Context, from time.Time) iter.Seq2[*telemetry.Raw, error] {
			q := q
			q.From = from
			return z.ReadPartition(ctx, q, p)
		}})
	}
	return out, err
}

// Beyond the retention the landing zone has what the store has no more.
func TestTheLandingZoneKeepsMore(t *testing.T) {
	dir, err := blob.DirURL(filepath.Join(t.TempDir(), "zone"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := blob.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	retention := kept
	w := newIdleWorld(t, func(o *backtest.Options) {
		o.History = zone{landing.NewReader(files, t.TempDir())}
		o.Retention = func(id.UUID) (time.Duration, bool) { return retention, true }
	})
	raws := w.machine(120)
	slices.SortStableFunc(raws, func(a, b telemetry.Raw) int { return a.Timestamp.Compare(b.Timestamp) }) // none is late
	rule := hot(1)
	rule.Parameter = telemetry.VibrationRMS
	_, err = w.rules.Create(w.engineer(), rule)
	w.ok(err)
	w.live(files, raws)
	w.work()
	q := w.whole()
	q.Active, q.Predict = true, true
	stored := w.succeeded(w.engineer(), q)
	w.sql(`DELETE FROM telemetry_raw`)
	retention = time.Hour
	landed := w.succeeded(w.engineer(), q)
	if stored.Source != "store" || landed.Source != "landing" || landed.Outcome.Readings != 240 {
		t.Fatalf("%s, %s, %+v", stored.Source, landed.Source, landed.Outcome)
	}
	a, b := w.told(w.alarms(w.engineer(), stored)), w.told(w.alarms(w.engineer(), landed))
	if slices.Sort(a); len(a) == 0 || !slices.Equal(a, sorted(b)) {
		t.Errorf("from the store %q, from the landing zone %q", a, b)
	}
	x, y := stored.Outcome, landed.Outcome
	if x.Predictions == 0 || x.Predictions != y.Predictions || x.Agreed != y.Agreed || x.Rules[0].Raised != y.Rules[0].Raised {
		t.Errorf("from the store %+v, from the landing zone %+v", x, y)
	}
}

func sorted(s []string) []string { slices.Sort(s); return s }
