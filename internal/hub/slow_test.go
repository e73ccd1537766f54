package hub

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

func TestSlowSubscriberKeepsTheNewest(t *testing.T) {
	h := oneHub(t, Options{Buffer: 4, Registerer: prometheus.NewRegistry()})
	k := key(id.New(id.Tenant))
	f := event.Filter{Tenant: k.Tenant, Kind: event.Telemetry}
	slow, quick := subscribe(t, h, f), subscribe(t, h, f)
	for seq := uint64(1); seq <= 10; seq++ {
		publish(t, h, reading(k, seq))
		if got := next(t, quick); got.Event.Reading.LogSeq != seq || got.Gap {
			t.Fatalf("the quick one is given %d, gap %v", got.Event.Reading.LogSeq, got.Gap)
		}
	}
	barrier(t, h, k.Tenant) // is number 11 to the slow one
	gap := false
	for _, want := range []uint64{8, 9, 10, 0} {
		got := next(t, slow)
		gap = gap || got.Gap
		if got.Event.Reading.LogSeq != want {
			t.Errorf("got %d, want %d", got.Event.Reading.LogSeq, want)
		}
	}
	if !gap {
		t.Error("nothing tells of the loss")
	}
	if n := countOf(t, h.metrics.dropped.WithLabelValues("telemetry")); n != 7 {
		t.Errorf("%v drops are counted, want 7", n)
	}
	publish(t, h, reading(k, 11))
	if got := next(t, slow); got.Gap {
		t.Error("a gap is told where none is")
	}
}

func TestLargestAlarmHintIsNeverLost(t *testing.T) {
	h := oneHub(t, Options{})
	k := key(id.New(id.Tenant))
	f := event.Filter{Tenant: k.Tenant, Kind: event.Alarm}
	slow := subscribe(t, h, f)
	publish(t, h, hint(k, 1000)) // then others from slower processes
	for seq := uint64(1); seq <= 5*alarmBuffer; seq++ {
		publish(t, h, hint(k, seq))
	}
	// The quick one is given the last hint alone, when the slow one has been given all: the
	// others may still be on their way when it subscribes.
	last := key(k.Tenant)
	quick := subscribe(t, h, event.Filter{Tenant: k.Tenant, Kind: event.Alarm, Scope: telemetry.Scope{Sensor: last.Sensor}})
	publish(t, h, hint(last, 500))
	next(t, quick)
	largest := uint64(0)
	for n := len(slow); n > 0; n-- {
		got := next(t, slow)
		largest = max(largest, got.Event.Alarm.Seq)
		if got.Gap {
			t.Error("merging is no gap")
		}
	}
	if largest != 1000 {
		t.Errorf("the largest hint is %d, want 1000", largest)
	}
}

// What is lost between processes shows in the publishers' numbers.
func TestLossOnTheWayIsTold(t *testing.T) {
	h := oneHub(t, Options{})
	k, elsewhere := key(id.New(id.Tenant)), key(id.New(id.Tenant))
	elsewhere.Tenant = k.Tenant
	items := subscribe(t, h, event.Filter{Tenant: k.Tenant, Kind: event.Telemetry})
	publish(t, h, reading(k, 1))
	if next(t, items).Gap {
		t.Error("a gap before the first event")
	}
	if _, err := h.out.encode(reading(elsewhere, 2)); err != nil { // numbered and lost
		t.Fatal(err)
	}
	publish(t, h, reading(k, 3))
	if !next(t, items).Gap {
		t.Error("the loss is not told")
	}
	publish(t, h, reading(k, 4))
	if next(t, items).Gap {
		t.Error("it is told twice")
	}
	other := New(h.conn, Options{})
	publish(t, other, reading(k, 5), reading(k, 6))
	for range 2 {
		if next(t, items).Gap {
			t.Error("another publisher's numbers are taken for a loss")
		}
	}
}
