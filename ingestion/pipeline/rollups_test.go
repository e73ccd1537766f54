package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

// bucketOf names a rollup in comparisons.
type bucketOf struct {
	sensor id.UUID
	start  int64
	lane   uint8
}

// sameRollups compares the rollups that the store has of a tenant with what its raw
// readings come to, bit by bit.
func sameRollups(t testing.TB, store telemetry.Store, tenant id.UUID) {
	t.Helper()
	got, err := storedRollups(t, store, tenant)
	if err != nil {
		t.Fatal(err)
	}
	want, err := rawRollups(t, store, tenant)
	if err != nil {
		t.Fatal(err)
	}
	for k, w := range want {
		g := got[k]
		if g == nil {
			t.Errorf("no rollup of %d readings from %s", w.Readings, w.Start)
			continue
		}
		if g.Key != w.Key || g.Readings != w.Readings || g.LastSeq != w.LastSeq || g.Channels != w.Channels || !slices.Equal(g.Values, w.Values) {
			t.Errorf("rollup from %s, lane %d:\n got %d readings up to %x, %v %v\nwant %d readings up to %x, %v %v", w.Start, w.Lane,
				g.Readings, g.LastSeq, g.Channels[0], g.Values, w.Readings, w.LastSeq, w.Channels[0], w.Values)
		}
		delete(got, k)
	}
	for k := range maps.Values(got) {
		t.Errorf("a rollup of %d readings from %s, of which the raw ones know nothing", k.Readings, k.Start)
	}
}

func storedRollups(t testing.TB, store telemetry.Store, tenant id.UUID) (map[bucketOf]*telemetry.Rollup, error) {
	out := map[bucketOf]*telemetry.Rollup{}
	q := telemetry.RollupQuery{Tenant: tenant, From: time.Now().AddDate(0, 0, -60), To: time.Now().AddDate(0, 0, 2), Limit: telemetry.MaxRollups}
	return out, store.Rollups(t.Context(), q, func(r *telemetry.Rollup) error {
		kept := *r
		kept.Values = slices.Clone(r.Values)
		out[bucketOf{r.Sensor, r.Start.Unix(), r.Lane}] = &kept
		return nil
	})
}

func rawRollups(t testing.TB, store telemetry.Store, tenant id.UUID) (map[bucketOf]*telemetry.Rollup, error) {
	var raws []telemetry.Raw
	q := telemetry.RangeQuery{Tenant: tenant, Limit: telemetry.MaxLimit}
	for {
		page, err := store.Readings(t.Context(), q)
		if err != nil {
			return nil, err
		}
		raws = append(raws, page...)
		if len(page) < q.Limit {
			break
		}
		last := page[len(page)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
	slices.SortFunc(raws, func(a, b telemetry.Raw) int {
		if a.LogSeq < b.LogSeq {
			return -1
		}
		return 1
	})
	out := map[bucketOf]*telemetry.Rollup{}
	for i := range raws {
		r := &raws[i]
		start := telemetry.M5.Start(r.Timestamp)
		k := bucketOf{r.Sensor, start.Unix(), telemetry.Lane(r.LogSeq)}
		if out[k] == nil {
			out[k] = &telemetry.Rollup{Start: start, Lane: k.lane}
		}
		if !out[k].Add(r) {
			return nil, errors.New("two readings have one sequence")
		}
	}
	return out, nil
}

// theory is a log of one partition with its owners, one after the other, of whom those
// that were overtaken go on for a while: each knows what it has read, and only the last
// moves the checkpoint.
type theory struct {
	*testing.T
	rnd        *rand.Rand
	store      telemetry.Store
	log        []telemetry.Raw // entry i has sequence i+1
	lane       uint64          // beginning of its sequences
	checkpoint int
	owners     []*owner
}

type owner struct {
	rollups *rollups
	next    int // entry
}

// sensors speak in order, mostly; messages come twice, and late, by up to days.
func (h *theory) speak(keys []telemetry.Key, begin time.Time, n int) {
	clock := make([]time.Duration, len(keys))
	for range n {
		if len(h.log) > 0 && h.rnd.IntN(6) == 0 { // sent again
			h.log = append(h.log, h.log[h.rnd.IntN(len(h.log))])
			continue
		}
		i := h.rnd.IntN(len(keys))
		clock[i] += time.Duration(h.rnd.IntN(120_000)) * time.Millisecond
		at := begin.Add(clock[i])
		switch h.rnd.IntN(8) {
		case 0:
			at = at.Add(-time.Duration(h.rnd.IntN(900)) * time.Second)
		case 1:
			at = at.Add(-time.Duration(h.rnd.IntN(50)) * time.Hour)
		}
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: keys[i], Timestamp: at.Truncate(time.Millisecond), Channels: telemetry.NoChannels()},
			IngestID: telemetry.IngestID(id.New(id.RawReading)), ReceivedAt: at, Payload: []byte("{}")}
		for c := range raw.Channels {
			if h.rnd.IntN(4) > 0 {
				raw.Channels[c] = h.rnd.NormFloat64() * 10
			}
		}
		if h.rnd.IntN(2) == 0 {
			raw.Values = []telemetry.Value{{Name: telemetry.Flow, Value: h.rnd.Float64()}, {Name: telemetry.Speed, Value: 1e9 * h.rnd.Float64()}}
		}
		h.log = append(h.log, raw)
	}
}

