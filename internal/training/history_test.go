package training_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/inference/daily"
	dataset "foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
	"foresight/internal/training"
)

// raw is a reading of acme's sensor, from the log's entry.
func (w *world) raw(sensor int, seq uint64, at time.Time, ch [telemetry.Channels]float64) telemetry.Raw {
	raw := telemetry.Raw{Reading: telemetry.Reading{Key: w.acme.Key(sensor), Timestamp: at, Channels: ch}, LogSeq: seq, ReceivedAt: at.Add(50 * time.Millisecond), Topic: "acme/x", Payload: []byte(`{}`)}
	binary.BigEndian.PutUint64(raw.IngestID[:], seq)
	return raw
}

// lives stores readings of a machine with a fault, and the model's word on each full
// window. The label is always normal: what history teaches does not come from it.
func (w *world) lives(code string, from time.Time, windows int) (predicted []telemetry.FaultPrediction) {
	w.Helper()
	m := simulate.NewMachine(77, simulate.Profile{})
	w.ok(m.SetFault(code, 0.9))
	m.Settle()
	seq := uint64(0)
	for i := range windows {
		at := from.Add(time.Duration(i) * 7 * time.Hour)
		var raws []telemetry.Raw
		for range telemetry.WindowSize {
			at = at.Add(5 * time.Second)
			seq++
			s := m.Next(at)
			raws = append(raws, w.raw(0, seq, at, s.Channels))
		}
		_, err := w.store.WriteReadings(w.Context(), raws)
		w.ok(err)
		last := raws[len(raws)-1]
		predicted = append(predicted, telemetry.FaultPrediction{Key: last.Key, ID: id.Derive(id.Prediction, at, last.IngestID[:]), Timestamp: at, IngestID: last.IngestID,
			Label: telemetry.Normal, Probability: 0.9, VersionID: w.base, VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Production})
	}
	w.ok(w.store.WritePredictions(w.Context(), predicted))
	return predicted
}

// confirms is a work order that found a fault, made at a time.
func (w *world) confirms(code string, at time.Time) {
	w.Helper()
	w.sql(`INSERT INTO maintenance_work_orders (id, tenant_id, asset_id, work_number, title, type, status, failure_confirmed, failure_code, created_at, completed_at)
		VALUES ($1, $2, $3, $4, 'x', 'corrective', 'completed', true, $5, $6, $6::timestamptz + interval '1 day')`,
		id.New(id.MaintenanceWorkOrder), w.acme.TenantID, w.acme.AssetID, fmt.Sprintf("WO-2026-%06d", at.Unix()%1e6), code, at)
}

// trained reads the training set of a run.
func (w *world) trained(r *training.Run, booster int) *dataset.Dataset {
	w.Helper()
	d, err := training.ReadDataset(w.engineer(), w.files, r.Outcome.Boosters[booster].Dataset)
	w.ok(err)
	return d
}

// added are the rows of a set that are not of the original, as text.
func added(original, d *dataset.Dataset) (out []string) {
	last := uint32(0)
	for s := range original.Parts {
		for _, g := range original.Parts[s].Group {
			last = max(last, g)
		}
	}
	n := len(d.Features)
	for s := range d.Parts {
		p := &d.Parts[s]
		for i, g := range p.Group {
			if g > last {
				out = append(out, fmt.Sprint(d.Classes[p.Labels[i]], p.X[i*n:(i+1)*n]))
			}
		}
	}
	slices.Sort(out)
	return out
}

// A confirmed failure labels the windows before it, each as it was when the model saw
// it: what arrives later, however early its time, changes nothing.
func TestHistoryKnowsNoFuture(t *testing.T) {
	w := newWorld(t, nil)
	original := w.fleet(1, 10, 0.4, 1)
	w.install(original, quick)
	w.work()
	ctx := w.engineer()
	failed := time.Now().UTC().Truncate(time.Second).Add(-4 * 24 * time.Hour)
	seen := w.lives("rotor_unbalance", failed.Add(-3*24*time.Hour), 8)
	after := failed.Add(-3*24*time.Hour + 40*time.Hour) // windows behind this are after the failure
	w.confirms("rotor_unbalance", after)
	train := func() []string {
		t.Helper()
		r, err := w.Start(ctx, training.Request{Model: w.model, Source: enum.TrainingHistory, Recipe: training.Recipe{Rounds: 2}})
		w.ok(err)
		r = w.ended(ctx, r.ID)
		if r.Status != enum.JobSucceeded {
			log, _ := w.LogText(ctx, r)
			t.Fatalf("%+v\n%s", r, log)
		}
		return added(original, w.trained(r, 0))
	}
	first := train()
	before := 0
	for _, p := range seen {
		if p.Timestamp.Before(after) {
			before++
		}
	}
	if len(first) != before || before < 5 || before == len(seen) {
		t.Fatalf("%d windows learnt from, %d were before the failure", len(first), before)
	}
	for _, row := range first {
		if row[:15] != "rotor_unbalance" {
			t.Fatalf("labelled %.30s", row)
		}
	}
	// Readings with times inside of those windows that came in later, and the verdict of
	// somebody after the fact.
	absurd := telemetry.NoChannels()
	for i := range absurd {
		absurd[i] = 1e6
	}
	seq := uint64(10_000)
	var late []telemetry.Raw
	for _, p := range seen {
		for k := range 3 {
			seq++
			late = append(late, w.raw(0, seq, p.Timestamp.Add(-time.Duration(k+1)*7*time.Second), absurd))
		}
	}
	_, err := w.store.WriteReadings(w.Context(), late)
	w.ok(err)
	if again := train(); !slices.Equal(first, again) {
		t.Error("what came later changed what the model learns from")
	}
}

// Of a failure predictor, stored days are labelled by what came after they were known.
func TestDaysKnowNoFuture(t *testing.T) {
	now := time.Now().UTC()
	day := func(ago int) time.Time { return daily.DayOf(now).AddDate(0, 0, -ago) }
	failed := daily.AsOf(day(20)).Add(3 * 24 * time.Hour)
	got := training.LabelDays(7, []time.Time{failed}, now, day(40), day(24), day(23), day(20), day(17), day(16), day(5), day(2))
	want := map[time.Time]string{day(40): "survives", day(24): "fails", day(23): "fails", day(20): "fails", day(17): "survives", day(16): "survives"}
	// AsOf(17) is the very time of the failure: it was known then, and is nothing to predict.
	if daily.AsOf(day(17)).Equal(failed) {
		want[day(17)] = "survives"
	}
	// Of the newest nobody can say yet; a failure within the horizon would be told at once.
	for d, class := range want {
		if got[d] != class {
			t.Errorf("%s: %q, want %q", d.Format(time.DateOnly), got[d], class)
		}
	}
	if _, there := got[day(5)]; there {
		t.Error("a day whose future is not over was labelled")
	}
	if _, there := got[day(2)]; there {
		t.Error("a day whose future is not over was labelled")
	}
	if got := training.LabelDays(7, []time.Time{now.Add(-time.Hour)}, now, day(2)); got[day(2)] != "fails" {
		t.Errorf("failed within days: %v", got)
	}
}
