package pipeline

import (
	"context"
	"testing"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// sink is a store of rollups that keeps nothing.
type sink struct{ telemetry.RollupStore }

func (sink) RollupsAt(context.Context, id.UUID, []telemetry.BucketID) ([]telemetry.Rollup, error) {
	return nil, nil
}

func (sink) WriteRollups(context.Context, telemetry.Resolution, []telemetry.Rollup) error { return nil }

// BenchmarkRollups adds batches of 500 readings of 200 sensors to their buckets; ns/op
// and allocations are those of one reading. "without a store" is what it costs here,
// the other what the database adds.
func BenchmarkRollups(b *testing.B) {
	r := newRig(b, 1)
	for name, store := range map[string]telemetry.RollupStore{"without a store": sink{}, "in PostgreSQL": r.store} {
		b.Run(name, func(b *testing.B) {
			const size = 500
			f, rs := r.fleet(200), newRollups(store, 20_000)
			own := make([]bool, size)
			for i := range own {
				own[i] = true
			}
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += size {
				b.StopTimer()
				batch := &batch{own: own, raws: make([]telemetry.Raw, size)}
				for i := range batch.raws {
					f.seq++
					batch.raws[i] = f.next()
					batch.raws[i].LogSeq = f.seq
				}
				b.StartTimer()
				if err := rs.write(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				rs.settle()
			}
		})
	}
}
