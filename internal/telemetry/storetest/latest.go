package storetest

import (
	"bytes"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var latestTests = []test{
	{"by event time, not by arrival", latestByEventTime},
	{"a repetition is not news", latestRepeated},
	{"of one time the last in the log", latestTie},
	{"one per sensor, in the order of sensors, limited", latestOrder},
}

func (s *suite) latest(tenant id.UUID, limit int) []telemetry.Raw {
	s.Helper()
	out, err := s.store.Latest(s.ctx(), tenant, telemetry.Scope{}, limit)
	if err != nil {
		s.Fatalf("Latest: %v", err)
	}
	return out
}

func latestByEventTime(s *suite) {
	k := newSensor()
	for i, offset := range []time.Duration{0, time.Minute, -25 * time.Hour, 30 * time.Second} {
		s.write(reading(k, s.at(offset), uint64(i+1)))
	}
	got := s.latest(k.Tenant, 10)
	if len(got) != 1 || got[0].LogSeq != 2 {
		s.Fatalf("latest is %v, want 2", seqs(got))
	}
	want := reading(k, s.at(time.Minute), 2)
	if err := sameReading(got[0], want); err != nil {
		s.Error(err)
	}
	if err := sameMessage(got[0], want); err != nil {
		s.Error(err)
	}
}

func latestRepeated(s *suite) {
	k := newSensor()
	old, newest := reading(k, s.at(0), 1), reading(k, s.at(time.Second), 2)
	s.write(old, newest)
	for _, r := range []telemetry.Raw{newest, old} {
		r.LogSeq += 100
		s.write(r)
	}
	if got := s.latest(k.Tenant, 10); !slices.Equal(seqs(got), []uint64{2}) {
		s.Errorf("latest %v, want [2]", seqs(got))
	}
}

func latestTie(s *suite) {
	k := newSensor()
	s.write(reading(k, s.now, 1), reading(k, s.now, 2))
	s.write(reading(k, s.now, 3))
	if got := s.latest(k.Tenant, 10); !slices.Equal(seqs(got), []uint64{3}) {
		s.Errorf("latest %v, want [3]", seqs(got))
	}
}

func latestOrder(s *suite) {
	tenant := id.New(id.Tenant)
	var keys []telemetry.Key
	var docs []telemetry.Raw
	for i := range 9 {
		k := sensor(tenant)
		keys = append(keys, k)
		docs = append(docs, reading(k, s.at(time.Duration(i)*time.Minute), uint64(i+1)))
	}
	slices.Reverse(docs)
	s.write(docs...)
	slices.SortFunc(keys, func(a, b telemetry.Key) int { return bytes.Compare(a.Sensor[:], b.Sensor[:]) })
	got := s.latest(tenant, 5)
	if len(got) != 5 {
		s.Fatalf("%d sensors, want 5", len(got))
	}
	for i := range got {
		if got[i].Sensor != keys[i].Sensor {
			s.Errorf("place %d is another sensor", i)
		}
	}
}
