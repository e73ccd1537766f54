package telemetry

import (
	"fmt"
	"time"
)

// Resolution is the width of the tumbling buckets in which readings are rolled up.
type Resolution uint8

// The resolutions that are kept. Buckets begin at multiples of their width since
// 1970-01-01 UTC, so that 12 of 5 minutes make an hour and 24 hours a day (of UTC).
const (
	M5 Resolution = iota // 5 minutes, made from readings
	H1                   // an hour, made from M5
	D1                   // a day, made from H1
)

// Resolutions lists them, the finest first.
var Resolutions = [...]Resolution{M5, H1, D1}

// Width is the length of a bucket.
func (r Resolution) Width() time.Duration {
	switch r {
	case M5:
		return 5 * time.Minute
	case H1:
		return time.Hour
	case D1:
		return 24 * time.Hour
	}
	panic(fmt.Sprintf("telemetry: no resolution %d", r))
}

// Start returns the beginning, in UTC, of the bucket in which the event time lies.
func (r Resolution) Start(at time.Time) time.Time {
	width := int64(r.Width() / time.Second)
	s := at.Unix()
	rest := s % width
	if rest < 0 {
		rest += width
	}
	return time.Unix(s-rest, 0).UTC()
}

// String returns `m5`, `h1` or `d1`.
func (r Resolution) String() string {
	switch r {
	case M5:
		return "m5"
	case H1:
		return "h1"
	case D1:
		return "d1"
	}
	return fmt.Sprintf("resolution(%d)", uint8(r))
}
