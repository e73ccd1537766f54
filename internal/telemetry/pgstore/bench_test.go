package pgstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// fleet makes batches of readings of sensors of some tenants, each reading new.
type fleet struct {
	keys []telemetry.Key
	at   time.Time
	seq  uint64
}

func newFleet(tenants, sensors int) *fleet {
	f := &fleet{at: time.Now().UTC().Truncate(24 * time.Hour)}
	for range tenants {
		tenant := id.New(id.Tenant)
		for range sensors {
			f.keys = append(f.keys, telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)})
		}
	}
	return f
}

var payload = make([]byte, 900)

func (f *fleet) batch(n int) []telemetry.Raw {
	docs := make([]telemetry.Raw, n)
	for i := range docs {
		r := &docs[i]
		r.Key = f.keys[int(f.seq)%len(f.keys)]
		f.seq++
		r.LogSeq = f.seq
		r.Timestamp = f.at.Add(time.Duration(f.seq) * time.Millisecond)
		r.ReceivedAt = r.Timestamp
		r.IngestID = telemetry.IngestID(id.New(id.RawReading))
		for c := range r.Channels {
			r.Channels[c] = float64(f.seq) + float64(c)/7
		}
		r.Values = []telemetry.Value{{Name: "flow", Value: 12.5}, {Name: "speed", Value: 1480}}
		r.Topic, r.Payload = "acme/north/sensors/pump-1-a", payload
	}
	return docs
}

// BenchmarkWriteReadings compares the idempotent write under row-level security with
// what the server takes at best: COPY of the same rows straight into the table, as
// the owner, who is above the policies.
func BenchmarkWriteReadings(b *testing.B) {
	for _, size := range []int{20, 100, 500, 2000} {
		for _, c := range []struct {
			name    string
			tenants int
			options []Option
		}{{"one tenant", 1, nil}, {"one tenant, deferred sync", 1, []Option{WithDeferredSync()}}, {"ten tenants", 10, nil}} {
			b.Run(fmt.Sprintf("%d rows/%s", size, c.name), func(b *testing.B) {
				s := open(b, testkit.NewDB(b), c.options...)
				f := newFleet(c.tenants, 400/c.tenants)
				measure(b, size, func(docs []telemetry.Raw) error {
					_, err := s.WriteReadings(b.Context(), docs)
					return err
				}, f)
			})
		}
		b.Run(fmt.Sprintf("%d rows/repeated", size), func(b *testing.B) {
			s := open(b, testkit.NewDB(b))
			docs := newFleet(1, 400).batch(size)
			measure(b, size, func([]telemetry.Raw) error {
				_, err := s.WriteReadings(b.Context(), docs)
				return err
			}, nil)
		})
		b.Run(fmt.Sprintf("%d rows/plain copy", size), func(b *testing.B) {
			db := testkit.NewDB(b)
			s := open(b, db)
			f := newFleet(1, 400)
			if err := s.EnsureDays(b.Context(), f.at, f.at); err != nil {
				b.Fatal(err)
			}
			conn, err := pgx.Connect(b.Context(), db.OwnerDSN)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = conn.Close(context.Background()) })
			measure(b, size, func(docs []telemetry.Raw) error { return plainCopy(b.Context(), conn, docs) }, f)
		})
	}
}

func measure(b *testing.B, size int, write func([]telemetry.Raw) error, f *fleet) {
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		var docs []telemetry.Raw
		if f != nil {
			docs = f.batch(size)
		}
		b.StartTimer()
		if err := write(docs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "rows/s")
}

func plainCopy(ctx context.Context, conn *pgx.Conn, docs []telemetry.Raw) error {
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"telemetry_raw"},
		[]string{"tenant_id", "ingest_id", "site_id", "asset_id", "sensor_id", "timestamp_utc", "log_seq", "received_at", "late", "channels", "values", "mqtt_topic", "payload_original"},
		pgx.CopyFromSlice(len(docs), func(i int) ([]any, error) {
			r := &docs[i]
			return []any{r.Tenant, id.UUID(r.IngestID), r.Site, r.Asset, r.Sensor, r.Timestamp, int64(r.LogSeq), r.ReceivedAt, r.Late,
				r.Channels[:], []byte(`{"flow":12.5,"speed":1480}`), r.Topic, r.Payload}, nil
		}))
	return err
}

func BenchmarkWritePredictions(b *testing.B) {
	s := open(b, testkit.NewDB(b), WithDeferredSync())
	f := newFleet(1, 400)
	const size = 500
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		raws := f.batch(size)
		docs := make([]telemetry.FaultPrediction, size)
		for i := range docs {
			r := &raws[i]
			docs[i] = telemetry.FaultPrediction{Key: r.Key, Timestamp: r.Timestamp, IngestID: r.IngestID,
				ID: id.Derive(id.Prediction, r.Timestamp, r.IngestID[:]), Label: telemetry.Normal, Probability: 0.9,
				Top:       []telemetry.LabelProbability{{Label: telemetry.Normal, Probability: 0.9}, {Label: "cavitation", Probability: 0.05}, {Label: "soft_foot", Probability: 0.01}},
				VersionID: r.Site, VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Production}
		}
		b.StartTimer()
		if err := s.WritePredictions(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkReads asks a store that holds a month of 200 sensors.
func BenchmarkReads(b *testing.B) {
	s := open(b, testkit.NewDB(b), WithDeferredSync())
	f := newFleet(1, 200)
	for d := range 30 {
		f.at = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -d)
		f.seq = uint64(d * 10_000)
		for range 20 {
			if _, err := s.WriteReadings(b.Context(), f.batch(500)); err != nil {
				b.Fatal(err)
			}
		}
	}
	tenant := f.keys[0].Tenant
	var sensors []id.UUID
	for _, k := range f.keys {
		sensors = append(sensors, k.Sensor)
	}
	now := time.Now().UTC()
	for name, ask := range map[string]func() (int, error){
		"an asset's newest 100": func() (int, error) {
			out, err := s.Readings(b.Context(), telemetry.RangeQuery{Tenant: tenant, Scope: telemetry.Scope{Asset: f.keys[7].Asset}, Limit: 100})
			return len(out), err
		},
		"the tenant's newest 100": func() (int, error) {
			out, err := s.Readings(b.Context(), telemetry.RangeQuery{Tenant: tenant, Limit: 100})
			return len(out), err
		},
		"latest of 200 sensors": func() (int, error) {
			out, err := s.Latest(b.Context(), tenant, telemetry.Scope{}, 1000)
			return len(out), err
		},
		"windows of 200 sensors": func() (int, error) {
			out, err := s.Window(b.Context(), tenant, sensors, telemetry.WindowSize, 1<<60, now.AddDate(0, 0, -7))
			return len(out), err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if n, err := ask(); err != nil || n < 50 {
					b.Fatal(n, err)
				}
			}
		})
	}
}
