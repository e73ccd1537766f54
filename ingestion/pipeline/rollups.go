package pipeline

import (
	"context"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// rollups adds a partition's readings to their 5-minute buckets.
//
// A bucket's rollup is a function of the log up to its LastSeq, and that is what makes
// it count every reading once, whatever happens between the write of a rollup and the
// commit of the checkpoint: who reads the same entries again finds a rollup that holds
// them already, and adds the later ones only. Two owners of one partition, one of them
// paused, write the same values for the same sequence, and the store keeps the further.
//
// In memory is, by sensor, the newest bucket as it was last written. After a failure
// all are forgotten, and read again when they are needed.
type rollups struct {
	store telemetry.RollupStore
	most  int
	by    map[rollupKey]*rollup

	// Of the present batch:
	batch   uint64
	older   map[bucketKey]*rollup // buckets that are not their sensor's newest
	missing []*rollup             // that must be read before anything is added
	touched []*rollup             // with own readings, each once
	of      []*rollup             // by raw; nil where the reading does not count
	out     []telemetry.Rollup    // memory of what is written
}

// rollupKey names a sensor and the log that it is heard in.
type rollupKey struct {
	sensorID
	lane uint8
}

type bucketKey struct {
	rollupKey
	start int64 // Unix seconds
}

type rollup struct {
	telemetry.Rollup
	key   rollupKey
	batch uint64 // the last that touched it
	added bool   // something, in that batch
}

func newRollups(store telemetry.RollupStore, most int) *rollups {
	return &rollups{store: store, most: most, by: map[rollupKey]*rollup{}}
}

// write adds the batch's own readings and stores the rollups that have changed.
func (rs *rollups) write(ctx context.Context, b *batch) error {
	rs.begin(len(b.raws))
	for i := range b.raws {
		if b.own[i] {
			rs.of[i] = rs.find(&b.raws[i])
		}
	}
	if err := rs.load(ctx); err != nil {
		return err
	}
	for i, r := range rs.of {
		if r != nil && r.Add(&b.raws[i]) {
			r.added = true
		}
	}
	for _, r := range rs.touched {
		if r.added {
			rs.out = append(rs.out, r.Rollup)
		}
	}
	return rs.store.WriteRollups(ctx, telemetry.M5, rs.out)
}

func (rs *rollups) begin(n int) {
	rs.batch++
	clear(rs.older)
	rs.missing, rs.touched, rs.out = rs.missing[:0], rs.touched[:0], rs.out[:0]
	if cap(rs.of) < n {
		rs.of = make([]*rollup, n)
	}
	rs.of = rs.of[:n]
	clear(rs.of)
}

// find returns the bucket of a reading, which may have to be loaded.
func (rs *rollups) find(raw *telemetry.Raw) *rollup {
	key := rollupKey{sensorID{raw.Tenant, raw.Sensor}, telemetry.Lane(raw.LogSeq)}
	start := telemetry.M5.Start(raw.Timestamp)
	newest := rs.by[key]
	switch {
	case newest == nil:
		newest = rs.open(key, raw.Key, start)
		rs.by[key] = newest
		return newest
	case newest.Start.Equal(start):
		rs.touch(newest)
		return newest
	case start.After(newest.Start):
		rs.setAside(newest)
		newest = rs.open(key, raw.Key, start)
		rs.by[key] = newest
		return newest
	}
	at := bucketKey{key, start.Unix()}
	r := rs.older[at]
	if r == nil {
		r = rs.open(key, raw.Key, start)
		rs.setAside(r)
	}
	rs.touch(r) // it may have been the newest before this batch
	return r
}

// setAside keeps a bucket to the end of the batch: a late reading may be its.
func (rs *rollups) setAside(r *rollup) {
	if rs.older == nil {
		rs.older = map[bucketKey]*rollup{}
	}
	rs.older[bucketKey{r.key, r.Start.Unix()}] = r
}

func (rs *rollups) open(key rollupKey, place telemetry.Key, start time.Time) *rollup {
	r := &rollup{key: key, Rollup: telemetry.Rollup{Key: place, Start: start, Lane: key.lane}}
	rs.missing = append(rs.missing, r)
	rs.touch(r)
	return r
}

func (rs *rollups) touch(r *rollup) {
	if r.batch != rs.batch {
		r.batch, r.added = rs.batch, false
		rs.touched = append(rs.touched, r)
	}
}

// load reads what the store has of the missing buckets.
func (rs *rollups) load(ctx context.Context) error {
	if len(rs.missing) == 0 {
		return nil
	}
	wanted := make(map[bucketKey]*rollup, len(rs.missing))
	of := map[id.UUID][]telemetry.BucketID{}
	for _, r := range rs.missing {
		wanted[bucketKey{r.key, r.Start.Unix()}] = r
		of[r.Tenant] = append(of[r.Tenant], telemetry.BucketID{Sensor: r.Sensor, Start: r.Start, Lane: r.Lane})
	}
	for tenant, at := range of {
		found, err := rs.store.RollupsAt(ctx, tenant, at)
		if err != nil {
			return err
		}
		for i := range found {
			f := &found[i]
			if r := wanted[bucketKey{rollupKey{sensorID{tenant, f.Sensor}, f.Lane}, f.Start.Unix()}]; r != nil {
				r.Rollup = *f
			}
		}
	}
	return nil
}

// settle makes room after a commit.
func (rs *rollups) settle() {
	clear(rs.older)
	if len(rs.by) <= rs.most {
		return
	}
	for k, r := range rs.by {
		if r.batch != rs.batch {
			delete(rs.by, k)
		}
	}
}

// clear forgets all buckets: after a failure they may hold what is not stored.
func (rs *rollups) clear() { clear(rs.by) }
