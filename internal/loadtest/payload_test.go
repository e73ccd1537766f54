package loadtest

import (
	"encoding/json"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

func TestPayloadsAreReadingsOfAllChannels(t *testing.T) {
	p, err := newPayloads()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 7e6, time.UTC)
	for _, raised := range []bool{false, true} {
		for n := range variants + 1 {
			body := p.of(3, n, raised, at)
			var doc map[string]any
			if err := json.Unmarshal(body, &doc); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if doc["timestamp"] != "2026-07-01T12:00:00.007Z" {
				t.Errorf("timestamp %v", doc["timestamp"])
			}
			for c := range telemetry.Channel(telemetry.Channels) {
				if _, ok := doc[c.String()].(float64); !ok {
					t.Errorf("no %s in %s", c, body)
				}
			}
			if v, _ := doc[AlarmParameter].(float64); v > AlarmThreshold != raised {
				t.Errorf("%s is %v, raised %v", AlarmParameter, v, raised)
			}
		}
	}
	first, second := string(p.of(1, 0, false, at)), string(p.of(1, variants, false, at))
	if first != second || first == string(p.of(1, 1, false, at)) || first == string(p.of(2, 0, false, at)) {
		t.Error("a sensor does not go round the readings of its machine")
	}
}

func BenchmarkPayload(b *testing.B) {
	p, err := newPayloads()
	if err != nil {
		b.Fatal(err)
	}
	at := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.of(i%1000, i/1000, false, at)
	}
}
