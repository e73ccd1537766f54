package drift

import (
	"testing"

	"foresight/inference/features"
	"foresight/internal/id"
)

// BenchmarkCheck is what looking for drift costs a tenant of 100 machines whose fault
// classifier made more predictions than are looked at: 2,000 windows are found, made
// again from raw readings and compared, on a real PostgreSQL. Beside it stands the part
// that is arithmetic. Run it with -benchtime 3x.
func BenchmarkCheck(b *testing.B) {
	r := newRig(b)
	r.run(r.fleet(100), live{windows: 25, faulty: 10})
	ctx := r.as(r.acme)
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		rows := 0
		for b.Loop() {
			all, err := r.service.Check(ctx, id.New(id.DriftCheck))
			r.ok(err)
			rows += all[0].Rows
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "windows/s")
	})
	d, err := r.service.windows(ctx, r.acme.TenantID, id.New(id.DriftCheck), r.now)
	r.ok(err)
	v := d.versions[r.version]
	b.Run("judge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.service.judge(v, d, features.Names(), nil, false)
		}
		b.ReportMetric(float64(v.seen.rows()*b.N)/b.Elapsed().Seconds(), "windows/s")
	})
}
