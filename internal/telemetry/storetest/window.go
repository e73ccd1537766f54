package storetest

import (
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var windowTests = []test{
	{"the newest n, oldest first", windowNewest},
	{"only what the log held up to the sequence", windowMaxSeq},
	{"late readings are left out", windowLate},
	{"readings of one time stand in the order of the log", windowTie},
	{"no further back than since", windowSince},
	{"rebuilt is what it was", windowRebuilt},
}

func (s *suite) window(k telemetry.Key, n int, maxSeq uint64, since time.Time) []telemetry.Raw {
	s.Helper()
	out, err := s.store.Window(s.ctx(), k.Tenant, []id.UUID{k.Sensor}, n, maxSeq, since)
	if err != nil {
		s.Fatalf("Window: %v", err)
	}
	return out[k.Sensor]
}

func windowNewest(s *suite) {
	tenant := id.New(id.Tenant)
	a, b, silent := sensor(tenant), sensor(tenant), sensor(tenant)
	for i := range 20 {
		s.write(reading(a, s.at(time.Duration(i)*time.Hour-20*time.Hour), uint64(i+1)))
	}
	s.write(reading(b, s.now, 100))
	got, err := s.store.Window(s.ctx(), tenant, []id.UUID{silent.Sensor, b.Sensor, a.Sensor, a.Sensor}, 5, 1000, s.at(-48*time.Hour))
	if err != nil {
		s.Fatal(err)
	}
	if len(got) != 2 || !slices.Equal(seqs(got[a.Sensor]), []uint64{16, 17, 18, 19, 20}) || !slices.Equal(seqs(got[b.Sensor]), []uint64{100}) {
		s.Errorf("windows %v %v of %d sensors", seqs(got[a.Sensor]), seqs(got[b.Sensor]), len(got))
	}
	if err := sameReading(got[b.Sensor][0], reading(b, s.now, 100)); err != nil {
		s.Error(err)
	}
	if got, err := s.store.Window(s.ctx(), tenant, nil, 5, 1000, s.now); err != nil || len(got) != 0 {
		s.Errorf("no sensors: %v, %v", got, err)
	}
}

func windowMaxSeq(s *suite) {
	k := newSensor()
	for i := range 6 {
		s.write(reading(k, s.at(time.Duration(i)*time.Second), uint64(i+1)))
	}
	if got := seqs(s.window(k, 3, 4, s.at(-time.Hour))); !slices.Equal(got, []uint64{2, 3, 4}) {
		s.Errorf("up to 4: %v", got)
	}
	if got := s.window(k, 3, 0, s.at(-time.Hour)); len(got) != 0 {
		s.Errorf("up to 0: %v", seqs(got))
	}
}

func windowLate(s *suite) {
	k := newSensor()
	s.write(reading(k, s.at(0), 1), reading(k, s.at(2*time.Second), 2))
	late := reading(k, s.at(time.Second), 3)
	late.Late = true
	s.write(late)
	if got := seqs(s.window(k, 5, 10, s.at(-time.Hour))); !slices.Equal(got, []uint64{1, 2}) {
		s.Errorf("got %v, want [1 2]", got)
	}
}

func windowTie(s *suite) {
	k := newSensor()
	for i := range 6 {
		s.write(reading(k, s.now, uint64(i+1)))
	}
	if got := seqs(s.window(k, 4, 10, s.at(-time.Hour))); !slices.Equal(got, []uint64{3, 4, 5, 6}) {
		s.Errorf("got %v", got)
	}
}

func windowSince(s *suite) {
	k := newSensor()
	for i := range 5 {
		s.write(reading(k, s.at(time.Duration(i)*time.Second), uint64(i+1)))
	}
	if got := seqs(s.window(k, 5, 10, s.at(2*time.Second))); !slices.Equal(got, []uint64{3, 4, 5}) {
		s.Errorf("got %v", got)
	}
}

// windowRebuilt: at every place of the log, a window that saw it all and one rebuilt
// from the store hold the same, bit for bit.
func windowRebuilt(s *suite) {
	k := newSensor()
	var live telemetry.Window
	for i := range 60 {
		at := s.at(time.Duration(i*7%11+i) * time.Second) // runs back now and then
		r := reading(k, at, uint64(i+1))
		if newest, ok := live.Newest(); ok && at.Before(newest) {
			r.Late = true
		}
		s.write(r)
		live.Add(r.Timestamp, &r.Channels)

		var rebuilt telemetry.Window
		for _, r := range s.window(k, telemetry.WindowSize, r.LogSeq, s.at(-time.Hour)) {
			rebuilt.Add(r.Timestamp, &r.Channels)
		}
		if err := sameWindow(&rebuilt, &live); err != nil {
			s.Fatalf("after %d readings: %v", i+1, err)
		}
	}
	if !live.Full() {
		s.Fatal("the test never filled a window")
	}
}
