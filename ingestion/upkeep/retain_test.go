package upkeep

import (
	"testing"
	"time"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// keep sets a tenant's own terms, in days.
func (r *rig) keep(tenant id.UUID, readings, predictions int) {
	r.Helper()
	tag, err := r.owner.Exec(r.Context(), `UPDATE tenants SET settings = settings || jsonb_build_object('raw_retention_days', $2::int, 'prediction_retention_days', $3::int) WHERE id = $1`,
		tenant, readings, predictions)
	r.ok(err)
	if tag.RowsAffected() != 1 {
		r.Fatal("no such tenant")
	}
}

// furnish writes a document of each class a number of days ago.
func (r *rig) furnish(k telemetry.Key, days ...int) {
	r.Helper()
	for _, d := range days {
		at := r.now.AddDate(0, 0, -d).Truncate(time.Millisecond)
		r.seq++
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels()},
			IngestID: telemetry.IngestID(id.New(id.RawReading)), LogSeq: r.seq, ReceivedAt: at, Payload: []byte("{}")}
		_, err := r.store.WriteReadings(r.Context(), []telemetry.Raw{raw})
		r.ok(err)
		r.ok(r.store.WritePredictions(r.Context(), []telemetry.FaultPrediction{{Key: k, ID: id.Derive(id.Prediction, at, k.Sensor[:]), Timestamp: at,
			IngestID: raw.IngestID, Label: telemetry.Normal, Probability: 1, VersionID: id.New(id.MLModelVersion), Role: telemetry.Production}}))
		for _, res := range telemetry.Resolutions {
			row := telemetry.Rollup{Start: res.Start(at)}
			row.Add(&raw)
			r.ok(r.store.WriteRollups(r.Context(), res, []telemetry.Rollup{row}))
		}
	}
}

// holds counts a tenant's documents by class.
func (r *rig) holds(tenant id.UUID) (n [len(telemetry.Classes)]int) {
	r.Helper()
	for i, table := range []string{"telemetry_raw", "predictions", "telemetry_rollup", "telemetry_rollup_h1", "telemetry_rollup_d1"} {
		r.ok(r.owner.QueryRow(r.Context(), `SELECT count(*) FROM `+table+` WHERE tenant_id = $1`, tenant).Scan(&n[i]))
	}
	return n
}

func TestTenantsKeepWhatTheySay(t *testing.T) {
	r := newRig(t)
	strict, lax := testkit.TwoTenants(t, r.db)
	r.keep(strict.TenantID, 7, 14)
	r.keep(lax.TenantID, 3000, 0) // more than the installation keeps, and its default
	days := []int{1, 6, 8, 13, 15, 399, 401}
	r.furnish(strict.Key(0), days...)
	r.furnish(lax.Key(0), days...)
	for range 2 {
		r.ok(r.upkeep.Retain(t.Context()))
		if got := r.holds(strict.TenantID); got != [...]int{2, 4, 7, 6, 7} {
			t.Errorf("the strict tenant holds %v", got)
		}
		if got := r.holds(lax.TenantID); got != [...]int{7, 7, 7, 6, 7} {
			t.Errorf("the other tenant holds %v", got)
		}
	}
}

func TestPurgeDeletesATenantsTelemetry(t *testing.T) {
	r := newRig(t)
	gone, stays := testkit.TwoTenants(t, r.db)
	for _, p := range []testkit.Plant{gone, stays} {
		r.sensor(p.TenantID)
		r.furnish(p.Key(0), 1, 5)
		r.ok(r.upkeep.Roll(t.Context()))
	}
	if _, err := Purge(t.Context(), r.pool, r.store, gone.TenantID); !fault.Is(err, fault.Conflict) {
		t.Errorf("purging an active tenant: %v", err)
	}
	if got := r.holds(gone.TenantID); got[telemetry.ClassReadings] != 2 {
		t.Errorf("a refused purge left %v", got)
	}
	_, err := r.owner.Exec(t.Context(), `UPDATE tenants SET is_active = false WHERE id = $1`, gone.TenantID)
	r.ok(err)
	before := r.holds(stays.TenantID)
	n, err := Purge(t.Context(), r.pool, r.store, gone.TenantID)
	if err != nil || n < 10 {
		t.Errorf("purged %d, %v", n, err)
	}
	if got := r.holds(gone.TenantID); got != [...]int{0, 0, 0, 0, 0} {
		t.Errorf("it still holds %v", got)
	}
	if got := r.holds(stays.TenantID); got != before {
		t.Errorf("the other tenant holds %v, had %v", got, before)
	}
	for tenant, want := range map[id.UUID]int{gone.TenantID: 0, stays.TenantID: 1} {
		var states int
		r.ok(r.pool.QueryRow(t.Context(), `SELECT count(*) FROM sensor_states WHERE tenant_id = $1`, tenant).Scan(&states))
		if states != want {
			t.Errorf("%d states of sensors, want %d", states, want)
		}
	}
	if n, err := Purge(t.Context(), r.pool, r.store, gone.TenantID); err != nil || n != 0 {
		t.Errorf("once more: %d, %v", n, err)
	}
	if _, err := Purge(t.Context(), r.pool, r.store, id.New(id.Tenant)); !fault.Is(err, fault.NotFound) {
		t.Errorf("a tenant that is not: %v", err)
	}
}
