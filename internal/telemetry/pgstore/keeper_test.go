package pgstore

import (
	"log/slog"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func TestKeeperMakesComingDaysAndDropsOldOnes(t *testing.T) {
	db := testkit.NewDB(t)
	s := open(t, db)
	tenant := id.New(id.Tenant)
	now := time.Now().UTC()
	for i, age := range []time.Duration{0, 20 * 24 * time.Hour, 32 * 24 * time.Hour} {
		write(t, s, sample(tenant, now.Add(-age), uint64(i+1)))
	}
	k := NewKeeper(s, Retention{}, slog.New(slog.DiscardHandler))
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := func() int {
		got, err := s.Readings(t.Context(), telemetry.RangeQuery{Tenant: tenant, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return list() == 2 })
	var coming int
	if err := pool(t, db.OwnerDSN).QueryRow(t.Context(), `SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN ('telemetry_raw'::regclass, 'predictions'::regclass) AND right(c.relname, 8) > $1`, now.Format("20060102")).Scan(&coming); err != nil {
		t.Fatal(err)
	}
	if coming != 2*daysAhead {
		t.Errorf("%d partitions of coming days, want %d", coming, 2*daysAhead)
	}
	if err := k.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := k.Keep(t.Context(), now.AddDate(0, 0, 6)); err == nil {
		t.Error("made partitions beyond the next week")
	}
}
