package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Readings that the store has lost come back from the landing zone by one command, and
// once only.
func TestReplayBringsBackWhatWasLost(t *testing.T) {
	i, err := start(filepath.Join(work, "replay"), "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.kill(); err != nil {
			t.Error(err)
		}
	})
	engineer := i.login(t, alpha, "engineer")
	const fed, n = "pump-b03-s1", 40
	sensor := i.sensors(t, engineer)[fed]
	begin := time.Now().Add(-6 * time.Hour).Truncate(time.Second)
	var readings []any
	for k := range n {
		readings = append(readings, vars{"sensorCode": fed, "timestamp": stamp(begin.Add(time.Duration(k) * time.Minute)), "values": []any{vars{"parameter": "flow", "value": 10 + k}}})
	}
	if got := get[ingested](t, i, engineer, ingestMutation, vars{"in": vars{"readings": readings}}).IngestReadings; got.AcceptedCount != n {
		t.Fatalf("taken in: %+v", got)
	}
	c, err := pgx.Connect(t.Context(), i.database())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	ask := func(query string, args ...any) (n int) {
		if err := c.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	stored := func() int { return ask(`SELECT count(*) FROM telemetry_raw WHERE sensor_id = $1`, sensor.ID) }
	within(t, patience, "the readings in the store", func() bool { return stored() == n })
	within(t, patience, "the readings in the landing zone", func() bool { // the checkpoint moves behind the readings
		return ask(`SELECT count(*) FROM partitions WHERE sequence > 0`) > 0 && ask(`SELECT count(*) FROM partitions p WHERE p.sequence > 0 AND NOT EXISTS (SELECT FROM log_checkpoints c
			WHERE c.reader = 'landing' AND c.number = p.number AND c.sequence >= p.sequence)`) == 0
	})
	if files, err := filepath.Glob(filepath.Join(i.dir, "landing", "*", "*", "*", "*.parquet")); err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	replay := func(token string, from time.Time) (string, error) {
		cmd, out, err := command(i.dir, "replay", "--url", i.url, "--from", stamp(from), "--to", stamp(begin.Add(time.Duration(n)*time.Minute)), "--sensor", sensor.ID)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, "FORESIGHT_TOKEN="+token)
		err = cmd.Run()
		return out.String(), err
	}
	if _, err := c.Exec(t.Context(), `DELETE FROM telemetry_raw WHERE sensor_id = $1`, sensor.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one changes nothing
		if out, err := replay(engineer, begin); err != nil || !strings.Contains(out, fmt.Sprintf("admitted again %d\n", n)) {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := stored(); got != n {
			t.Errorf("%d readings are stored, want %d", got, n)
		}
	}
	if late := ask(`SELECT count(*) FROM telemetry_raw WHERE sensor_id = $1 AND late`, sensor.ID); late != n {
		t.Errorf("%d late readings", late)
	}
	if out, err := replay(engineer, time.Now().AddDate(0, -3, 0)); err == nil || !strings.Contains(out, "30 days") {
		t.Errorf("beyond the retention: %v\n%s", err, out)
	}
	if out, err := replay(i.login(t, alpha, "viewer"), begin); err == nil {
		t.Errorf("a viewer may: %s", out)
	}
	if out, err := replay("", begin); err == nil || !strings.Contains(out, "FORESIGHT_TOKEN") {
		t.Errorf("without a credential: %v\n%s", err, out)
	}
}
