package training_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference/champion"
	"foresight/inference/daily"
	dataset "foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/training"
)

// of counts the rows of a machine by label and split, and fails when they are in two splits.
func (w *world) of(d *dataset.Dataset, machine id.UUID) (labels [2]int, weight float32) {
	w.Helper()
	group, in := dataset.Machine(machine[:]), -1
	for s := range d.Parts {
		for i, g := range d.Parts[s].Group {
			if g != group {
				continue
			}
			if labels[d.Parts[s].Labels[i]]++; in >= 0 && in != s {
				w.Errorf("the machine is in the splits %s and %s", dataset.Split(in), dataset.Split(s))
			}
			in, weight = s, d.Parts[s].Weights[i]
		}
	}
	return labels, weight
}

// A failure predictor learns from what people said of its predictions, and from what
// became of the machines; a history that is gathered again counts once.
func TestFailurePredictorsLearnFromThePlant(t *testing.T) {
	w := newWorld(t, nil)
	w.work()
	ctx, asset := w.engineer(), w.acme.AssetID
	model := w.shipped(champion.FailurePredictor(), enum.ModelFailurePrediction)
	train := func(q training.Request) *training.Run {
		t.Helper()
		q.Model, q.Recipe = model, training.Recipe{Rounds: 3, Depth: 3}
		r, err := w.Start(ctx, q)
		w.ok(err)
		if r = w.ended(ctx, r.ID); r.Status != enum.JobSucceeded || r.Version == nil {
			log, _ := w.LogText(ctx, r)
			t.Fatalf("%+v\n%s", r, log)
		}
		return r
	}
	first := train(training.Request{Source: enum.TrainingSimulator, Fleet: document.TrainingFleet{Machines: 200, Days: 240}})
	base := first.Version
	say := func(what string, n int) {
		t.Helper()
		for range n {
			x := make([]float64, daily.Count)
			raw, err := json.Marshal(x)
			w.ok(err)
			w.sql(`INSERT INTO feedback (id, tenant_id, site_id, asset_id, model_version_id, features, predicted_label, probability, new_label, feedback_type)
				VALUES ($1, $2, $3, $4, $5, $6, 'failure', 0.6, $7, 'correction')`, id.New(id.Feedback), w.acme.TenantID, w.acme.SiteID, asset, *base, raw, what)
		}
	}
	if _, err := w.Start(ctx, training.Request{Model: model, Source: enum.TrainingFeedback, Base: base}); keyOf(err) != "input.source error.training.feedback" {
		t.Errorf("with nothing said: %v", err)
	}
	if s, err := w.SetWeekly(ctx, model, true, time.Friday, 5); err != nil || !s.Enabled {
		t.Errorf("each week: %+v, %v", s, err)
	}
	say("healthy", 7)
	say("failure", 5)
	said := train(training.Request{Source: enum.TrainingFeedback, Base: base})
	for i, want := range [][2]int{{7, 0}, {7, 5}} { // that it failed within 30 days says nothing of 7
		labels, weight := w.of(w.trained(said, i), asset)
		if labels != want || weight != 3 {
			t.Errorf("%s: %v rows of weight %v, want %v", said.Outcome.Boosters[i].Name, labels, weight, want)
		}
		if o := said.Outcome.Boosters[i]; o.Original != first.Outcome.Boosters[i].Dataset {
			t.Errorf("%s: the original is %s", o.Name, o.Original)
		}
	}
	if said.Feedback != 7+12 {
		t.Errorf("%d rows of feedback", said.Feedback)
	}

	// Stored days: 20 of them, the machine fails 10 days behind the last.
	last := daily.LastDay(time.Now()).AddDate(0, 0, -100)
	for i := range 20 {
		raw, err := json.Marshal(map[string]float64{"telemetry_coverage_7d": 1, "vibration_rms_7d_avg": float64(i)})
		w.ok(err)
		w.sql(`INSERT INTO asset_features (id, tenant_id, asset_id, day, features, feature_schema_hash) VALUES ($1, $2, $3, $4, $5, $6)`,
			id.New(id.AssetFeatures), w.acme.TenantID, asset, last.AddDate(0, 0, -i), raw, daily.SchemaHash())
	}
	w.sql(`DELETE FROM feedback WHERE new_label = 'failure'`)
	lived := train(training.Request{Source: enum.TrainingHistory, Base: base})
	w.confirms("bearing_outer_race_defect", daily.AsOf(last).AddDate(0, 0, 10))
	failed := train(training.Request{Source: enum.TrainingHistory, Base: lived.Version})
	for i, want := range []struct{ lived, failed [2]int }{{[2]int{27, 0}, [2]int{27, 0}}, {[2]int{27, 0}, [2]int{7, 20}}} {
		if labels, _ := w.of(w.trained(lived, i), asset); labels != want.lived {
			t.Errorf("before it failed: %v rows, want %v", labels, want.lived)
		}
		if labels, _ := w.of(w.trained(failed, i), asset); labels != want.failed {
			t.Errorf("after it failed: %v rows, want %v", labels, want.failed)
		}
	}
	if _, told := first.Metrics["test"]["lead_time_days_30d"]; !told {
		t.Errorf("no lead time among %v", first.Metrics["test"])
	}
	if a, b := w.trained(lived, 1).Rows, w.trained(failed, 1).Rows; a != b {
		t.Errorf("%d rows, and %d when the same days were gathered again", a, b)
	}
}

// A run that is started within a transaction is there when that commits, and not before.
func TestARunWithinATransaction(t *testing.T) {
	w := plain(t, nil)
	ctx, report := w.engineer(), id.New(id.DriftReport)
	var prepared *training.Prepared
	start := func(end error) (run id.UUID, err error) {
		if prepared, err = w.Prepare(ctx, training.Request{Model: w.model, Source: enum.TrainingHistory, Drift: &report}); err != nil {
			return run, err
		}
		err = pgx.BeginFunc(ctx, w.app, func(tx pgx.Tx) (err error) {
			run, err = prepared.Add(ctx, tx)
			return errors.Join(err, end)
		})
		return run, err
	}
	changed := errors.New("changed my mind")
	if _, err := start(changed); !errors.Is(err, changed) {
		t.Fatal(err)
	}
	count := func(of string) int { return w.ask(`SELECT count(*) FROM ` + of) }
	if runs, jobs := count("training_runs"), count("river.river_job"); runs != 0 || jobs != 0 {
		t.Errorf("%d runs and %d jobs of a transaction that was rolled back", runs, jobs)
	}
	run, err := start(nil)
	w.ok(err)
	wait, err := w.jobs.News(ctx, run)
	w.ok(err)
	prepared.Begun(ctx)
	w.ok(wait(ctx)) // those who watch hear of it
	r, err := w.Run(ctx, run)
	w.ok(err)
	if r.Status != enum.JobQueued || r.Request.Drift == nil || *r.Request.Drift != report || count("river.river_job") != 1 {
		t.Errorf("%+v", r)
	}
	if n := w.ask(`SELECT count(*) FROM audit_logs WHERE action = 'start' AND entity = 'TrainingRun' AND changes::text LIKE '%' || $1 || '%'`, report.String()); n != 1 {
		t.Errorf("%d entries in the audit log name the report", n)
	}
	if _, err := start(nil); keyOf(err) != "input.modelId error.training.running" {
		t.Errorf("a second one: %v", err)
	}
}
