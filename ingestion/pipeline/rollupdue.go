package pipeline

import (
	"bytes"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// An hour that the coarser rollups have been made of, or are being made of, must be
// made again when a reading came into it. The mark stands in the transaction of the
// checkpoint, after the 5-minute rollup was written: whoever finds the mark finds the
// reading, and no reading is passed by the checkpoint without its mark. An hour that
// nobody has begun with needs none; begun_until is committed before the hour is read.
// The lock makes who begins wait for transactions that have looked and not committed,
// so that it finds the sensors that these make known.
const lockDue = `SELECT pg_advisory_xact_lock_shared(hashtextextended('rollups of ' || $1::text, 0))`

const markDue = `INSERT INTO rollup_due AS d (tenant_id, sensor_id, start_utc)
SELECT $1, n.sensor, n.start FROM unnest($2::uuid[], $3::timestamptz[]) AS n (sensor, start)
WHERE n.start < (SELECT begun_until FROM rollup_progress WHERE tenant_id = $1 AND resolution = 'h1')
ON CONFLICT (tenant_id, sensor_id, start_utc) DO UPDATE SET marks = d.marks + 1`

// past is a sensor's hour that is over.
type past struct {
	sensorID
	hour time.Time
}

// pastHours lists the hours over at the time that the batch's own readings lie in,
// each once, tenants and sensors in the order of their ids. Almost always it is empty.
func pastHours(b *batch, now time.Time) []past {
	var out []past
	current := telemetry.H1.Start(now)
	for i := range b.raws {
		if r := &b.raws[i]; b.own[i] && r.Timestamp.Before(current) {
			out = append(out, past{sensorID{r.Tenant, r.Sensor}, telemetry.H1.Start(r.Timestamp)})
		}
	}
	return inOrder(out)
}

// inOrder sorts the hours and leaves each once.
func inOrder(out []past) []past {
	slices.SortFunc(out, func(a, b past) int {
		if c := bytes.Compare(a.tenant[:], b.tenant[:]); c != 0 {
			return c
		}
		if c := bytes.Compare(a.sensor[:], b.sensor[:]); c != 0 {
			return c
		}
		return a.hour.Compare(b.hour)
	})
	return slices.Compact(out)
}

// queueDue adds the statements that mark the hours.
func queueDue(batch *pgx.Batch, hours []past) {
	for from := 0; from < len(hours); {
		tenant := hours[from].tenant
		var sensors []id.UUID
		var starts []time.Time
		to := from
		for ; to < len(hours) && hours[to].tenant == tenant; to++ {
			sensors, starts = append(sensors, hours[to].sensor), append(starts, hours[to].hour)
		}
		batch.Queue(setTenant, tenant.String())
		batch.Queue(lockDue, tenant.String())
		batch.Queue(markDue, tenant, sensors, starts)
		from = to
	}
}
