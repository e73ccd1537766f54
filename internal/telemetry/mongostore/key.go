package mongostore

import (
	"encoding/binary"
	"math"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// The _id of each collection is binary (subtype 0) of a fixed length, so that MongoDB
// orders it byte by byte. Numbers are big endian; a time is Unix milliseconds with the
// sign bit turned over.
//
//	telemetry_raw       tenant 16, time 8, ingest id 16
//	predictions         tenant 16, id 16 (which begins with its time)
//	telemetry_rollup_*  tenant 16, sensor 16, beginning 8, lane 1
//	telemetry_sensors   tenant 16, sensor 16, asset 16, site 16
const (
	rawKeySize        = 40
	predictionKeySize = 32
	rollupKeySize     = 41
	sensorKeySize     = 64
)

func appendMillis(b []byte, millis int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(millis)^1<<63)
}

func rawKey(tenant id.UUID, at time.Time, ingest telemetry.IngestID) (k [rawKeySize]byte) {
	return rawKeyMillis(tenant, at.UnixMilli(), ingest)
}

func rawKeyMillis(tenant id.UUID, millis int64, ingest telemetry.IngestID) (k [rawKeySize]byte) {
	copy(k[:], tenant[:])
	appendMillis(k[:16], millis)
	copy(k[24:], ingest[:])
	return k
}

func predictionKey(tenant, prediction id.UUID) (k [predictionKeySize]byte) {
	copy(k[:], tenant[:])
	copy(k[16:], prediction[:])
	return k
}

func rollupKey(tenant, sensor id.UUID, start time.Time, lane uint8) (k [rollupKeySize]byte) {
	copy(k[:], tenant[:])
	copy(k[16:], sensor[:])
	appendMillis(k[:32], start.UnixMilli())
	k[40] = lane
	return k
}

func sensorKey(p *telemetry.Key) (k [sensorKeySize]byte) {
	copy(k[:], p.Tenant[:])
	copy(k[16:], p.Sensor[:])
	copy(k[32:], p.Asset[:])
	copy(k[48:], p.Site[:])
	return k
}

// predictionTime returns the lowest key of the tenant's predictions of the
// millisecond; an id has 48 bits for it.
func predictionTime(tenant id.UUID, millis int64) (k [predictionKeySize]byte) {
	copy(k[:], tenant[:])
	const last = 1<<48 - 1
	m := uint64(min(max(millis, 0), last))
	binary.BigEndian.PutUint16(k[16:], uint16(m>>32))
	binary.BigEndian.PutUint32(k[18:], uint32(m))
	if millis > last {
		for i := 22; i < len(k); i++ {
			k[i] = math.MaxUint8
		}
	}
	return k
}

// ceilMillis returns the first whole millisecond that is not before the time: a stored
// time is at or after t when it is at or after that.
func ceilMillis(t time.Time) int64 {
	m := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		m++
	}
	return m
}

func bin(b []byte) bson.Binary { return bson.Binary{Data: b} }

func uuid(u id.UUID) bson.Binary {
	return bson.Binary{Subtype: bson.TypeBinaryUUID, Data: u[:]}
}

func uuids(ids []id.UUID) bson.A {
	out := make(bson.A, len(ids))
	for i, u := range ids {
		out[i] = uuid(u)
	}
	return out
}
