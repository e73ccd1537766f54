package sparkplug

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"foresight/ingestion/decode/sparkplug/spb"
)

// A message with 24 values by their aliases, from bytes to the product's own form,
// beside what reading the protobuf alone costs.
func BenchmarkMessage(b *testing.B) {
	var s Session
	birth, data := nbirth(1), payload(2)
	device := payload(1)
	for i := range 24 {
		name := fmt.Sprintf("motor/DE/vib_band_%d", i)
		device.Metrics = append(device.Metrics, metric(name, i, typeDouble, 1.5))
		data.Metrics = append(data.Metrics, &spb.Metric{Alias: proto.Uint64(uint64(i)), Value: &spb.Metric_DoubleValue{DoubleValue: float64(i) + 0.25}})
	}
	s.Take(Topic{Group: "g", Kind: NodeBirth, Node: "n"}, birth, false)
	topic := Topic{Group: "g", Kind: DeviceBirth, Node: "n", Device: "d"}
	s.Take(topic, device, false)
	topic.Kind = DeviceData
	raw, err := proto.Marshal(data)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("taken in", func(b *testing.B) {
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			p, rejection := Decode(raw, 64<<10)
			if rejection != nil {
				b.Fatal(rejection)
			}
			o := s.Take(topic, p, true)
			readings := Readings(o.Values)
			if len(readings) != 1 || len(readings[0].Values) != 24 {
				b.Fatalf("%d readings", len(readings))
			}
			out = readings[0].AppendJSON(out[:0])
		}
	})
	b.Run("protobuf alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := proto.Unmarshal(raw, &Payload{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
