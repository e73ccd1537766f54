package training_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference/features"
	"foresight/internal/training"
)

// Thirty corrections by the product's way: the corrected fault is told better, on
// machines that nobody corrected, and the original test set loses no more than a point.
func TestRetrainingLearnsFromCorrections(t *testing.T) {
	w := newWorld(t, nil)
	const corrected = 1 // the place of outer races
	original := w.fleet(1, 150, 0.4, 1)
	before := w.install(original, quick)
	young := func(seed uint64, n int) (x []float32) {
		for i := range n {
			x = append(x, w.window(seed<<32|uint64(i), classes[corrected], 0.12, 0.22)...)
		}
		return x
	}
	pool, said := young(7, 400), 0
	for i, k := range w.named(before, pool) {
		if k != corrected && said < 30 {
			w.says(enum.FeedbackCorrection, pool[i*features.Count:(i+1)*features.Count], classes[k], classes[corrected])
			said++
		}
	}
	if said != 30 {
		t.Fatalf("only %d answers are wrong", said)
	}
	w.work()
	r, err := w.Start(w.engineer(), training.Request{Model: w.model, Source: enum.TrainingFeedback})
	w.ok(err)
	if r.Status != enum.JobQueued || r.Request.Base != w.base {
		t.Errorf("%+v", r)
	}
	r = w.ended(w.engineer(), r.ID)
	if r.Status != enum.JobSucceeded || r.Version == nil {
		log, _ := w.LogText(w.engineer(), r)
		t.Fatalf("%+v\n%s", r, log)
	}
	after := w.bundleOf(*r.Version)
	others := young(8, 400)
	recall := func(said []int) (share float64) {
		for _, k := range said {
			if k == corrected {
				share += 1 / float64(len(said))
			}
		}
		return share
	}
	was, is := recall(w.named(before, others)), recall(w.named(after, others))
	f1, f2 := w.macroF1(before, original), w.macroF1(after, original)
	t.Logf("recall of young defects %.3f, was %.3f; macro F1 of the original test %.4f, was %.4f", is, was, f2, f1)
	if is < was+0.05 {
		t.Errorf("recall of the corrected fault %.3f, was %.3f", is, was)
	}
	if f2 < f1-0.01 {
		t.Errorf("macro F1 %.4f, was %.4f", f2, f1)
	}
	w.judgeRun(r, original.Rows)
	// The next one goes on from the new version, and finds its data.
	v, err := w.orm.MLModelVersion.Get(w.engineer(), *r.Version)
	w.ok(err)
	if v.SemanticVersion != "1.0.1" || v.Stage != enum.StageStaging || v.DatasetHash != *r.Dataset {
		t.Errorf("%+v", v)
	}
	next, err := w.Start(w.engineer(), training.Request{Model: w.model, Source: enum.TrainingFeedback, Base: r.Version, Recipe: training.Recipe{Rounds: 2}})
	w.ok(err)
	next = w.ended(w.engineer(), next.ID)
	if next.Status != enum.JobSucceeded || next.Rows != r.Rows || next.Outcome.Boosters[0].Dataset != r.Outcome.Boosters[0].Dataset {
		t.Errorf("what was said counts twice, or is gone: %d rows, %d at first; %+v", next.Rows, r.Rows, next.Failure)
	}
}

// judgeRun verifies that the run keeps what it takes to judge and to repeat it.
func (w *world) judgeRun(r *training.Run, original int) {
	w.Helper()
	b := r.Outcome.Boosters[0]
	total := 0
	for _, row := range b.Confusion {
		for _, n := range row {
			total += n
		}
	}
	rows := 0
	for _, n := range b.Rows {
		rows += n
	}
	if int(r.Rows) != original+30 || r.Feedback != 30 || rows != int(r.Rows) || total != b.Rows["test"] || b.Original != w.original || b.Dataset != *r.Dataset {
		w.Errorf("%d rows, %d said, %v by split, %d in the confusion matrix", r.Rows, r.Feedback, b.Rows, total)
	}
	for _, split := range []string{"train", "validation", "test", "calibration"} {
		for _, name := range []string{"accuracy", "f1", "auc_roc", "auc_pr", "log_loss"} {
			if v, ok := r.Metrics[split][name]; !ok || name != "log_loss" && !(v > 0.3 && v <= 1) {
				w.Errorf("%s of %s: %v", name, split, v)
			}
		}
	}
	if len(b.PerClass) != len(classes) || len(b.Reliability) != 10 || len(b.Importance) < 10 || !slices.IsSortedFunc(b.Importance, func(a, c document.Importance) int { return cmp.Compare(c.Gain, a.Gain) }) || len(b.Curve) < b.Rounds {
		w.Errorf("%d classes, %d bins, %d features, %d of %d rounds", len(b.PerClass), len(b.Reliability), len(b.Importance), len(b.Curve), b.Rounds)
	}
	if r.Outcome.Seconds <= 0 || r.Outcome.PeakMemory < 10<<20 || r.Begun == nil || r.FinishedAt == nil {
		w.Errorf("took %v s and %d bytes", r.Outcome.Seconds, r.Outcome.PeakMemory)
	}
	log, err := w.LogText(w.engineer(), r)
	w.ok(err)
	for _, s := range []string{"30 examples", `{"metric":`, "registered as fault_classifier:1.0.1"} {
		if !strings.Contains(log, s) {
			w.Errorf("no %q in the log:\n%s", s, log)
		}
	}
}
