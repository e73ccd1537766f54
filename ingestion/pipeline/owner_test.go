package pipeline

import (
	"context"
	"testing"
	"time"

	"foresight/internal/event"
	"foresight/internal/telemetry"
)

func (r *rig) owned(w *Worker) int {
	return r.ask(`SELECT count(*) FROM partitions WHERE owner = $1`, w.leases.worker)
}

func TestWorkersShareFairlyAndTakeOver(t *testing.T) {
	r := alarmRig(t, 16)
	// An owner whose lease runs out may publish behind the next one.
	calm := func(name string) Options {
		o := quick(name)
		o.Lease = 20 * time.Second
		return o
	}
	one := r.work(r.parts(r.store), calm("one"))
	if n := r.owned(one); n != 16 {
		t.Fatalf("alone it owns %d partitions", n)
	}
	two := r.work(r.parts(r.store), calm("two"))
	r.eventually("two share", func() bool { return r.owned(one) == 8 && r.owned(two) == 8 })
	r.feed(fed / 2)
	three := r.work(r.parts(r.store), calm("three"))
	r.eventually("three share", func() bool { return r.owned(one) == 6 && r.owned(two) == 6 && r.owned(three) == 4 })
	r.end(one)
	if n := r.owned(one); n != 0 {
		t.Errorf("a stopped worker owns %d partitions", n)
	}
	r.eventually("two take over", func() bool { return r.owned(two) == 8 && r.owned(three) == 8 })
	r.caughtUp()
	want := r.expected(fed / 2)
	r.sameAs(want)
	for _, k := range []telemetry.Key{r.a.Key(0), r.b.Key(1)} {
		var last time.Time
		for _, e := range r.events.of(event.Telemetry, k.Sensor) {
			if !e.Reading.Late && e.Reading.Timestamp.Before(last) {
				t.Error("readings of a sensor published out of order")
			}
			if !e.Reading.Late {
				last = e.Reading.Timestamp
			}
		}
	}
}

// TestRestartResumesAtTheCheckpoint processes a log in pieces, each by a new worker
// whose windows come from the store.
func TestRestartResumesAtTheCheckpoint(t *testing.T) {
	r := alarmRig(t, 2)
	for n := range fed {
		for _, k := range []telemetry.Key{r.a.Key(0), r.a.Key(1), r.b.Key(0), r.b.Key(1)} {
			v := 1.0
			if n >= fed/2 && n < fed/2+5 {
				v = 100
			}
			r.append(r.reading(k, 2*n, v))
			if n == fed/3 || n == fed/2 {
				r.append(r.reading(k, 2*n-5, v))
			}
		}
		if n%6 == 5 || n == fed-1 {
			w := r.work(r.parts(r.store), quick("w"))
			r.caughtUp()
			r.end(w)
		}
	}
	r.sameAs(r.expected(fed))
	if n := len(r.events.of(event.Telemetry, r.a.Key(0).Sensor)); n != fed+2 {
		t.Errorf("%d readings published, want %d", n, fed+2)
	}
}

// No lease is at stake yet when a worker starts: it waits for the database.
func TestAWorkerStartsOnASlowDatabase(t *testing.T) {
	r := newRig(t, 1)
	o := quick("w")
	tx, err := r.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE pipeline_workers IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(2*o.Lease, func() { _ = tx.Rollback(context.Background()) })
	w := r.work(r.parts(r.store), o)
	if n := r.owned(w); n != 1 {
		t.Errorf("it owns %d partitions", n)
	}
}

func TestForeignLogStopsThePartition(t *testing.T) {
	for name, spoil := range map[string]string{
		"another stream":       `UPDATE partitions SET stream = 'another', sequence = 1`,
		"a log that lost data": `UPDATE partitions SET sequence = 1000000`,
	} {
		t.Run(name, func(t *testing.T) {
			r := alarmRig(t, 1)
			r.exec(`INSERT INTO partitions (number) VALUES (0)`)
			r.exec(spoil)
			r.feed(1)
			w := r.work(r.parts(r.store), quick("w"))
			r.eventually("it stops", func() bool { return errorsOf(w, "stream") == 1 })
			if n := r.ask(`SELECT count(*) FROM telemetry_raw`); n != 0 {
				t.Errorf("%d readings stored", n)
			}
			epoch := r.ask(`SELECT epoch FROM partitions`)
			expiry := func() int {
				return r.ask(`SELECT (extract(epoch FROM expires_at) * 1000)::bigint FROM partitions WHERE owner = $1`, w.leases.worker)
			}
			was := expiry()
			r.eventually("leases are renewed", func() bool { return expiry() > was })
			if r.ask(`SELECT epoch FROM partitions`) != epoch {
				t.Error("the partition changed hands")
			}
		})
	}
}

// TestDeadOwnerIsReplacedInTime: an owner that neither works nor renews.
func TestDeadOwnerIsReplacedInTime(t *testing.T) {
	r := alarmRig(t, 4)
	r.exec(`INSERT INTO partitions (number, owner, epoch, expires_at)
		SELECT n, 'dead', 7, clock_timestamp() + interval '1 hour' FROM generate_series(0, 3) n`)
	w := r.work(r.parts(r.store), quick("heir"))
	if n := r.owned(w); n != 0 {
		t.Fatalf("took %d leases that were held", n)
	}
	r.exec(`UPDATE partitions SET expires_at = clock_timestamp() + interval '300 ms'`) // the hour is over
	r.feed(20)
	r.caughtUp()
	if n := r.ask(`SELECT count(*) FROM partitions WHERE epoch = 8`); n != 4 {
		t.Errorf("%d partitions have the next epoch", n)
	}
	r.sameAs(r.expected(20))
}
