package drift

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/inference/training"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/page"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// Machines like those of the training, though none of them and most of them well.
func TestMachinesAsInTrainingAreStable(t *testing.T) {
	r := newRig(t)
	r.run(r.fleet(60), live{windows: 10, faulty: 10})
	got := r.report()
	if got.Verdict != enum.DriftStable || len(got.Reasons) != 0 {
		t.Errorf("%s for %v: %v", got.Verdict, got.Reasons, farthest(got, 5))
	}
	if got.Rows != 600 || got.Machines != 60 || got.Version != r.version || got.TelemetryCoverage != 1 {
		t.Errorf("%d rows of %d machines, coverage %v", got.Rows, got.Machines, got.TelemetryCoverage)
	}
	if n := got.Labels["cavitation"]; math.Abs(n.Share-0.1) > 1e-9 {
		t.Errorf("labels %v", got.Labels)
	}
	if !got.Reference || got.LabelShift != 0 {
		t.Errorf("the first full window is no reference: %+v", got)
	}
	if again := r.report(); again.Reference || again.LabelShift != 0 || again.Verdict != enum.DriftStable {
		t.Errorf("the second report: %s, shift %v, reference %v", again.Verdict, again.LabelShift, again.Reference)
	}
	if n := value[int](r, r.acme, `SELECT count(*) FROM retraining_proposals`); n != 0 {
		t.Errorf("%d proposals", n)
	}
}

// A plant of fast and heavily loaded machines.
func TestAnotherRegimeIsDrift(t *testing.T) {
	r := newRig(t)
	r.run(r.fleet(60), live{windows: 10, faulty: 10, profile: simulate.Profile{NominalRPM: 3570, Load: 1.05, RatedKW: 300, AmbientC: 34, Steady: true}})
	got := r.report()
	t.Logf("%s for %v, out of distribution %.2f: %v", got.Verdict, got.Reasons, got.OutOfDistribution, farthest(got, 8))
	if got.Verdict != enum.DriftSevere || !slices.Contains(got.Reasons, Features) {
		t.Errorf("%s for %v", got.Verdict, got.Reasons)
	}
	// A heavier load and a warmer hall show in the temperatures of every mount point.
	for _, name := range []string{"motor_DE_temperature_mean", "pump_DE_temperature_mean"} {
		if !slices.Contains(got.Drifted, name) {
			t.Errorf("%s has not drifted: %v", name, got.PSI[name])
		}
	}
}

// A type of thermometer that sticks, on most machines; nothing else has changed.
func TestABrokenSensorIsNamed(t *testing.T) {
	r := newRig(t)
	stuck := telemetry.At(0, telemetry.Temperature)
	r.run(r.fleet(60), live{windows: 10, faulty: 10, distort: func(m int, c *[telemetry.Channels]float64) {
		if m%5 != 0 {
			c[stuck] = 21.5
		}
	}})
	got := r.report()
	t.Logf("%s for %v: %v", got.Verdict, got.Reasons, farthest(got, 20))
	if got.Verdict != enum.DriftSevere {
		t.Errorf("%s for %v", got.Verdict, got.Reasons)
	}
	if len(got.Drifted) < 5 {
		t.Errorf("only %v have drifted", got.Drifted)
	}
	for _, name := range got.Drifted {
		if !strings.HasPrefix(name, "motor_DE_temperature") {
			t.Errorf("%s has drifted (%v)", name, got.PSI[name])
		}
	}
}

// A channel that is gone on most machines: coverage tells, and what the model sees has
// changed.
func TestAMissingChannelIsNamed(t *testing.T) {
	r := newRig(t)
	gone := telemetry.At(2, telemetry.Ultrasonic)
	r.run(r.fleet(40), live{windows: 10, faulty: 10, distort: func(m int, c *[telemetry.Channels]float64) {
		if m%2 == 0 {
			c[gone] = math.NaN()
		}
	}})
	got := r.report()
	if c := got.Coverage["pump_DE_ultrasonic_mean"]; !(c <= 0.5) {
		t.Errorf("coverage %v", c)
	}
	if got.Verdict != enum.DriftSevere || !slices.Contains(got.Drifted, "pump_DE_ultrasonic_mean") {
		t.Errorf("%s, drifted %v", got.Verdict, farthest(got, 5))
	}
	for _, name := range got.Drifted {
		if !strings.HasPrefix(name, "pump_DE_ultrasonic") {
			t.Errorf("%s has drifted (%v)", name, got.PSI[name])
		}
	}
}

