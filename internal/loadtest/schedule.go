package loadtest

import (
	"fmt"
	"time"
)

// minSpacing is the least time between two messages of a sensor.
const minSpacing = 2 * time.Millisecond

// schedule says when which message is due. Message i is of sensor i mod sensors.
type schedule struct {
	start    time.Time // whole milliseconds, UTC
	sensors  int
	total    int
	interval float64       // ns between messages; 0: as fast as it goes
	spacing  time.Duration // of a sensor's messages, when interval is 0
}

// newSchedule plans total messages at the rate, per second, from start on. With rate 0
// event times lie minSpacing apart in the past, so that none is ahead of the clock.
func newSchedule(start time.Time, rate float64, sensors, total int) (schedule, error) {
	s := schedule{start: start.UTC().Truncate(time.Millisecond), sensors: sensors, total: total}
	if sensors < 1 || total < 1 || rate < 0 {
		return s, fmt.Errorf("loadtest: %d messages of %d sensors at %v/s", total, sensors, rate)
	}
	if rate == 0 {
		s.spacing = minSpacing
		s.start = s.start.Add(-time.Duration(total/sensors+1) * s.spacing)
		return s, nil
	}
	s.interval = float64(time.Second) / rate
	if s.interval*float64(sensors) < float64(minSpacing) {
		return s, fmt.Errorf("loadtest: %v messages/s of %d sensors: a sensor sends at most one in %s", rate, sensors, minSpacing)
	}
	return s, nil
}

// due is when message i is to be sent.
func (s *schedule) due(i int) time.Time {
	if s.interval == 0 {
		return s.start.Add(time.Duration(i/s.sensors) * s.spacing)
	}
	return s.start.Add(time.Duration(float64(i) * s.interval))
}

// at is the event time of message i.
func (s *schedule) at(i int) time.Time { return s.due(i).Truncate(time.Millisecond) }

// find returns the message of a sensor that has the event time.
func (s *schedule) find(sensor int, at time.Time) (i int, ok bool) {
	// The last message due before the next millisecond is it, or there is none.
	ahead := float64(at.Add(time.Millisecond).Sub(s.start) - 1)
	if ahead < 0 {
		return 0, false
	}
	n := 0
	if s.interval == 0 {
		n = int(ahead) / int(s.spacing)
	} else {
		n = int((ahead/s.interval - float64(sensor)) / float64(s.sensors))
	}
	// Rounding may be off by one.
	for _, k := range [...]int{n, n + 1, n - 1} {
		if i := k*s.sensors + sensor; k >= 0 && i < s.total && s.at(i).Equal(at) {
			return i, true
		}
	}
	return 0, false
}

// span is the range [from, to) of event times.
func (s *schedule) span() (from, to time.Time) {
	return s.start, s.at(s.total - 1).Add(time.Millisecond)
}
