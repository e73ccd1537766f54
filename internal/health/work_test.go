package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/inference/daily"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// The whole way: a day that has settled is found, its job is worked by the queue, and
// features, prediction, health and event are there, of this tenant alone.
func TestADayIsScored(t *testing.T) {
	r := newRig(t)
	day := r.last()
	for i := range 10 {
		r.hours(r.acme.Key(0), day.AddDate(0, 0, -i), 24, 5)
	}
	r.hours(r.acme.Key(1), day, 2, 6)
	r.hours(r.acme.Key(0), day.AddDate(0, 0, 1), 1, 900) // the day after
	r.sql(`INSERT INTO maintenance_records (id, tenant_id, asset_id, performed_at, kind, source, external_ref, created_at) VALUES
		($1, $2, $3, $4, 'corrective', 'csv', 'a', $4), ($5, $2, $3, $4, 'corrective', 'csv', 'known too late', $6)`,
		id.New(id.MaintenanceRecord), r.acme.TenantID, r.acme.AssetID, day.AddDate(0, 0, -4), id.New(id.MaintenanceRecord), daily.AsOf(day).Add(time.Second))

	runner := jobs.NewRunner(jobs.Options{Pool: r.worker, Log: slog.New(slog.DiscardHandler)})
	r.service.Work(runner)
	r.ok(runner.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
		defer cancel()
		r.ok(runner.Stop(ctx))
	})
	r.ok(r.schedule.Start(t.Context()))
	t.Cleanup(func() { r.ok(r.schedule.Stop(context.WithoutCancel(t.Context()))) })
	testkit.Eventually(t, testkit.Patience, func() bool {
		return one[int](r, r.acme, `SELECT count(*) FROM scoring_jobs WHERE tenant_id = $1 AND status = 'succeeded' AND assets = 1 AND scored = 1 AND unscored = 0`, r.acme.TenantID) == 1
	})

	f := r.features(r.acme, day)
	for name, want := range map[string]float64{
		"vibration_rms_7d_avg": (7*24*5 + 2*6) / 170.0, "vibration_rms_30d_max": 6, "telemetry_coverage_7d": 1, "running_hours_30d": 240,
		"zone_exceed_hours_30d": 240, "days_since_last_maintenance": 5, "maintenance_count_90d": 1, "corrective_count_365d": 1,
		"criticality_encoded": 2, "asset_type_encoded": 1, "alert_count_7d": 0,
	} {
		if got, ok := f[name]; !ok || math.Abs(got-want) > 1e-5*max(1, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if _, ok := f["oil_pressure_7d_avg"]; ok {
		t.Error("oil pressure of a machine that measures none")
	}
	p := 1 / (1 + math.Exp(4-(7*24*5+2*6)/170.0))
	found, err := r.service.NewestOf(r.as(r.acme), []id.UUID{r.acme.AssetID})
	r.ok(err)
	got := found[r.acme.AssetID]
	if got == nil || math.Abs(got.FailureProb30d-p) > 1e-5 || got.ModelVersionID != r.version || !got.PredictedAt.Equal(daily.AsOf(day)) || got.RiskLevel != enum.RiskHigh {
		t.Fatalf("prediction %+v, want %v", got, p)
	}
	evidence := Evidence{Probability30: &got.FailureProb30d, Zone: "D", Criticality: enum.CriticalityHigh}
	if want, _ := evidence.Health(); math.Abs(got.HealthScore-want) > 1e-9 {
		t.Errorf("health %v, want %v", got.HealthScore, want)
	}
	var inputs map[string]any
	r.ok(json.Unmarshal([]byte(one[string](r, r.acme, `SELECT inputs::text FROM asset_health WHERE tenant_id = $1 AND method = $2 AND health_score = $3`,
		r.acme.TenantID, Method, got.HealthScore)), &inputs))
	if inputs["iso_zone"] != "D" || inputs["failure_prob_30d"] != got.FailureProb30d || inputs["criticality"] != "high" {
		t.Errorf("inputs %v", inputs)
	}
	told := r.told.of(event.Health)
	if len(told) != 1 || told[0].Health.Failure.ID != got.ID || told[0].Health.Score != got.HealthScore || told[0].Health.Failure.Risk != "high" || told[0].Key != (telemetry.Key{Tenant: r.acme.TenantID, Site: r.acme.SiteID, Asset: r.acme.AssetID}) {
		t.Errorf("told %+v", told)
	}
	if n := one[int](r, r.globex, `SELECT count(*) FROM failure_predictions`) + one[int](r, r.globex, `SELECT count(*) FROM asset_days`); n != 0 {
		t.Errorf("%d rows of nothing in the other tenant", n)
	}
}

func (r *rig) features(p testkit.Plant, day time.Time) (f map[string]float64) {
	r.Helper()
	text := one[string](r, p, `SELECT features::text FROM asset_features WHERE tenant_id = $1 AND asset_id = $2 AND day = $3::date`, p.TenantID, p.AssetID, day)
	r.ok(json.Unmarshal([]byte(text), &f))
	return f
}

// What was said of a day stays, whatever comes to be known of it later.
func TestADayIsScoredOnce(t *testing.T) {
	r := newRig(t)
	day := r.last()
	r.hours(r.acme.Key(0), day, 24, 5)
	r.look(r.acme)
	before, asked := r.features(r.acme, day), r.model.asked
	state := func() string {
		return one[string](r, r.acme, `SELECT (SELECT string_agg(p::text, ';') FROM failure_predictions p) || (SELECT string_agg(h::text, ';') FROM asset_health h)`)
	}
	was := state()
	ended := func() time.Time { return one[time.Time](r, r.acme, `SELECT finished_at FROM scoring_jobs`) }
	first := ended()
	r.hours(r.acme.Key(1), day, 24, 50) // came late
	r.sql(`UPDATE scoring_jobs SET status = 'queued' WHERE tenant_id = $1`, r.acme.TenantID)
	r.look(r.acme)
	if !ended().After(first) {
		t.Fatal("the day was not scored a second time")
	}
	if after := r.features(r.acme, day); after["vibration_rms_7d_avg"] != before["vibration_rms_7d_avg"] {
		t.Errorf("vibration %v became %v", before["vibration_rms_7d_avg"], after["vibration_rms_7d_avg"])
	}
	if is := state(); is != was || r.model.asked != asked {
		t.Errorf("changed from %s to %s, asked %d times more", was, is, r.model.asked-asked)
	}
	// The day after knows it.
	r.now = r.now.Add(24 * time.Hour)
	r.sql(`UPDATE summarised_days SET made_at = made_at - interval '1 day' WHERE tenant_id = $1`, r.acme.TenantID)
	r.look(r.acme)
	if next := r.features(r.acme, r.last()); next["vibration_rms_7d_max"] != 50 {
		t.Errorf("the late readings are not in the next day's features: %v", next["vibration_rms_7d_max"])
	}
}

// Without a model the features are kept, it shows, and the score is made up from the
// features as they were.
func TestAMissingScoreIsMadeUp(t *testing.T) {
	r := newRig(t)
	day := r.last()
	r.hours(r.acme.Key(0), day, 24, 3)
	r.model.off = true
	r.look(r.acme)
	if n := one[int](r, r.acme, `SELECT unscored FROM scoring_jobs WHERE status = 'succeeded'`); n != 1 {
		t.Fatalf("%d unscored", n)
	}
	features := r.features(r.acme, day)
	if n := one[int](r, r.acme, `SELECT count(*) FROM failure_predictions`); n != 0 {
		t.Fatalf("%d predictions by no model", n)
	}
	without := one[float64](r, r.acme, `SELECT health_score FROM asset_health WHERE NOT inputs ? 'failure_prob_30d'`)
	r.hours(r.acme.Key(1), day, 24, 50)
	r.model.off = false
	r.look(r.acme)
	if n := one[int](r, r.acme, `SELECT unscored FROM scoring_jobs WHERE status = 'succeeded' AND scored = 1`); n != 0 {
		t.Errorf("%d unscored still", n)
	}
	p := 1 / (1 + math.Exp(4-features["vibration_rms_7d_avg"]))
	if got := one[float64](r, r.acme, `SELECT failure_prob_30d FROM failure_predictions`); math.Abs(got-p) > 1e-6 {
		t.Errorf("probability %v, want %v: of the features as they were", got, p)
	}
	if with := one[float64](r, r.acme, `SELECT health_score FROM asset_health WHERE inputs ? 'failure_prob_30d'`); !(with < without) {
		t.Errorf("health %v with the prediction, %v without", with, without)
	}
	asked := r.model.asked
	r.look(r.acme)
	if r.model.asked != asked {
		t.Error("asked again for what is complete")
	}
}

func TestMissedDaysAreMadeUp(t *testing.T) {
	r := newRig(t)
	first := r.last()
	for i := range 4 {
		r.hours(r.acme.Key(0), first.AddDate(0, 0, i), 24, 5)
	}
	days := func() int { return one[int](r, r.acme, `SELECT count(*) FROM scoring_jobs WHERE status = 'succeeded'`) }
	r.look(r.acme)
	if n := days(); n != 1 {
		t.Fatalf("%d days scored at first, want the newest", n)
	}
	r.now = r.now.AddDate(0, 0, 3)
	r.look(r.acme)
	if n, p := days(), one[int](r, r.acme, `SELECT count(*) FROM failure_predictions`); n != 4 || p != 4 {
		t.Errorf("%d days and %d predictions after 3 missed ones, want 4", n, p)
	}
	if got := r.features(r.acme, first.AddDate(0, 0, 1))["vibration_rms_7d_avg"]; got != 5 {
		t.Errorf("vibration %v", got)
	}
	r.now = r.now.AddDate(0, 0, 60)
	r.look(r.acme)
	if n := days(); n != 4+catchUp {
		t.Errorf("%d days after 60 missed ones, want %d more", n, catchUp)
	}
	if n := one[int](r, r.acme, `SELECT count(*) FROM summarised_days WHERE day < $1::date - $2::int`, r.last(), kept); n != 0 {
		t.Errorf("%d days are kept that nothing looks back on", n)
	}
	if n := one[int](r, r.acme, `SELECT count(*) FROM failure_predictions`); n != 4 {
		t.Errorf("%d predictions: a machine that was not heard for a week was predicted", n)
	}
}

func TestAFailedDayIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.ok(r.schedule.Look(t.Context()))
	job := one[id.UUID](r, r.acme, `SELECT id FROM scoring_jobs`)
	args := scoreArgs{jobs.Behalf{TenantID: r.acme.TenantID}, job}
	r.service.gaveUp(r.as(r.acme), args, fault.New(fault.Unavailable, "error.telemetry.unavailable"))
	if kept := jobs.ToldFailure([]byte(one[string](r, r.acme, `SELECT error::text FROM scoring_jobs WHERE status = 'failed'`))); kept.Key != "error.telemetry.unavailable" {
		t.Errorf("kept %+v", kept)
	}
	r.look(r.acme)
	if n := one[int](r, r.acme, `SELECT count(*) FROM scoring_jobs WHERE status = 'succeeded' AND error IS NULL`); n != 1 {
		t.Error("not done the second time")
	}
	if s := one[string](r, r.globex, `SELECT status FROM scoring_jobs`); s != "queued" {
		t.Errorf("the other tenant's is %s", s)
	}
}

func TestOnlyTheTenantsOwnIsSeen(t *testing.T) {
	r := newRig(t)
	r.hours(r.acme.Key(0), r.last(), 24, 5)
	r.look(r.acme)
	newest, err := r.service.NewestOf(r.globex.As(t.Context(), tenancy.Admin), []id.UUID{r.acme.AssetID})
	r.ok(err)
	if len(newest) != 0 {
		t.Errorf("globex sees %v", newest)
	}
	for _, table := range []string{"asset_days", "summarised_days"} {
		if n := one[int](r, r.globex, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("globex sees %d rows of %s", n, table)
		}
		if n := one[int](r, r.acme, `SELECT count(*) FROM `+table); n == 0 {
			t.Errorf("acme sees no rows of %s", table)
		}
	}
	if _, err := r.app.Exec(r.as(r.globex), `INSERT INTO asset_days (tenant_id, asset_id, day, content) VALUES ($1, $2, now(), 'x')`, r.acme.TenantID, r.acme.AssetID); err == nil {
		t.Error("globex wrote a day of acme")
	}
}