func TestTooLittleIsUnknown(t *testing.T) {
	r := newRig(t)
	keys := r.fleet(12)
	r.run(keys[:4], live{windows: 60, profile: simulate.Profile{NominalRPM: 3570, Load: 1.05}})
	got := r.report()
	if got.Verdict != enum.DriftUnknown || got.Machines != 4 || len(got.PSI) != 0 || got.Reference {
		t.Errorf("%s of %d machines", got.Verdict, got.Machines)
	}
	if math.Abs(got.TelemetryCoverage-4./12) > 1e-9 {
		t.Errorf("telemetry coverage %v", got.TelemetryCoverage)
	}
	if all, err := r.service.Check(r.as(r.globex), id.New(id.DriftCheck)); err != nil || len(all) != 0 {
		t.Errorf("globex: %d reports, %v", len(all), err)
	}
}

// More faults than there were in the first full window.
func TestLabelsShift(t *testing.T) {
	r := newRig(t)
	keys, now := r.fleet(60), r.now
	r.now = now.AddDate(0, 0, -14)
	_, err := r.worker.Exec(t.Context(), `SELECT foresight_ensure_telemetry_partitions($1, $2)`, r.now.AddDate(0, 0, -8), now)
	r.ok(err)
	r.run(keys, live{windows: 10, faulty: 5})
	if first := r.report(); !first.Reference {
		t.Fatal("no reference")
	}
	r.now = now // two weeks later
	r.run(keys, live{windows: 10, faulty: 50})
	got := r.report()
	if got.LabelShift < Severe || !slices.Contains(got.Reasons, Labels) || got.Verdict != enum.DriftSevere {
		t.Errorf("shift %v, %s for %v", got.LabelShift, got.Verdict, got.Reasons)
	}
	if slices.Contains(got.Reasons, Features) {
		t.Errorf("machines as in training, and yet %v", farthest(got, 5))
	}
}

