package bus

import (
	"testing"
	"time"
)

func BenchmarkAppendAsync1KB(b *testing.B) {
	l := openLog(b, LogOptions{MaxBytes: 3 << 30})
	data := make([]byte, 1024)
	b.SetBytes(1024)
	b.ReportAllocs()
	pending := make(chan Pending, 8192)
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for p := range pending {
			if _, err := p.Wait(b.Context()); err != nil {
				failed <- err
				return
			}
		}
	}()
	b.ResetTimer()
	for i := range b.N {
		p, err := l.AppendAsync(b.Context(), i%16, tenantA, sensorA, data)
		if err != nil {
			b.Fatal(err)
		}
		pending <- p
	}
	close(pending)
	if err := <-failed; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkAppendOneByOne1KB(b *testing.B) {
	l := openLog(b, LogOptions{MaxBytes: 3 << 30})
	data := make([]byte, 1024)
	b.ReportAllocs()
	for i := range b.N {
		if _, err := l.Append(b.Context(), i%16, tenantA, sensorA, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead1KB(b *testing.B) {
	l := openLog(b, LogOptions{Partitions: 1, MaxBytes: 3 << 30})
	data := make([]byte, 1024)
	for range b.N {
		if _, err := l.AppendAsync(b.Context(), 0, tenantA, sensorA, data); err != nil {
			b.Fatal(err)
		}
	}
	r, err := l.Read(0, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		es, err := r.Next(b.Context(), 500, time.Second)
		if err != nil {
			b.Fatal(err)
		}
		n += len(es)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// One record from the append to the reader that waits for it.
func BenchmarkAppendToRead(b *testing.B) {
	l := openLog(b, LogOptions{Partitions: 1})
	r, err := l.Read(0, 0)
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 1024)
	for range b.N {
		if _, err := l.Append(b.Context(), 0, tenantA, sensorA, data); err != nil {
			b.Fatal(err)
		}
		if es, err := r.Next(b.Context(), 500, time.Second); err != nil || len(es) != 1 {
			b.Fatal(len(es), err)
		}
	}
}
