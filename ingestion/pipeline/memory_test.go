package pipeline

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// emptyStore has nothing and takes everything: what is measured is memory.
type emptyStore struct{ telemetry.Store }

func (emptyStore) Window(context.Context, id.UUID, []id.UUID, int, uint64, time.Time) (map[id.UUID][]telemetry.Raw, error) {
	return nil, nil
}

func (emptyStore) RollupsAt(context.Context, id.UUID, []telemetry.BucketID) ([]telemetry.Rollup, error) {
	return nil, nil
}

func (emptyStore) WriteRollups(context.Context, telemetry.Resolution, []telemetry.Rollup) error {
	return nil
}

// BenchmarkMemory is what the worker keeps of one of 100,000 sensors that all speak:
// window, rollup of the newest bucket, and when it was last heard.
func BenchmarkMemory(b *testing.B) {
	const sensors, partitions = 100_000, 16
	r := &rig{TB: b, start: time.Now().UTC().Truncate(5 * time.Minute)}
	tenant := id.New(id.Tenant)
	var batches [partitions]batch
	for n := range sensors {
		k := telemetry.Key{Tenant: tenant, Site: tenant, Asset: tenant, Sensor: id.New(id.Sensor)}
		raw := r.reading(k, 1, 1)
		raw.LogSeq = uint64(n + 1)
		to := &batches[bus.Partition(k.Tenant, k.Sensor, partitions)]
		to.raws, to.own = append(to.raws, raw), append(to.own, true)
	}
	for b.Loop() {
		before := heapInUse()
		var kept [partitions]struct {
			*windows
			*rollups
			*seen
		}
		for i := range kept {
			p := &kept[i]
			p.windows, p.rollups, p.seen = newWindows(emptyStore{}, time.Hour, sensors), newRollups(emptyStore{}, sensors), &seen{by: map[id.UUID]map[id.UUID]*spoke{}}
			if err := p.windows.load(b.Context(), batches[i].raws, 0); err != nil {
				b.Fatal(err)
			}
			for n := range batches[i].raws {
				p.windows.add(&batches[i].raws[n])
			}
			if err := p.rollups.write(b.Context(), &batches[i]); err != nil {
				b.Fatal(err)
			}
			p.rollups.settle()
			p.rollups.forgetBatch()
			p.seen.note(&batches[i])
		}
		b.ReportMetric(float64(heapInUse()-before)/sensors, "B/sensor")
		runtime.KeepAlive(&kept)
	}
}

// forgetBatch lets go of the memory of a batch, which does not grow with the sensors
// when batches are small.
func (rs *rollups) forgetBatch() { rs.missing, rs.touched, rs.of, rs.out = nil, nil, nil, nil }

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkSensors takes full batches of a partition through all stages on real
// PostgreSQL, the messages spread over so many sensors; ns/op and allocations are those
// of one message. The sensors have spoken before: their windows are in memory.
func BenchmarkSensors(b *testing.B) {
	for _, sensors := range []int{100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("%d", sensors), func(b *testing.B) {
			const size = 500
			p, f := bench(b, sensors, Options{MaxBatch: size, MaxWindows: sensors})
			for range max(telemetry.WindowSize, sensors/size+1) {
				if err := p.attempt(b.Context(), f.entries(size)); err != nil {
					b.Fatal(err)
				}
			}
			cpu := cpuTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			done := 0
			for done < b.N {
				b.StopTimer()
				entries := f.entries(size)
				b.StartTimer()
				if err := p.attempt(b.Context(), entries); err != nil {
					b.Fatal(err)
				}
				done += size
			}
			b.StopTimer()
			b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(done), "own-cpu-µs/message")
		})
	}
}
