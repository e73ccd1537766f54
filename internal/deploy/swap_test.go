package deploy_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ent/enum"
	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/modeltest"
	"foresight/ingestion/pipeline"
	"foresight/internal/alarms"
	"foresight/internal/bus"
	"foresight/internal/deploy"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/modelops"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// plant is what serves: a registry that follows the database of a world, and what loads
// versions for it and for the gate.
type plant struct {
	*world
	registry *inference.Registry
	service  *inference.Service
	blobs    map[string][]byte // by content address; not changed while it serves
}

// Assignments implements inference.Deployments, as the product reads them.
func (p *plant) Assignments(ctx context.Context) (inference.Assignments, error) {
	found, err := modelops.Assignments(ctx, p.worker)
	if err != nil {
		return nil, err
	}
	out := inference.Assignments{}
	for _, f := range found {
		subject := inference.Subject{Kind: artifact.FaultClassifier, Tenant: f.Tenant, Asset: f.Asset}
		v, s := inference.Version{ID: f.Version, Tenant: f.Tenant, Label: f.Label, Artifact: f.Artifact, Threshold: f.Threshold}, out[subject]
		trial := inference.Trial{ID: f.ID, Version: v, Percent: f.Percent}
		switch f.Stage {
		case enum.BindingCanary:
			s.Canaries = append(s.Canaries, trial)
		case enum.BindingShadow:
			s.Shadows = append(s.Shadows, trial)
		case enum.BindingProduction:
			s.Production = v
		}
		out[subject] = s
	}
	return out, nil
}

// Artifact implements inference.Artifacts.
func (p *plant) Artifact(_ context.Context, hash string) ([]byte, error) {
	if b, ok := p.blobs[hash]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("no artifact %s", hash)
}

// Activate implements deploy.Gate, as the product does.
func (p *plant) Activate(ctx context.Context, _ enum.ModelType, v deploy.Artifact) error {
	_, err := p.registry.Model(ctx, artifact.FaultClassifier, inference.Version{ID: v.Version, Tenant: p.acme.TenantID, Label: v.Label, Artifact: v.Hash})
	return err
}