// Production and canary are judged apart, shadows not at all.
func TestEachVersionHasItsReport(t *testing.T) {
	r := newRig(t)
	other := id.New(id.MLModelVersion)
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, feature_schema_hash, dataset_hash, classes, metrics)
		SELECT $1, tenant_id, model_id, '1.1.0', 'fault_classifier:1.1.0', 'canary', artifact_path, feature_schema_hash, dataset_hash, classes, metrics FROM ml_model_versions WHERE tenant_id = $2`, other, r.acme.TenantID)
	keys := r.fleet(45)
	r.run(keys[:25], live{windows: 10, faulty: 10})
	r.run(keys[25:], live{windows: 10, faulty: 10, version: other, role: telemetry.Canary})
	all, err := r.service.Check(r.as(r.acme), id.New(id.DriftCheck))
	r.ok(err)
	rows := map[id.UUID]int{}
	for _, p := range all {
		rows[p.Version] = p.Rows
	}
	if len(all) != 2 || rows[r.version] != 250 || rows[other] != 200 {
		t.Errorf("reports of %v", rows)
	}
}

// Severe drift proposes, once; people decide, and only those who may.
func TestAProposalIsMadeAndDecided(t *testing.T) {
	r := newRig(t)
	r.run(r.fleet(40), live{windows: 8, profile: simulate.Profile{NominalRPM: 3570, Load: 1.05, RatedKW: 300, AmbientC: 34}})
	report := r.report()
	r.report()
	viewer, engineer, foreign := r.acme.As(t.Context(), tenancy.Viewer), r.acme.As(t.Context(), tenancy.Engineer), r.globex.As(t.Context(), tenancy.Admin)
	list := func() []*Proposal {
		p, err := r.service.Proposals(viewer, ProposalFilter{}, page.Args{})
		r.ok(err)
		return p.Items
	}
	all := list()
	if len(all) != 1 || all[0].Status != Open || all[0].Report != report.ID || all[0].Model != r.model {
		t.Fatalf("%d proposals: %+v", len(all), all)
	}
	which := all[0].ID
	if _, err := r.service.Accept(viewer, which, ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a viewer: %v", err)
	}
	if _, err := r.service.Accept(foreign, which, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant: %v", err)
	}
	if p, err := r.service.Proposals(foreign, ProposalFilter{}, page.Args{}); err != nil || len(p.Items) != 0 {
		t.Errorf("another tenant sees %v, %v", p.Items, err)
	}
	r.trainer.err = fault.New(fault.Conflict, "error.training.running")
	if _, err := r.service.Accept(engineer, which, ""); !fault.Is(err, fault.Conflict) || list()[0].Status != Open {
		t.Errorf("while one trains: %v, %s", err, list()[0].Status)
	}
	r.trainer.err = nil
	// Training and acceptance are there together, or neither is.
	begun := func() int {
		return value[int](r, r.acme, `SELECT count(*) FROM summarised_days WHERE day = '2001-01-01'`)
	}
	r.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$`)
	r.sql(`CREATE TRIGGER refuse BEFORE UPDATE ON retraining_proposals FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if _, err := r.service.Accept(engineer, which, ""); err == nil || begun() != 0 || r.trainer.begun != 0 || len(r.trainer.asked) != 1 {
		t.Errorf("an acceptance that was not kept: %v, %d trainings", err, begun())
	}
	r.sql(`DROP TRIGGER refuse ON retraining_proposals`)
	r.trainer.asked, r.trainer.by = nil, nil
	p, err := r.service.Accept(engineer, which, " new pumps ")
	r.ok(err)
	if begun() != 1 || r.trainer.begun != 1 {
		t.Errorf("%d trainings, %d told of", begun(), r.trainer.begun)
	}
	if p.Status != Accepted || p.TrainingRun == nil || p.DecidedBy == nil || *p.DecidedBy != r.acme.Users[tenancy.Engineer] || p.Note == nil || *p.Note != "new pumps" || p.Automatic {
		t.Errorf("%+v", p)
	}
	if len(r.trainer.asked) != 1 || r.trainer.asked[0] != r.model.String()+" because of "+report.ID.String() || r.trainer.by[0] != tenancy.Person {
		t.Errorf("asked for %v", r.trainer.asked)
	}
	if _, err := r.service.Dismiss(engineer, which, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("decided twice: %v", err)
	}
	r.report() // so soon after the decision nothing is proposed again
	if n := len(list()); n != 1 {
		t.Errorf("%d proposals", n)
	}
	if n := value[int](r, r.acme, `SELECT count(*) FROM audit_logs WHERE entity = 'RetrainingProposal' AND action = 'accept' AND entity_id = $1`, which); n != 1 {
		t.Errorf("%d entries in the audit log", n)
	}
}

func TestAPolicyAcceptsByItself(t *testing.T) {
	r := newRig(t)
	engineer := r.acme.As(t.Context(), tenancy.Engineer)
	if err := r.service.SetAutomatic(r.globex.As(t.Context(), tenancy.Admin), r.model, true); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's policy: %v", err)
	}
	r.ok(r.service.SetAutomatic(engineer, r.model, true))
	r.run(r.fleet(40), live{windows: 8, profile: simulate.Profile{NominalRPM: 3570, Load: 1.05, RatedKW: 300, AmbientC: 34}})
	r.report()
	all, err := r.service.Proposals(engineer, ProposalFilter{}, page.Args{})
	r.ok(err)
	if len(all.Items) != 1 || all.Items[0].Status != Accepted || !all.Items[0].Automatic || all.Items[0].DecidedBy != nil || len(r.trainer.asked) != 1 || r.trainer.by[0] != tenancy.System {
		t.Errorf("%+v, trainer %+v", all.Items, r.trainer)
	}
}

// farthest tells the features with the largest indices.
func farthest(r *Report, n int) (out []string) {
	names := slices.Clone(r.Drifted)
	for _, name := range names[:min(n, len(names))] {
		out = append(out, name+" "+strings.TrimRight(formatted(r.PSI[name]), "0"))
	}
	return out
}

func formatted(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// With the model that ships: label sets are looked at, and held against what people
// found. A second attempt of a check makes no second report.
func TestLabelSetsAndFindings(t *testing.T) {
	r := newRig(t)
	var err error
	r.bundle, err = artifact.Open(champion.FaultClassifier().Bundle)
	r.ok(err)
	r.run(r.fleet(20), live{windows: 12, faulty: 10})
	snapshot := func() []*float32 {
		var w telemetry.Window
		newMachine(5, telemetry.Normal, simulate.Profile{}).window(r.now, func(at time.Time, c *[telemetry.Channels]float64) { w.Add(at, c) })
		var x features.Vector
		features.Extract(&w, &x)
		out := make([]*float32, len(x))
		for i, v := range x {
			if v == v {
				out[i] = &v
			}
		}
		return out
	}()
	for said, kind := range map[string]string{telemetry.Normal: "correct", "impeller_blockage": "correction"} {
		r.sql(`INSERT INTO feedback (id, tenant_id, model_version_id, features, predicted_label, probability, new_label, feedback_type) VALUES ($1, $2, $3, $4, 'normal', 0.9, $5, $6)`,
			id.New(id.Feedback), r.acme.TenantID, r.version, snapshot, said, kind)
	}
	seed := id.New(id.DriftCheck)
	all, err := r.service.Check(r.as(r.acme), seed)
	r.ok(err)
	s := all[0].LabelSets
	t.Logf("%s for %v, label sets %+v", all[0].Verdict, all[0].Reasons, s)
	if s.Level != coverageLevel || !(s.MeanSize >= 0.8 && s.MeanSize < 3) || s.Findings != 2 || s.Coverage == nil || *s.Coverage != 0.5 {
		t.Errorf("label sets %+v", s)
	}
	if _, err := r.service.Check(r.as(r.acme), seed); err != nil {
		t.Error(err)
	}
	if n := value[int](r, r.acme, `SELECT count(*) FROM drift_reports`); n != 1 {
		t.Errorf("%d reports of one check", n)
	}
}

// A check that somebody asks for is a job; while it waits there is no second one. The
// day's is added once, for each tenant.
func TestChecksAreJobs(t *testing.T) {
	r := newRig(t)
	r.run(r.fleet(20), live{windows: 10})
	engineer := r.acme.As(t.Context(), tenancy.Engineer)
	if _, err := r.service.Request(r.acme.As(t.Context(), tenancy.Operator)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an operator: %v", err)
	}
	a := *tenancy.Must(engineer)
	a.SiteIDs = []id.UUID{r.acme.SiteID}
	if _, err := r.service.Request(tenancy.With(t.Context(), &a)); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an engineer of a site: %v", err)
	}
	asked, err := r.service.Request(engineer)
	r.ok(err)
	if _, err := r.service.Request(engineer); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one: %v", err)
	}
	schedule := NewSchedule(r.service, r.worker, 0)
	r.ok(schedule.Look(t.Context()))
	r.ok(schedule.Look(t.Context()))
	if n := value[int](r, r.acme, `SELECT count(*) FROM drift_checks WHERE day IS NOT NULL`) + value[int](r, r.globex, `SELECT count(*) FROM drift_checks`); n != 2 {
		t.Fatalf("%d checks of the day in two tenants", n)
	}
	runner := jobs.NewRunner(jobs.Options{Pool: r.worker, Log: slog.New(slog.DiscardHandler)})
	r.service.Work(runner)
	r.ok(runner.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
		defer cancel()
		r.ok(runner.Stop(ctx))
	})
	testkit.Eventually(t, 5*testkit.Patience, func() bool { // some thousand statements
		return value[int](r, r.acme, `SELECT count(*) FROM drift_checks WHERE status = 'succeeded' AND reports = 1`) == 2 &&
			value[int](r, r.globex, `SELECT count(*) FROM drift_checks WHERE status = 'succeeded' AND reports = 0`) == 1
	})
	if n := value[int](r, r.acme, `SELECT count(*) FROM drift_reports WHERE verdict = 'stable' AND samples = 200`); n != 2 {
		t.Errorf("%d reports", n)
	}
	if c, err := r.service.CheckOf(engineer, asked); err != nil || c.By == nil || *c.By != r.acme.Users[tenancy.Engineer] || c.Day != nil {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := r.service.CheckOf(r.globex.As(t.Context(), tenancy.Admin), asked); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant: %v", err)
	}
	// What failed is taken up again later, and asking is possible again.
	args := checkArgs{jobs.Behalf{TenantID: r.acme.TenantID}, asked}
	r.service.gaveUp(r.as(r.acme), args, fault.New(fault.Unavailable, "error.telemetry.unavailable"))
	if c, _ := r.service.CheckOf(engineer, asked); c.Status != enum.JobFailed || c.Failure == nil || c.Failure.Key != "error.telemetry.unavailable" {
		t.Errorf("given up: %+v", c)
	}
	if _, err := r.service.Request(engineer); err != nil {
		t.Errorf("after it has ended: %v", err)
	}
}

// Failure predictions are compared by the daily features that they rest on.
func TestDailyFeaturesDrift(t *testing.T) {
	r := newRig(t)
	p := &training.Part{}
	rnd := rand.New(rand.NewPCG(8, 9))
	row := func(shift float64) []float32 {
		x := make([]float32, daily.Count)
		for f := range x {
			x[f] = float32(rnd.NormFloat64())
		}
		x[coverage] = 1
		x[vibration] += float32(shift)
		return x
	}
	for i := range 3000 {
		p.X, p.Labels = append(p.X, row(0)...), append(p.Labels, i%2)
	}
	of := func(horizon int, r *artifact.Reference) *artifact.Booster {
		return &artifact.Booster{Entry: artifact.Entry{Horizon: horizon}, Manifest: artifact.Manifest{Objective: artifact.Logistic, Classes: []string{"survives", "fails"}, Features: daily.Count, Reference: r}}
	}
	// The booster that looks further is the one that counts; the other has no reference.
	long := of(30, training.FitReference(p, daily.Count, 2))
	short := of(7, nil)
	r.bundle = &artifact.Bundle{Boosters: []*artifact.Booster{short, long}, Booster: short}
	r.sql(`UPDATE ml_models SET type = 'failure_prediction' WHERE tenant_id = $1`, r.acme.TenantID)
	for m, k := range r.fleet(30) {
		for n := range 5 {
			day := daily.LastDay(r.now).AddDate(0, 0, -n)
			named := map[string]float64{}
			for f, v := range row(1.5) {
				named[daily.Names()[f]] = float64(v)
			}
			if m%2 == 0 {
				delete(named, "oil_pressure_7d_avg")
			}
			r.sql(`INSERT INTO asset_features (id, tenant_id, asset_id, day, features, feature_schema_hash) VALUES ($1, $2, $3, $4::date, $5, $6)`,
				id.New(id.AssetFeatures), r.acme.TenantID, k.Asset, day, named, daily.SchemaHash())
			r.sql(`INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, confidence_lower_7d, confidence_upper_7d,
					failure_prob_30d, confidence_lower_30d, confidence_upper_30d, health_score, risk_level)
				VALUES ($1, $2, $3, $4, $5, 0.1, 0.1, 0.1, $6, $6, $6, 50, 'low')`, id.New(id.FailurePrediction), r.acme.TenantID, k.Asset, r.version, daily.AsOf(day), 0.1+0.8*float64(m%2))
		}
	}
	got := r.report()
	if got.Rows != 150 || got.Machines != 30 || math.Abs(got.Labels["fails"].Share-0.5) > 1e-9 {
		t.Errorf("%d rows of %d machines, labels %v", got.Rows, got.Machines, got.Labels)
	}
	want := []string{daily.Names()[vibration], "oil_pressure_7d_avg"}
	slices.Sort(want)
	if names := slices.Sorted(slices.Values(got.Drifted)); got.Verdict != enum.DriftSevere || !slices.Equal(names, want) {
		t.Errorf("%s, drifted %v", got.Verdict, farthest(got, 10))
	}
	if c := got.Coverage["oil_pressure_7d_avg"]; c != 0.5 {
		t.Errorf("coverage %v", c)
	}
}

var (
	coverage, _  = daily.Place("telemetry_coverage_7d")
	vibration, _ = daily.Place("vibration_rms_7d_avg")
)
