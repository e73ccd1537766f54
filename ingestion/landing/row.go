package landing

import (
	"math"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// row is an admitted message as it stands in a Parquet file, in the order of event
// time. The tenant is in the name of the file.
type row struct {
	Timestamp  int64    `parquet:"timestamp,timestamp(millisecond),delta"`
	ReceivedAt int64    `parquet:"received_at,timestamp(microsecond),delta"`
	LogSeq     int64    `parquet:"log_seq,delta"`
	IngestID   [16]byte `parquet:"ingest_id,uuid"`
	Site       [16]byte `parquet:"site_id,uuid,dict"`
	Asset      [16]byte `parquet:"asset_id,uuid,dict"`
	Sensor     [16]byte `parquet:"sensor_id,uuid,dict"`
	Topic      string   `parquet:"topic,dict"`
	// Payload is the message as it came.
	Payload []byte `parquet:"payload"`
	// Channels are the 24 machine channels in their order, one that is missing as NaN;
	// empty when all are missing.
	Channels []float64 `parquet:"channels,list"`
	// Values are the process parameters.
	Values []value `parquet:"values,list"`
}

type value struct {
	Name  string  `parquet:"name,dict"`
	Value float64 `parquet:"value"`
}

// fill takes a reading over; payload and values stay the reading's memory.
func (r *row) fill(raw *telemetry.Raw) {
	*r = row{Timestamp: raw.Timestamp.UnixMilli(), ReceivedAt: raw.ReceivedAt.UnixMicro(), LogSeq: int64(raw.LogSeq),
		IngestID: raw.IngestID, Site: raw.Site, Asset: raw.Asset, Sensor: raw.Sensor, Topic: raw.Topic, Payload: raw.Payload,
		Values: make([]value, len(raw.Values))}
	for _, v := range raw.Channels {
		if !math.IsNaN(v) {
			r.Channels = append([]float64(nil), raw.Channels[:]...)
			break
		}
	}
	for i, v := range raw.Values {
		r.Values[i] = value(v)
	}
}

// raw gives the reading back, late or not as it was.
func (r *row) raw(tenant id.UUID, out *telemetry.Raw) {
	*out = telemetry.Raw{Reading: telemetry.Reading{
		Key:       telemetry.Key{Tenant: tenant, Site: r.Site, Asset: r.Asset, Sensor: r.Sensor},
		Timestamp: time.UnixMilli(r.Timestamp).UTC(), Channels: telemetry.NoChannels(), Values: make([]telemetry.Value, len(r.Values))},
		IngestID: r.IngestID, LogSeq: uint64(r.LogSeq), ReceivedAt: time.UnixMicro(r.ReceivedAt).UTC(), Topic: r.Topic, Payload: r.Payload}
	copy(out.Channels[:], r.Channels)
	for i, v := range r.Values {
		out.Values[i] = telemetry.Value(v)
	}
}
