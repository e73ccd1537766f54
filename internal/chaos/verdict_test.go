package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// verdict is what became of a load's readings, and of the alarms of all loads so far.
type verdict struct {
	published, acknowledged, repeated int
	stored, lost, duplicated          int
	disordered                        int // stand in the log behind a newer one of their sensor, or are flagged late
	alarms, transitions, frames       int // of the rule, since the installation began
	wrong                             int // sensors whose alarms are not those of their readings
}

// String is for figures.
func (v verdict) String() string {
	return fmt.Sprintf("%d published, %d acknowledged (%d sent again), %d stored, %d lost, %d duplicated, %d out of order; alarms: %d events, %d transitions, %d frames, %d sensors wrong",
		v.published, v.acknowledged, v.repeated, v.stored, v.lost, v.duplicated, v.disordered, v.alarms, v.transitions, v.frames, v.wrong)
}

// row is a stored reading in the order of the log.
type row struct {
	sensor string
	at     time.Time
	late   bool
	flow   float64
}

// stored reads what is stored of the tenant since the installation began, in the log's order.
func (in *installation) stored(t testing.TB, tenant string) []row {
	t.Helper()
	rows, err := in.db.Query(t.Context(), `SELECT s.sensor_code, r.timestamp_utc, r.late, (r.values->>'flow')::float8
		FROM telemetry_raw r JOIN sensors s ON s.id = r.sensor_id JOIN tenants t ON t.id = r.tenant_id
		WHERE t.code = $1 AND r.values ? 'flow' AND r.timestamp_utc >= $2 ORDER BY r.log_seq`, tenant, in.begin.Add(-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (x row, err error) {
		return x, r.Scan(&x.sensor, &x.at, &x.late, &x.flow)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// judge waits until all that the load had acknowledged is stored and the alarms agree
// with it, and fails the test when that does not come to pass.
func (l *load) judge(t testing.TB, tenant, event string) verdict {
	t.Helper()
	var v verdict
	deadline := time.Now().Add(patience)
	for {
		v = l.look(t, tenant)
		if v.lost == 0 && v.wrong == 0 && v.frames == v.transitions || time.Now().After(deadline) {
			break
		}
		lasting(t, 200*time.Millisecond)
	}
	figure("%s: %s", event, v)
	if v.acknowledged < v.published {
		t.Errorf("%d readings were never acknowledged", v.published-v.acknowledged)
	}
	if v.lost > 0 || v.duplicated > 0 || v.disordered > 0 || v.wrong > 0 || v.frames != v.transitions {
		t.Errorf("%s: %s", event, v)
	}
	for _, m := range append([]*member{l.in.api, l.in.ingest}, l.in.workers...) {
		if err := m.sound(); err != nil {
			t.Error(err)
		}
	}
	return v
}

// look compares once.
func (l *load) look(t testing.TB, tenant string) (v verdict) {
	t.Helper()
	have := l.in.stored(t, tenant)
	times := map[reading]int{}
	newest := map[string]time.Time{}
	want := map[string][]string{}
	for _, r := range have {
		times[reading{r.sensor, r.at.UnixMilli()}]++
		if r.late || r.at.Before(newest[r.sensor]) {
			v.disordered++
			continue
		}
		newest[r.sensor] = r.at
		states := want[r.sensor]
		open := len(states) > 0 && states[len(states)-1] == "open"
		switch above := r.flow > threshold; {
		case above && !open:
			want[r.sensor] = append(states, "open")
		case !above && open:
			want[r.sensor] = append(states, "cleared")
		}
	}
	l.ledger.mu.Lock()
	v.published, v.repeated, v.acknowledged = l.ledger.published, l.ledger.repeated, len(l.ledger.acknowledged)
	for r := range l.ledger.acknowledged {
		switch times[r] {
		case 0:
			v.lost++
		default:
			v.stored++
		}
	}
	l.ledger.mu.Unlock()
	for _, n := range times {
		v.duplicated += n - 1
	}
	if tenant == alpha && l.in.rule != "" {
		l.in.lookAtAlarms(t, want, &v)
	}
	return v
}

// lookAtAlarms compares the rule's transitions with those that the readings give: one
// event a sensor, since none is resolved, which opens and clears.
func (in *installation) lookAtAlarms(t testing.TB, want map[string][]string, v *verdict) {
	t.Helper()
	rows, err := in.db.Query(t.Context(), `SELECT s.sensor_code, e.id::text, x.to_status, x.seq FROM alarm_transitions x
		JOIN alarm_events e ON e.id = x.event_id JOIN sensors s ON s.id = e.sensor_id WHERE e.rule_id = $1 ORDER BY x.seq`, in.rule)
	if err != nil {
		t.Fatal(err)
	}
	have, events := map[string][]string{}, map[string]bool{}
	frames := in.frames.seen()
	var sensor, event, to string
	var seq uint64
	_, err = pgx.ForEachRow(rows, []any{&sensor, &event, &to, &seq}, func() error {
		have[sensor] = append(have[sensor], to)
		events[event] = true
		v.transitions++
		v.frames += frames[seq]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v.alarms = len(events)
	for sensor, states := range want {
		if !slices.Equal(have[sensor], states) {
			v.wrong++
		}
	}
	for sensor := range have {
		if want[sensor] == nil {
			v.wrong++
		}
	}
	if v.alarms > len(have) {
		v.wrong += v.alarms - len(have) // a sensor with two events
	}
}