var errDied = errors.New("died")

// work lets an owner do a batch, or a part of it.
func (h *theory) work(o *owner, most int) error {
	to := min(o.next+1+h.rnd.IntN(most), len(h.log))
	b := &batch{raws: slices.Clone(h.log[o.next:to]), own: make([]bool, to-o.next)}
	for i := range b.raws {
		b.raws[i].LogSeq = h.lane + uint64(o.next+i) + 1
	}
	first, err := h.store.WriteReadings(h.Context(), b.raws)
	if err != nil {
		return err
	}
	if h.rnd.IntN(10) == 0 {
		return errDied // the readings are written, nothing else
	}
	for i := range b.raws {
		b.own[i] = first[i] == b.raws[i].LogSeq
	}
	if err := o.rollups.write(h.Context(), b); err != nil {
		return err
	}
	if h.rnd.IntN(10) == 0 {
		return errDied // before the commit
	}
	o.rollups.settle()
	o.next = to
	if o == h.owners[len(h.owners)-1] {
		h.checkpoint = to
	}
	return nil
}

// next takes the partition over; the former owners do not know yet.
func (h *theory) takeOver() {
	h.owners = append(h.owners, &owner{rollups: newRollups(h.store, 2), next: h.checkpoint})
}

func (h *theory) run() {
	h.takeOver()
	for h.checkpoint < len(h.log) {
		i := h.rnd.IntN(len(h.owners))
		o := h.owners[i]
		if o.next >= len(h.log) {
			continue
		}
		switch err := h.work(o, 9); {
		case errors.Is(err, errDied) && h.rnd.IntN(2) == 0:
			o.rollups.clear() // it tries again
		case errors.Is(err, errDied):
			h.owners = slices.Delete(h.owners, i, i+1)
			h.takeOver()
		case err != nil:
			h.Fatal(err)
		case h.rnd.IntN(15) == 0:
			h.takeOver() // o is paused, or a zombie
		}
		if len(h.owners) > 3 {
			h.owners = h.owners[1:]
		}
	}
}

// TestRollupsAreThoseOfTheRawReadings holds whatever dies, comes twice, comes late or
// has another owner, with two logs that fill the same buckets.
func TestRollupsAreThoseOfTheRawReadings(t *testing.T) {
	db := testkit.NewDB(t)
	pool := func(dsn string) *pgxpool.Pool {
		p, err := pgxpool.New(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return p
	}
	store := pgstore.New(pool(db.WorkerDSN), pool(db.AppDSN), pgstore.WithDeferredSync())
	begin := time.Now().UTC().AddDate(0, 0, -5)
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			tenant := id.New(id.Tenant)
			keys := make([]telemetry.Key, 3)
			for i := range keys {
				keys[i] = telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
			}
			for lane := range uint64(2) {
				h := &theory{T: t, rnd: rand.New(rand.NewPCG(seed, lane)), store: store, lane: lane << 56}
				h.speak(keys, begin, 120)
				h.run()
			}
			sameRollups(t, store, tenant)
		})
	}
}

// A sensor that is silent, or a bucket that is over, costs no memory for long.
func TestRollupsInMemoryAreBounded(t *testing.T) {
	r := newRig(t, 1)
	rs := newRollups(r.store, 10)
	for round := range 3 {
		b := &batch{}
		for range 15 {
			k := r.a.Key(0)
			k.Sensor = id.New(id.Sensor)
			for i := range 4 {
				raw := r.reading(k, 600*i, 1)
				raw.LogSeq = uint64(100*round + len(b.raws) + 1)
				b.raws, b.own = append(b.raws, raw), append(b.own, true)
			}
		}
		if err := rs.write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		rs.settle()
		if len(rs.by) != 15 || len(rs.older) != 0 {
			t.Errorf("%d and %d buckets in memory, want those 15 of the last batch", len(rs.by), len(rs.older))
		}
	}
	if n := r.ask(`SELECT count(*) FROM telemetry_rollup`); n != 3*15*4 {
		t.Errorf("%d rollups are stored, want %d", n, 3*15*4)
	}
}