// newPlant is a world whose versions are a small model at other temperatures, so that each
// gives another probability, and whose registry has room for three of them.
func newPlant(t testing.TB, versions int) (*plant, []id.UUID) {
	t.Helper()
	p := &plant{world: newWorld(t), blobs: map[string][]byte{}}
	var err error
	log := slog.New(slog.DiscardHandler)
	p.registry, err = inference.NewRegistry(inference.RegistryConfig{MaxModels: 3}, p, p, prometheus.NewRegistry(), log)
	p.ok(err)
	// Every full window is predicted, on a busy machine too.
	p.service, err = inference.NewService(inference.ServiceConfig{LoadWait: time.Minute, Slow: time.Minute}, p.registry, prometheus.NewRegistry())
	p.ok(err)
	p.Service = deploy.New(deploy.Options{App: p.app, Ent: p.Ent, Store: p.store, Gate: p, Events: p.news, Log: log})
	ids := make([]id.UUID, versions)
	for i := range ids {
		number := fmt.Sprintf("8.0.%d", i)
		packed := modeltest.Changed(func(m *artifact.Manifest) {
			m.Version, m.Temperature, m.Conformal = number, 2+float64(i)/10, nil
		})
		hash := artifact.HashOf(packed)
		p.blobs[hash], ids[i] = packed, id.New(id.MLModelVersion)
		p.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, dataset_hash, feature_schema_hash)
			VALUES ($1, $2, $3, $4, 'fault_classifier:' || $4::text, $5, 'd', 'f')`, ids[i], p.acme.TenantID, p.acmeModel(), number, hash)
	}
	return p, ids
}

// heard keeps what the pipeline published of predictions, and makes room for as many
// further readings.
type heard struct {
	underway chan struct{} // one for each reading that was sent and has no prediction yet
	mu       sync.Mutex
	all      []telemetry.FaultPrediction
}

// Publish implements event.Publisher.
func (h *heard) Publish(_ context.Context, events ...event.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		if e.Kind == event.Prediction {
			h.all = append(h.all, *e.Prediction)
			<-h.underway
		}
	}
	return nil
}

func (h *heard) of(version id.UUID) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.all {
		if h.all[i].VersionID == version {
			n++
		}
	}
	return n
}

// Ten versions are deployed one after the other while the pipeline predicts as fast as it
// can: log, worker, store, alarms, registry and change notices are the product's. Every
// reading of a full window has one prediction; each names a version that was in production
// when it was made, and says to the last bit what that version says.
func TestTenDeploymentsUnderLoad(t *testing.T) {
	const swaps, sensors, producers, least = 10, 24, 3, 150
	p, versions := newPlant(t, swaps+1)
	p.ok(p.registry.Refresh(t.Context()))
	serves := func(v id.UUID) bool {
		got, ok := p.registry.Resolve(artifact.FaultClassifier, p.acme.TenantID, p.acme.AssetID)
		return ok && got.ID == v
	}
	follower := postgres.NewFollower(postgres.FollowOptions{Name: "deployments", Tables: []string{"ml_model_deployments", "asset_model_versions"}, Refresh: time.Hour,
		Listen: func(ctx context.Context, deliver func(string)) error {
			return postgres.Listen(ctx, p.workerDSN, postgres.ChangeChannel, slog.New(slog.DiscardHandler), deliver)
		},
		Load: func(ctx context.Context, _ []id.UUID) error { return p.registry.Refresh(ctx) }, Log: slog.New(slog.DiscardHandler)})
	p.ok(follower.Start(t.Context()))
	t.Cleanup(func() { p.ok(follower.Stop(context.WithoutCancel(t.Context()))) })
	_, err := p.Deploy(p.engineer(), deploy.Plan{Version: versions[0], Stage: enum.BindingProduction})
	p.ok(err)
	testkit.Eventually(t, testkit.Patience, func() bool { return serves(versions[0]) })

	// What each version says of the one window that there is.
	place := map[id.UUID]int{}
	want := map[id.UUID]float64{}
	var w telemetry.Window
	for n := range telemetry.WindowSize {
		raw := steady(p.acme.Key(0), time.Now().Add(time.Duration(n)*time.Second), n)
		w.Add(raw.Timestamp, &raw.Channels)
	}
	for i, v := range versions {
		var found inference.Version
		p.ok(p.owner.QueryRow(t.Context(), `SELECT full_version_label, artifact_path FROM ml_model_versions WHERE id = $1`, v).Scan(&found.Label, &found.Artifact))
		found.ID, found.Tenant = v, p.acme.TenantID
		raw := steady(p.acme.Key(0), time.Now(), 0)
		said, err := p.service.Retrace(t.Context(), found, p.acme.Key(0), &w, &raw)
		p.ok(err)
		place[v], want[v] = i, said.Probability
		for other, probability := range want {
			if other != v && probability == said.Probability {
				t.Fatal("two versions say the same: the test could not tell them apart")
			}
		}
	}

	// The pipeline.
	b, err := bus.Connect(t.Context(), bus.Options{InProcess: testkit.NATS(t), Log: slog.New(slog.DiscardHandler)})
	p.ok(err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
		defer cancel()
		p.ok(b.Close(ctx))
	})
	log, err := bus.OpenLog(t.Context(), b, bus.LogOptions{Partitions: 2})
	p.ok(err)
	rules := alarms.NewRuleSource(alarms.SourceOptions{Pool: p.worker, Log: slog.New(slog.DiscardHandler)})
	p.ok(rules.Start(t.Context()))
	t.Cleanup(func() { p.ok(rules.Stop(context.WithoutCancel(t.Context()))) })
	ears := &heard{underway: make(chan struct{}, 2000)} // always more than the pipeline takes at a time
	worker := pipeline.New(pipeline.Parts{Pool: p.worker, Log: log, Store: p.store, Model: p.service,
		Alarms: alarms.NewRecorder(rules, alarms.NewMetrics(prometheus.NewRegistry())), Dead: pipeline.NewLetters(p.worker), Events: ears,
		Logger: slog.New(slog.DiscardHandler)}, pipeline.Options{Name: "swaps", Pace: time.Millisecond, SilenceGrace: time.Hour, ModelTimeout: time.Minute})
	p.ok(worker.Start(t.Context()))
	t.Cleanup(func() { p.ok(worker.Stop(context.WithoutCancel(t.Context()))) })

	// The load: machines that report without end, each reading marked with how many
	// deployments had taken effect before it was sent.
	var current atomic.Int64
	stop := make(chan struct{})
	type sent struct {
		phase map[telemetry.IngestID]int64
		count int
		err   error
	}
	done := make(chan sent, producers)
	begin := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	for range producers {
		keys := make([]telemetry.Key, sensors/producers)
		for i := range keys {
			keys[i] = p.acme.Key(0)
			keys[i].Sensor = id.New(id.Sensor)
			p.sql(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) VALUES ($1, $2, $3, $4, '{}')`, keys[i].Sensor, keys[i].Tenant, keys[i].Asset, keys[i].Sensor.String())
		}
		go func() {
			s := sent{phase: map[telemetry.IngestID]int64{}}
			defer func() { done <- s }()
			for n := 0; ; n++ {
				for _, k := range keys {
					select {
					case <-stop:
						return
					case ears.underway <- struct{}{}:
					}
					raw := steady(k, begin.Add(time.Duration(n)*20*time.Millisecond), n)
					s.phase[raw.IngestID] = current.Load()
					if _, s.err = log.Append(t.Context(), bus.Partition(k.Tenant, k.Sensor, log.Partitions()), k.Tenant, k.Sensor, telemetry.AppendEnvelope(nil, &raw)); s.err != nil {
						return
					}
					if n >= telemetry.WindowSize-1 {
						s.count++
					}
				}
			}
		}()
	}
	wait := func(i int) {
		t.Helper()
		testkit.Eventually(t, testkit.Patience, func() bool { return ears.of(versions[i]) >= least || len(done) > 0 })
	}
	wait(0)
	for i := 1; i <= swaps; i++ {
		_, err := p.Deploy(p.engineer(), deploy.Plan{Version: versions[i], Stage: enum.BindingProduction})
		p.ok(err)
		testkit.Eventually(t, testkit.Patience, func() bool { return serves(versions[i]) })
		current.Store(int64(i))
		wait(i)
	}
	close(stop)
	phases, expected := map[telemetry.IngestID]int64{}, 0
	for range producers {
		s := <-done
		p.ok(s.err)
		for k, v := range s.phase {
			phases[k] = v
		}
		expected += s.count
	}
	testkit.Eventually(t, testkit.Patience, func() bool {
		ears.mu.Lock()
		defer ears.mu.Unlock()
		return len(ears.all) >= expected
	})

	// What was published, and what is stored, is the same and right.
	stored := map[id.UUID]telemetry.FaultPrediction{}
	q := telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Tenant: p.acme.TenantID, Limit: telemetry.MaxLimit}}
	for {
		found, err := p.store.Predictions(t.Context(), q)
		p.ok(err)
		for _, f := range found {
			stored[f.ID] = f
		}
		if len(found) < q.Limit {
			break
		}
		last := found[len(found)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
	if len(stored) != expected || len(ears.all) != expected {
		t.Errorf("%d predictions are stored and %d published, want %d", len(stored), len(ears.all), expected)
	}
	used, wrong := map[int]int{}, 0
	for _, f := range stored {
		at, known := place[f.VersionID]
		used[at]++
		switch {
		case !known || f.VersionLabel != fmt.Sprintf("fault_classifier:8.0.%d", at):
			wrong++
			t.Errorf("labelled %s %s", f.VersionLabel, f.VersionID)
		case f.Probability != want[f.VersionID]:
			wrong++
			t.Errorf("%s said %v, want %v: mixed", f.VersionLabel, f.Probability, want[f.VersionID])
		case int64(at) < phases[f.IngestID]:
			wrong++
			t.Errorf("%s predicted for a reading that was sent after %d had taken over", f.VersionLabel, phases[f.IngestID])
		}
		if wrong > 10 {
			t.FailNow()
		}
	}
	for i := range versions {
		if used[i] < least {
			t.Errorf("version %d made %d predictions", i, used[i])
		}
	}
	// None was made by a version before its time: in the order in which they were
	// published each sensor's versions only rise.
	newest := map[id.UUID]int{}
	for _, f := range ears.all {
		if at := place[f.VersionID]; at < newest[f.Sensor] {
			t.Fatalf("%s after version %d", f.VersionLabel, newest[f.Sensor])
		} else {
			newest[f.Sensor] = at
		}
	}
	t.Logf("%d predictions over %d deployments: none failed, mixed or unlabelled", expected, swaps)
}

// steady is the n-th reading of a sensor that always reports the same, so that every full
// window is the same, too.
func steady(k telemetry.Key, at time.Time, n int) telemetry.Raw {
	raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at.UTC().Truncate(time.Millisecond)}, ReceivedAt: at, Topic: "acme/north/sensors/x", Payload: []byte(`{}`)}
	for c := range raw.Channels {
		raw.Channels[c] = 1 + float64(c)/10
	}
	copy(raw.IngestID[:], k.Sensor[8:])
	raw.IngestID[8], raw.IngestID[9], raw.IngestID[10] = byte(n>>16), byte(n>>8), byte(n)
	return raw
}

