package loadtest

import (
	"testing"
	"time"
)

func TestEveryMessageIsFoundByItsTime(t *testing.T) {
	start := time.Date(2026, 7, 1, 12, 0, 0, 123456, time.UTC)
	for _, c := range []struct {
		rate           float64
		sensors, total int
	}{{1, 1, 50}, {1000, 200, 5000}, {997.3, 7, 1000}, {12000, 200, 30000}, {33333, 1000, 40000}, {0, 13, 1000}, {500, 1, 600}} {
		s, err := newSchedule(start, c.rate, c.sensors, c.total)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.total {
			if got, ok := s.find(i%c.sensors, s.at(i)); !ok || got != i {
				t.Fatalf("%v/s of %d sensors: message %d is found as %d, %v", c.rate, c.sensors, i, got, ok)
			}
			if i >= c.sensors && s.at(i).Sub(s.at(i-c.sensors)) < minSpacing-time.Millisecond {
				t.Fatalf("%v/s: messages of a sensor %s apart", c.rate, s.at(i).Sub(s.at(i-c.sensors)))
			}
		}
		from, to := s.span()
		if s.at(0).Before(from) || !s.at(c.total-1).Before(to) {
			t.Errorf("%v/s: the span %s to %s leaves messages out", c.rate, from, to)
		}
		for _, foreign := range []time.Time{start.Add(-time.Hour), s.at(c.total - 1).Add(time.Hour), s.at(0).Add(time.Microsecond)} {
			if i, ok := s.find(0, foreign); ok {
				t.Errorf("%v/s: %s is taken for message %d", c.rate, foreign, i)
			}
		}
	}
}

func TestTooFastForTheSensors(t *testing.T) {
	if _, err := newSchedule(time.Now(), 1001, 2, 10); err == nil {
		t.Error("two messages of a sensor would have one time")
	}
}

func TestARateOfNoneLiesInThePast(t *testing.T) {
	now := time.Now()
	s, err := newSchedule(now, 0, 10, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if last := s.at(999); last.After(now) {
		t.Errorf("the last message is %s ahead", last.Sub(now))
	}
}
