package pgstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func sample(tenant id.UUID, at time.Time, seq uint64) telemetry.Raw {
	r := telemetry.Raw{
		Reading: telemetry.Reading{
			Key:       telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)},
			Timestamp: at, Channels: telemetry.NoChannels(),
		},
		IngestID: telemetry.IngestID(id.New(id.RawReading)), LogSeq: seq, ReceivedAt: at, Payload: []byte("{}"),
	}
	return r
}

func write(t *testing.T, s *Store, docs ...telemetry.Raw) {
	t.Helper()
	if _, err := s.WriteReadings(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
}

// TestRolesAreConfined goes around the store: the database itself must refuse.
func TestRolesAreConfined(t *testing.T) {
	db := testkit.NewDB(t)
	s := open(t, db)
	mine, other := id.New(id.Tenant), id.New(id.Tenant)
	now := time.Now().UTC()
	r := sample(mine, now, 1)
	write(t, s, r)
	rollup := telemetry.Rollup{Start: telemetry.M5.Start(now)}
	rollup.Add(&r)
	if err := s.WriteRollups(t.Context(), telemetry.M5, []telemetry.Rollup{rollup}); err != nil {
		t.Fatal(err)
	}
	partition := "telemetry_raw_" + now.Format("20060102")
	for _, c := range []struct {
		role, name string
		dsn        string
		tenant     string
		sql        string
		want       string // "refused", or the number of rows
	}{
		{"app", "own tenant", db.AppDSN, mine.String(), `SELECT FROM telemetry_raw`, "1"},
		{"app", "other tenant", db.AppDSN, other.String(), `SELECT FROM telemetry_raw`, "0"},
		{"app", "no tenant", db.AppDSN, "", `SELECT FROM telemetry_raw`, "0"},
		{"app", "latest of another", db.AppDSN, other.String(), `SELECT FROM telemetry_latest`, "0"},
		{"app", "writes", db.AppDSN, mine.String(), `DELETE FROM telemetry_raw`, "refused"},
		{"app", "a partition", db.AppDSN, mine.String(), `SELECT FROM ` + partition, "refused"},
		{"app", "leases", db.AppDSN, mine.String(), `SELECT FROM partitions`, "refused"},
		{"app", "retention", db.AppDSN, mine.String(), `SELECT foresight_drop_telemetry_before(now())`, "refused"},
		{"app", "new days", db.AppDSN, mine.String(), `SELECT foresight_ensure_telemetry_partitions(now(), now())`, "refused"},
		{"worker", "other tenant", db.WorkerDSN, other.String(), `SELECT FROM telemetry_raw`, "0"},
		{"worker", "no tenant", db.WorkerDSN, "", `SELECT FROM telemetry_raw`, "0"},
		{"worker", "a partition", db.WorkerDSN, mine.String(), `SELECT FROM ` + partition, "refused"},
		{"app", "rollups of another", db.AppDSN, other.String(), `SELECT FROM telemetry_rollup`, "0"},
		{"app", "own rollups", db.AppDSN, mine.String(), `SELECT FROM telemetry_rollup`, "1"},
		{"app", "writes rollups", db.AppDSN, mine.String(), `UPDATE telemetry_rollup SET readings = 9`, "refused"},
		{"app", "forgets", db.AppDSN, mine.String(), `SELECT foresight_forget_telemetry('` + mine.String() + `', 'telemetry_raw', now(), 1)`, "refused"},
		{"app", "marks of rollups", db.AppDSN, mine.String(), `SELECT FROM rollup_due`, "refused"},
		{"worker", "rollups of another", db.WorkerDSN, other.String(), `SELECT FROM telemetry_rollup`, "0"},
		{"worker", "deletes rollups", db.WorkerDSN, mine.String(), `DELETE FROM telemetry_rollup`, "refused"},
		{"worker", "forgets any table", db.WorkerDSN, "", `SELECT foresight_forget_telemetry('` + mine.String() + `', 'tenants', now(), 1)`, "refused"},
		{"worker", "deletes", db.WorkerDSN, mine.String(), `DELETE FROM telemetry_raw`, "refused"},
		{"worker", "moves a row to another tenant", db.WorkerDSN, mine.String(), `UPDATE telemetry_latest SET tenant_id = '` + other.String() + `' RETURNING 1`, "refused"},
		{"worker", "any table's partitions", db.WorkerDSN, "", `SELECT foresight_drop_partitions_before('predictions', now())`, "refused"},
	} {
		t.Run(c.role+" "+c.name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.WithoutCancel(t.Context()))
			if _, err := conn.Exec(t.Context(), `SELECT set_config('app.tenant_id', $1, false)`, c.tenant); err != nil {
				t.Fatal(err)
			}
			tag, err := conn.Exec(t.Context(), c.sql)
			got := strings.TrimPrefix(tag.String(), "SELECT ")
			if err != nil {
				got = "refused"
			}
			if got != c.want {
				t.Errorf("%s: %s, want %s (%v)", c.sql, got, c.want, err)
			}
		})
	}
}

func TestErrorsHaveKinds(t *testing.T) {
	s := open(t, testkit.NewDB(t))
	tenant := id.New(id.Tenant)
	good := sample(tenant, time.Now().UTC(), 1)
	for name, spoil := range map[string]func(*telemetry.Raw){
		"text that is no UTF-8":    func(r *telemetry.Raw) { r.Topic = "\xff" },
		"a value that is no JSON":  func(r *telemetry.Raw) { r.Values = []telemetry.Value{{Name: "x", Value: telemetry.NoChannels()[0]}} },
		"a time out of all reason": func(r *telemetry.Raw) { r.Timestamp = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a time before all":        func(r *telemetry.Raw) { r.Timestamp = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		bad := sample(tenant, good.Timestamp, 2)
		spoil(&bad)
		_, err := s.WriteReadings(t.Context(), []telemetry.Raw{good, bad})
		if !fault.Is(err, fault.BadInput) {
			t.Errorf("%s: %v is not BadInput", name, err)
		}
	}
	if got, err := s.Readings(t.Context(), telemetry.RangeQuery{Tenant: tenant, Limit: 10}); err != nil || len(got) != 0 {
		t.Errorf("a refused batch left %d readings, %v", len(got), err)
	}
	s.write.Close()
	if _, err := s.WriteReadings(t.Context(), []telemetry.Raw{good}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a server: %v is not Unavailable", err)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("ping without a server: %v is not Unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Readings(ctx, telemetry.RangeQuery{Tenant: tenant, Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestDroppedDayReturns: a day that was dropped by another process while this one
// believes it is there.
func TestDroppedDayReturns(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := open(t, db), open(t, db)
	tenant := id.New(id.Tenant)
	day := time.Now().UTC().Truncate(24 * time.Hour)
	write(t, a, sample(tenant, day.Add(-time.Hour), 1))
	if err := b.DropReadingsBefore(t.Context(), day); err != nil {
		t.Fatal(err)
	}
	write(t, a, sample(tenant, day.Add(-time.Hour), 2))
	got, err := a.Readings(t.Context(), telemetry.RangeQuery{Tenant: tenant, Limit: 10})
	if err != nil || len(got) != 1 || got[0].LogSeq != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}