// A canary has its share of the machines, the same ones for as long as it lasts; a larger
// share adds machines and drops none.
func TestACanaryIsSticky(t *testing.T) {
	p, versions := newPlant(t, 1)
	machines := make([]id.UUID, 2000)
	for i := range machines {
		machines[i] = id.New(id.Asset)
	}
	taken := func() (out []id.UUID) {
		t.Helper()
		p.ok(p.registry.Refresh(t.Context()))
		for _, m := range machines {
			if v, _ := p.registry.Resolve(artifact.FaultClassifier, p.acme.TenantID, m); v.ID == versions[0] {
				out = append(out, m)
			}
		}
		return out
	}
	near := func(have []id.UUID, percent int) {
		t.Helper()
		if n, want := len(have), len(machines)*percent/100; n < want*8/10 || n > want*12/10 {
			t.Errorf("%d of %d machines, want %d %%", n, len(machines), percent)
		}
	}
	canary, err := p.Deploy(p.engineer(), deploy.Plan{Version: versions[0], Stage: enum.BindingCanary, Percent: 20})
	p.ok(err)
	first := taken()
	near(first, 20)
	if again := taken(); !slices.Equal(first, again) {
		t.Error("the machines change")
	}
	_, err = p.SetPercent(p.engineer(), canary.ID, 60)
	p.ok(err)
	more := taken()
	near(more, 60)
	for _, m := range first {
		if !slices.Contains(more, m) {
			t.Fatal("a machine was dropped when the share grew")
		}
	}
	_, err = p.End(p.engineer(), canary.ID)
	p.ok(err)
	if left := taken(); len(left) != 0 {
		t.Errorf("%d machines after its end", len(left))
	}
}
