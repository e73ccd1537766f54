package telemetry

import (
	"math"
	"time"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
)

// Key places a sensor in the hierarchy of its tenant.
type Key struct {
	Tenant, Site, Asset, Sensor id.UUID
}

// Value is one measured process parameter (not one of the 24 channels).
type Value struct {
	Name  string
	Value float64
}

// Reading is what a sensor measured at one time. A channel that was not measured
// is NaN: missing is missing, never zero. Values are finite and sorted by name.
type Reading struct {
	Key
	Timestamp time.Time // event time, UTC, millisecond precision
	Channels  [Channels]float64
	Values    []Value
}

// IngestID names a message within its tenant: a hash of tenant, sensor, timestamp
// and payload, or the client's own id. Redelivery and replay carry the same one.
type IngestID [16]byte

// Raw is a reading as it is stored: the normalised values beside the message as it
// came.
type Raw struct {
	Reading
	IngestID   IngestID
	LogSeq     uint64 // sequence in the log of the first write; 0 before it
	ReceivedAt time.Time
	Topic      string
	Payload    []byte // the original JSON, unknown keys included
	Late       bool   // older than the sensor's newest when it was processed

	// Trace is where the message is on its way, for the few that are followed. It goes
	// with the log and with events, and is not stored.
	Trace tracing.Ref
}

// NoChannels returns 24 missing channels.
func NoChannels() (c [Channels]float64) {
	for i := range c {
		c[i] = math.NaN()
	}
	return c
}

// HasChannels reports whether any of the machine channels was measured: a sensor of
// pressures alone says nothing to the fault model.
func (r *Reading) HasChannels() bool {
	for _, v := range r.Channels {
		if v == v {
			return true
		}
	}
	return false
}

// Parameter returns the value of a parameter by catalogue name and whether it is
// known. vibration_rms and bearing_temp are derived from the channels when they
// were not sent: the largest mount point's root of the sum of squared bands, and
// the largest mount point's temperature.
func (r *Reading) Parameter(name string) (float64, bool) {
	if c, ok := ChannelByName(name); ok {
		v := r.Channels[c]
		return v, !math.IsNaN(v)
	}
	if v, sent := r.value(name); sent {
		return v, true
	}
	switch name {
	case VibrationRMS:
		return r.worst(func(m int) float64 {
			return math.Sqrt(r.sq(m, Band1) + r.sq(m, Band2) + r.sq(m, Band3) + r.sq(m, Band4))
		})
	case BearingTemp:
		return r.worst(func(m int) float64 { return r.Channels[At(m, Temperature)] })
	}
	return 0, false
}

// value returns what was sent under the name, which is not a channel's.
func (r *Reading) value(name string) (float64, bool) {
	for i := range r.Values {
		if r.Values[i].Name == name {
			return r.Values[i].Value, true
		}
	}
	return 0, false
}

// BroadBand returns the velocity over 10-1000 Hz that ISO 20816-3 judges, in mm/s
// RMS: the root of band 1 squared plus band 2 squared, of the worst mount point.
func (r *Reading) BroadBand() (float64, bool) {
	return r.worst(func(m int) float64 { return math.Sqrt(r.sq(m, Band1) + r.sq(m, Band2)) })
}

func (r *Reading) sq(mount, quantity int) float64 {
	v := r.Channels[At(mount, quantity)]
	return v * v
}

// worst takes the largest over the mount points at which f is not NaN.
func (r *Reading) worst(f func(mount int) float64) (float64, bool) {
	best, ok := 0.0, false
	for m := range MountPoints {
		if v := f(m); !math.IsNaN(v) && (!ok || v > best) {
			best, ok = v, true
		}
	}
	return best, ok
}

// Seen says when a sensor last spoke, by the clock of the product (not the sensor's).
type Seen struct {
	Key
	At time.Time
}
