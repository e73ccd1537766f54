package health

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// champion answers by the failure predictor that ships.
type champion struct{ service *inference.Service }

func (c champion) Forecast(ctx context.Context, tenant id.UUID, rows []Row) ([]Forecast, error) {
	assets, x := make([]id.UUID, len(rows)), make([]daily.Vector, len(rows))
	for i := range rows {
		assets[i], x[i] = rows[i].Asset, rows[i].Features
	}
	found, failed, err := c.service.PredictFailures(ctx, tenant, assets, x)
	out := make([]Forecast, len(found))
	for i, p := range found {
		of := func(c inference.Chance) Probability { return Probability{c.Probability, c.Low, c.High} }
		out[i] = Forecast{Version: p.VersionID, Label: p.VersionLabel, Artifact: p.Artifact, Within7: of(p.Within7), Within30: of(p.Within30), Err: failed[i]}
	}
	return out, err
}

// BenchmarkNight is what a night costs a tenant of 10,000 machines with a sensor each
// and 90 days of history: summing up the hourly rollups of a day, and features,
// predictions and health of all, on a real PostgreSQL with the model that ships. The
// reference system scores 8,000 machines a minute. Run it with -benchtime 1x.
func BenchmarkNight(b *testing.B) {
	const machines = 10_000
	r := newRig(b)
	tenant, day := r.acme.TenantID, r.last()
	reg := prometheus.NewRegistry()
	models, err := inference.NewRegistry(inference.RegistryConfig{}, nil, nil, reg, slog.New(slog.DiscardHandler))
	r.ok(err)
	service, err := inference.NewService(inference.ServiceConfig{Slow: time.Minute}, models, reg)
	r.ok(err)
	r.service.Predictor = champion{service}
	built, ok := models.BuiltIn(artifact.FailurePredictor)
	if !ok {
		b.Fatal("no failure predictor ships")
	}
	r.sql(`UPDATE ml_model_versions SET id = $1 WHERE tenant_id = $2`, built.ID, tenant)
	r.sql(`INSERT INTO assets (id, tenant_id, site_id, asset_code, name, asset_type, iso_machine_group, iso_support_type)
		SELECT gen_random_uuid(), $1, $2, 'm-' || n, 'm', 'pump', 2, 'rigid' FROM generate_series(1, $3) n`, tenant, r.acme.SiteID, machines-1)
	r.sql(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) SELECT a.id, $1, a.id, a.asset_code || '-s', '{}' FROM assets a WHERE tenant_id = $1 AND asset_code LIKE 'm-%'`, tenant)
	d := daily.Day{Start: day, Heard: 1<<24 - 1, Predictions: 100, Faults: 3, Gravity: 2}
	for i := range 100 {
		d.VibrationRMS.Add(2 + float64(i%7)/10)
		d.BearingTemp.Add(50 + float64(i%5))
	}
	content, err := pack(&d)
	r.ok(err)
	r.sql(`INSERT INTO asset_days (tenant_id, asset_id, day, content) SELECT $1, a.id, $2::date - n, $3 FROM assets a, generate_series(1, 89) n WHERE a.tenant_id = $1`, tenant, day, content)
	r.sql(`INSERT INTO summarised_days (tenant_id, day) SELECT $1, $2::date - n FROM generate_series(1, 89) n`, tenant, day)
	rows, err := r.app.Query(r.as(r.acme), `SELECT id, asset_id, 1 FROM sensors WHERE tenant_id = $1`, tenant)
	r.ok(err)
	var rollups []telemetry.Rollup
	for rows.Next() {
		k := telemetry.Key{Tenant: tenant, Site: r.acme.SiteID}
		var n int
		r.ok(rows.Scan(&k.Sensor, &k.Asset, &n))
		for h := range 24 {
			row := telemetry.Rollup{Start: day.Add(time.Duration(h) * time.Hour)}
			raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: row.Start}, LogSeq: 1}
			for c := range raw.Channels {
				raw.Channels[c] = 1 + float64(c)/10
			}
			row.Add(&raw)
			rollups = append(rollups, row)
		}
	}
	r.ok(rows.Err())
	for len(rollups) > 0 {
		n := min(5000, len(rollups))
		r.ok(r.store.WriteRollups(b.Context(), telemetry.H1, rollups[:n]))
		rollups = rollups[n:]
	}
	r.sql(`ANALYZE`)
	ctx := r.as(r.acme)
	b.ReportAllocs()
	b.ResetTimer()
	var summing, scoring time.Duration
	for b.Loop() {
		b.StopTimer()
		for _, table := range []string{"failure_predictions", "asset_health", "asset_features"} {
			r.sql(`DELETE FROM `+table+` WHERE tenant_id = $1`, tenant)
		}
		r.sql(`DELETE FROM summarised_days WHERE tenant_id = $1 AND day = $2::date`, tenant, day)
		b.StartTimer()
		begin := time.Now()
		f, err := r.service.readFleet(ctx, tenant)
		r.ok(err)
		r.ok(r.service.summarise(ctx, tenant, f, day, func(int) error { return nil }))
		between := time.Now()
		t, err := r.service.scoreFleet(ctx, tenant, f, day)
		r.ok(err)
		if t.Scored != machines {
			b.Fatalf("%+v", t)
		}
		summing += between.Sub(begin)
		scoring += time.Since(between)
	}
	perMinute := func(d time.Duration) float64 { return machines * float64(b.N) / d.Minutes() }
	b.ReportMetric(perMinute(summing), "summed/min")
	b.ReportMetric(perMinute(scoring), "scored/min")
	b.ReportMetric(perMinute(summing+scoring), "machines/min")
}
