package training_test

import (
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/training"
)

func TestNextDue(t *testing.T) {
	wednesday := time.Date(2026, 3, 4, 10, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		day  time.Weekday
		hour int
		want time.Time
	}{
		{time.Wednesday, 11, time.Date(2026, 3, 4, 11, 0, 0, 0, time.UTC)},
		{time.Wednesday, 10, time.Date(2026, 3, 11, 10, 0, 0, 0, time.UTC)},
		{time.Thursday, 0, time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)},
		{time.Sunday, 2, time.Date(2026, 3, 8, 2, 0, 0, 0, time.UTC)},
		{time.Tuesday, 23, time.Date(2026, 3, 10, 23, 0, 0, 0, time.UTC)},
	} {
		if got := training.NextDue(wednesday, c.day, c.hour); !got.Equal(c.want) {
			t.Errorf("%s %d: %s, want %s", c.day, c.hour, got, c.want)
		}
	}
	if got := training.NextDue(wednesday.In(time.FixedZone("", 14*3600)), time.Wednesday, 11); got.Hour() != 11 || got.Day() != 4 {
		t.Errorf("in another zone: %s", got)
	}
}

// A schedule is off at first; once on, it trains when its time has come and enough was
// said since the last time, once for all processes.
func TestWeeklyTrainings(t *testing.T) {
	w := plain(t, nil)
	ctx := w.engineer()
	look := func(now time.Time) {
		t.Helper()
		for range 2 { // two processes
			w.ok(training.NewSchedule(w.Service, w.worker, training.ScheduleOptions{Now: func() time.Time { return now }}).Look(t.Context()))
		}
	}
	of := func() *training.Weekly {
		t.Helper()
		found, err := w.WeekliesOf(ctx, []id.UUID{w.model})
		w.ok(err)
		return found[w.model]
	}
	runs := func() []*training.Run {
		t.Helper()
		p, err := w.List(ctx, page.Args{}, nil)
		w.ok(err)
		return p.Items
	}
	if s := of(); s.Enabled || s.LookedAt != nil {
		t.Errorf("at first %+v", s)
	}
	now := time.Now()
	look(now.AddDate(0, 0, 8))
	earliest := training.NextDue(time.Now(), time.Friday, 5)
	s, err := w.SetWeekly(ctx, w.model, true, time.Friday, 5)
	latest := training.NextDue(time.Now(), time.Friday, 5) // another one if that hour came meanwhile
	if err != nil || !s.Enabled || s.Weekday != time.Friday || s.Hour != 5 || !s.DueAt.Equal(earliest) && !s.DueAt.Equal(latest) {
		t.Fatalf("%+v, %v", s, err)
	}
	look(s.DueAt.Add(-time.Minute))
	if s := of(); s.LookedAt != nil {
		t.Errorf("before its time %+v", s)
	}
	look(s.DueAt)
	first := of()
	if first.LookedAt == nil || first.Skipped == nil || first.Skipped.Key != "error.training.feedback" || !first.DueAt.Equal(s.DueAt.AddDate(0, 0, 7)) || len(runs()) != 0 {
		t.Errorf("with nothing said %+v", first)
	}
	for i := range 10 {
		w.says(enum.FeedbackCorrection, w.window(uint64(i), classes[2], 0.5, 1), classes[1], classes[2])
	}
	look(first.DueAt.Add(-time.Hour))
	if len(runs()) != 0 {
		t.Error("trained before its time")
	}
	look(first.DueAt)
	if s, all := of(), runs(); s.Skipped != nil || len(all) != 1 || !all[0].Request.Scheduled || all[0].By != nil || all[0].Source != enum.TrainingFeedback {
		t.Fatalf("%+v, %+v", s, all)
	}
	// What was said before the last training counts no more.
	w.sql(`UPDATE training_runs SET status = 'succeeded', started_at = now(), ended_at = now()`)
	look(first.DueAt.AddDate(0, 0, 7))
	if s := of(); s.Skipped == nil || s.Skipped.Args["Have"] != 0.0 || len(runs()) != 1 {
		t.Errorf("%+v", s)
	}
	if _, err := w.SetWeekly(ctx, w.model, true, time.Friday, 24); keyOf(err) != "input.hour error.training.range" {
		t.Error(err)
	}
}
