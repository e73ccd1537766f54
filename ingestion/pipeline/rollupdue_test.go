package pipeline

import (
	"testing"
	"time"

	"foresight/internal/telemetry"
)

// Hours that were rolled up are marked when a reading comes into them, with the commit
// of its batch; others are not.
func TestHoursOfLateReadingsAreMarked(t *testing.T) {
	r := newRig(t, 1)
	now := telemetry.H1.Start(time.Now()).Add(30 * time.Minute)
	r.start = now
	begun := telemetry.H1.Start(now)
	r.exec(`INSERT INTO rollup_progress (tenant_id, resolution, begun_until) VALUES ($1, 'h1', $2)`, r.a.TenantID, begun)
	o := quick("w")
	o.Now = func() time.Time { return now }
	r.work(r.parts(r.store), o)
	marks := func(tenant any, hour time.Time) int {
		return r.ask(`SELECT coalesce(sum(marks), 0) FROM rollup_due WHERE tenant_id = $1 AND start_utc = $2 AND sensor_id IN ($3, $4)`,
			tenant, hour, r.a.Key(0).Sensor, r.b.Key(0).Sensor)
	}
	for round := range 3 {
		r.append(r.reading(r.a.Key(0), round, 1), r.reading(r.a.Key(0), round-3*3600, 1), r.reading(r.a.Key(0), round-3*3600+60, 1),
			r.reading(r.b.Key(0), round-3*3600, 1))
		// Sent again: it is in no rollup a second time, and asks for nothing.
		r.append(r.reading(r.a.Key(0), -3*3600, 1))
		r.caughtUp()
		late := begun.Add(-3 * time.Hour)
		if got := marks(r.a.TenantID, late); got < round+1 || got > 4*(round+1) {
			t.Errorf("round %d: %d marks of the hour, want one for each batch", round, got)
		}
		if n := r.ask(`SELECT count(*) FROM rollup_due`); n != 1 {
			t.Errorf("round %d: %d hours are marked, want that one", round, n)
		}
	}
	sameRollups(t, r.store, r.a.TenantID)
	sameRollups(t, r.store, r.b.TenantID)
}
