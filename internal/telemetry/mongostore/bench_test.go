package mongostore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit/mongofake"
)

// manyReadings makes new readings of 400 sensors with all channels.
func manyReadings(n int) []telemetry.Raw {
	keys := make([]telemetry.Key, 400)
	for i := range keys {
		keys[i] = telemetry.Key{Tenant: key1.Tenant, Site: key1.Site, Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
	}
	payload := make([]byte, 900)
	docs := make([]telemetry.Raw, n)
	for i := range docs {
		r := &docs[i]
		*r = fixedReading(keys[i%len(keys)], time.Duration(i)*time.Millisecond, uint64(i+1))
		for c := range r.Channels {
			r.Channels[c] = float64(i) + float64(c)/7
		}
		r.Values = []telemetry.Value{{Name: "flow", Value: 12.5}, {Name: "speed", Value: 1480}}
		r.Payload = payload
	}
	return docs
}

// reflected is the same document for the driver's own encoder.
type reflected struct {
	ID       bson.Binary        `bson:"_id"`
	Tenant   bson.Binary        `bson:"tenant_id"`
	Site     bson.Binary        `bson:"site_id"`
	Asset    bson.Binary        `bson:"asset_id"`
	Sensor   bson.Binary        `bson:"sensor_id"`
	Time     time.Time          `bson:"timestamp_utc"`
	Ingest   bson.Binary        `bson:"ingest_id"`
	LogSeq   int64              `bson:"log_seq"`
	Received time.Time          `bson:"received_at"`
	Micros   int32              `bson:"received_us,omitempty"`
	Late     bool               `bson:"late"`
	Channels []*float64         `bson:"channels,omitempty"`
	Values   map[string]float64 `bson:"values,omitempty"`
	Topic    string             `bson:"mqtt_topic"`
	Payload  []byte             `bson:"payload_original"`
}

func reflect(r *telemetry.Raw) reflected {
	key := rawKey(r.Tenant, r.Timestamp, r.IngestID)
	d := reflected{ID: bin(key[:]), Tenant: uuid(r.Tenant), Site: uuid(r.Site), Asset: uuid(r.Asset), Sensor: uuid(r.Sensor),
		Time: r.Timestamp, Ingest: bin(r.IngestID[:]), LogSeq: int64(r.LogSeq), Received: r.ReceivedAt,
		Micros: int32(r.ReceivedAt.Nanosecond() / 1000 % 1000), Late: r.Late, Channels: make([]*float64, telemetry.Channels),
		Values: map[string]float64{}, Topic: r.Topic, Payload: r.Payload}
	for c := range r.Channels {
		d.Channels[c] = &r.Channels[c]
	}
	for _, v := range r.Values {
		d.Values[v.Name] = v.Value
	}
	return d
}

// BenchmarkEncode compares the encoding of one reading by hand with that of a struct.
func BenchmarkEncode(b *testing.B) {
	docs := manyReadings(100)
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for i := range b.N {
			r := &docs[i%len(docs)]
			key := rawKey(r.Tenant, r.Timestamp, r.IngestID)
			out, err := appendReading(buf[:0], key[:], r)
			if err != nil {
				b.Fatal(err)
			}
			buf = out
		}
	})
	b.Run("by reflection", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := bson.Marshal(reflect(&docs[i%len(docs)])); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	r := manyReadings(1)[0]
	key := rawKey(r.Tenant, r.Timestamp, r.IngestID)
	doc, err := appendReading(nil, key[:], &r)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var out telemetry.Raw
			if err := decodeReading(doc, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by reflection", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var out reflected
			if err := bson.Unmarshal(doc, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWriteReadings measures what a write costs this side: the server takes
// everything and does nothing. (Its own share is reading the bytes from the socket.)
func BenchmarkWriteReadings(b *testing.B) {
	memory := mongofake.NewMemory()
	server := mongofake.Start(b, mongofake.Limits{Discard: true}, func(ctx context.Context, c mongofake.Command) bson.D {
		if c.Name == "insert" || c.Name == "update" {
			return bson.D{{Key: "n", Value: 1}}
		}
		return memory.Handle(ctx, c)
	})
	s := opened(b, Options{URI: server.URI()})
	for _, size := range []int{20, 500, 2000} {
		docs := manyReadings(size)
		run := func(name string, write func() error) {
			b.Run(fmt.Sprintf("%d documents/%s", size, name), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					if err := write(); err != nil {
						b.Fatal(err)
					}
				}
				server.Commands()
				b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "docs/s")
			})
		}
		run("store", func() error {
			_, err := s.WriteReadings(b.Context(), docs)
			return err
		})
		run("structs", func() error {
			list := make([]reflected, len(docs))
			for i := range docs {
				list[i] = reflect(&docs[i])
			}
			_, err := s.raw.InsertMany(b.Context(), list, options.InsertMany().SetOrdered(false))
			return err
		})
	}
}
