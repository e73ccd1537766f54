package training_test

import (
	"context"
	"testing"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/modelops"
	"foresight/internal/training"
)

// shipped gives acme a model that ships.
func (w *world) shipped(c *champion.Champion, t enum.ModelType) (model id.UUID) {
	w.Helper()
	b, err := artifact.Open(c.Bundle)
	w.ok(err)
	m := &b.Manifest
	w.ok(modelops.EnsureChampion(w.Context(), w.orm, w.acme.TenantID, modelops.Champion{Model: m.Kind, Type: t, Version: m.Version, Artifact: c.Hash(),
		FeatureSchemaHash: m.FeatureSchemaHash, DatasetHash: m.Training.DatasetHash, Threshold: 0.5, Classes: m.Classes}))
	w.ok(w.owner.QueryRow(w.Context(), `SELECT id FROM ml_models WHERE tenant_id = $1 AND name = $2`, w.acme.TenantID, m.Kind).Scan(&model))
	return model
}

// Both kinds of models are trained on simulated machines; a failure predictor has a
// booster for each horizon.
func TestSimulatedMachinesTrain(t *testing.T) {
	w := newWorld(t, nil)
	w.work()
	for _, c := range []struct {
		champion *champion.Champion
		of       enum.ModelType
		fleet    document.TrainingFleet
		boosters []string
	}{
		{champion.FaultClassifier(), enum.ModelFaultClassification, document.TrainingFleet{FaultMachines: 20, NormalMachines: 40, Windows: 1}, []string{""}},
		{champion.FailurePredictor(), enum.ModelFailurePrediction, document.TrainingFleet{Machines: 200, Days: 240}, []string{"7d", "30d"}},
	} {
		r, err := w.Start(w.engineer(), training.Request{Model: w.shipped(c.champion, c.of), Source: enum.TrainingSimulator, Fleet: c.fleet, Recipe: training.Recipe{Rounds: 4, Depth: 3}})
		w.ok(err)
		r = w.ended(w.engineer(), r.ID)
		if r.Status != enum.JobSucceeded || r.Version == nil || len(r.Outcome.Boosters) != len(c.boosters) {
			log, _ := w.LogText(w.engineer(), r)
			t.Fatalf("%s: %+v\n%s", c.of, r, log)
		}
		b := w.bundleOf(*r.Version)
		for i, name := range c.boosters {
			if b.Boosters[i].Name != name || r.Outcome.Boosters[i].Name != name || r.Outcome.Boosters[i].Horizon != b.Boosters[i].Horizon {
				t.Errorf("%s: booster %d is %q", c.of, i, b.Boosters[i].Name)
			}
			key := "auc_roc"
			if name != "" {
				key += "_" + name
			}
			if v := r.Metrics["test"][key]; !(v > 0.5 && v <= 1) {
				t.Errorf("%s: %s %v", c.of, key, v)
			}
			for key, most := range map[string]float64{"lead_time_days_": 240, "warned_": 1, "false_alarms_per_asset_month_": 30} {
				v, told := r.Metrics["test"][key+name]
				if told && (name == "" || !(v >= 0 && v <= most)) || !told && name == "30d" {
					t.Errorf("%s: %s%s %v", c.of, key, name, v)
				}
			}
		}
	}
}

// A run that no process can work ends with that; one that some process can is left.
func TestRunsWaitForATrainer(t *testing.T) {
	w := plain(t, nil)
	r, err := w.Start(w.engineer(), upload(w))
	w.ok(err)
	w.sql(`UPDATE training_runs SET updated_at = now() - interval '1 day'`)
	w.ok(training.NewSchedule(w.Service, w.worker, training.ScheduleOptions{}).Look(t.Context()))
	if r, err = w.Run(w.engineer(), r.ID); err != nil || r.Status != enum.JobQueued {
		t.Errorf("with a trainer: %+v, %v", r, err)
	}
	if n := w.ask(`SELECT count(*) FROM river.river_job WHERE kind = 'train'`); n != 2 {
		t.Errorf("%d jobs: none was added for the one that may be lost", n)
	}
	w.sql(`UPDATE training_runs SET updated_at = now() - interval '1 day'`)
	none := w.with(func(o *training.Options) {
		o.Trainer, o.Elsewhere = &training.Trainer{Path: "/nowhere"}, func(context.Context) (bool, error) { return false, nil }
	})
	w.ok(training.NewSchedule(none, w.worker, training.ScheduleOptions{}).Look(t.Context()))
	if r, err = w.Run(w.engineer(), r.ID); err != nil || r.Status != enum.JobFailed || r.Failure.Kind != fault.TrainerUnavailable {
		t.Errorf("without: %+v, %v", r, err)
	}
}
