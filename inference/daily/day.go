package daily

import (
	"math"
	"math/bits"
	"time"

	"foresight/internal/telemetry"
)

// Stat is what is kept of a quantity's samples of one day. The zero value is that of no
// samples.
type Stat struct {
	Count           uint64
	Sum, SumSquares float64
	Min, Max        float64
}

// Add takes in one sample.
func (s *Stat) Add(v float64) { s.merge(&Stat{1, v, v * v, v, v}) }

func (s *Stat) merge(o *Stat) {
	switch {
	case o.Count == 0:
		return
	case s.Count == 0:
		*s = *o
		return
	}
	s.Count += o.Count
	s.Sum += o.Sum
	s.SumSquares += o.SumSquares
	s.Min, s.Max = min(s.Min, o.Min), max(s.Max, o.Max)
}

func (s *Stat) take(a *telemetry.Aggregate) {
	if a != nil && a.Count > 0 {
		s.merge(&Stat{uint64(a.Count), a.Sum, a.SumSquares, a.Min, a.Max})
	}
}

// Mean is NaN when there are no samples.
func (s *Stat) Mean() float64 { return s.Sum / float64(s.Count) }

// deviation is the standard deviation as a population, NaN when there are no samples.
// What rounding leaves below zero counts as zero.
func (s *Stat) deviation() float64 {
	if s.Count == 0 {
		return math.NaN()
	}
	mean := s.Mean()
	return math.Sqrt(max(0, s.SumSquares/float64(s.Count)-mean*mean))
}

func (s *Stat) least() float64 {
	if s.Count == 0 {
		return math.NaN()
	}
	return s.Min
}

func (s *Stat) most() float64 {
	if s.Count == 0 {
		return math.NaN()
	}
	return s.Max
}

// Hours is a set of hours of a UTC day: bit h is the hour that begins at h o'clock.
type Hours uint32

// Len is the number of hours in the set.
func (h Hours) Len() int { return bits.OnesCount32(uint32(h)) }

// Evidence is the hours of a day in which a question could be answered, and those of
// them in which the answer was yes.
type Evidence struct{ Told, Yes Hours }

func (e *Evidence) note(hour Hours, yes bool) {
	e.Told |= hour
	if yes {
		e.Yes |= hour
	}
}

// Day is what is kept of a machine's one UTC day, of all its sensors together. Whoever
// has hourly rollups fills it with AddHour.
type Day struct {
	Start time.Time // 00:00 UTC
	// Known is when the last of what the day holds became known. Zero: by the end of the
	// day, as readings are that were not delayed.
	Known time.Time

	VibrationRMS Stat // mm/s
	BearingTemp  Stat // °C
	OilPressure  Stat // bar
	MotorCurrent Stat // A
	Ultrasonic   Stat // dBµV, of all mount points

	// Energy and HighEnergy are the sums of squares, (mm/s)², of the velocity in bands 1
	// to 4 and in bands 3 and 4, over the mount points that measured all four.
	Energy, HighEnergy float64

	// BroadBand holds the velocity that ISO 20816-3 judges, mm/s RMS: of each hour the
	// quadratic mean of bands 1 and 2 at the worst mount point. No feature is made of it.
	BroadBand Stat

	Heard    Hours    // a reading came
	Turning  Evidence // by speed: the machine ran
	Drawing  Evidence // by motor current
	Shaking  Evidence // by vibration
	Exceeded Evidence // the vibration was in zone C or D of ISO 20816-3

	Predictions uint32 // production predictions of the fault classifier
	Faults      uint32 // those of them that named another class than normal
	// Gravity is the sum over the faults of how severe each is, 0-1. No feature is made
	// of it.
	Gravity float64
}

// What the hourly means are at least of a machine that runs.
const (
	turning = 60  // rpm
	drawing = 1   // A
	shaking = 0.3 // mm/s RMS, above what reaches a stopped machine from its neighbours
)

// AddHour takes in the rollup of an hour of the day, of one of the machine's sensors.
// limit is the boundary between the zones B and C of ISO 20816-3 that the machine has,
// mm/s RMS, NaN when it has none. Rollups of other days are left aside.
func (d *Day) AddHour(r *telemetry.Rollup, limit float64) {
	h := r.Start.Sub(d.Start) / time.Hour
	if r.Start.Before(d.Start) || h >= 24 || r.Readings == 0 {
		return
	}
	hour := Hours(1) << h
	d.Heard |= hour

	vibration, current := r.Parameter(telemetry.VibrationRMS), r.Parameter(telemetry.MotorCurrent)
	d.VibrationRMS.take(vibration)
	d.BearingTemp.take(r.Parameter(telemetry.BearingTemp))
	d.OilPressure.take(r.Parameter(telemetry.OilPressure))
	d.MotorCurrent.take(current)
	for m := range telemetry.MountPoints {
		d.Ultrasonic.take(&r.Channels[telemetry.At(m, telemetry.Ultrasonic)])
	}
	note(&d.Turning, hour, r.Parameter(telemetry.Speed), turning)
	note(&d.Drawing, hour, current, drawing)
	note(&d.Shaking, hour, vibration, shaking)
	d.bands(r, hour, limit)
}

func note(e *Evidence, hour Hours, a *telemetry.Aggregate, limit float64) {
	if a != nil && a.Count > 0 {
		e.note(hour, a.Mean() >= limit)
	}
}

// bands takes in what the velocity by frequency band tells.
func (d *Day) bands(r *telemetry.Rollup, hour Hours, limit float64) {
	worst := math.NaN()
	for m := range telemetry.MountPoints {
		one, two := &r.Channels[telemetry.At(m, telemetry.Band1)], &r.Channels[telemetry.At(m, telemetry.Band2)]
		if one.Count == 0 || two.Count == 0 {
			continue
		}
		if v := math.Sqrt(one.SumSquares/float64(one.Count) + two.SumSquares/float64(two.Count)); !(v <= worst) {
			worst = v
		}
		three, four := &r.Channels[telemetry.At(m, telemetry.Band3)], &r.Channels[telemetry.At(m, telemetry.Band4)]
		if three.Count == 0 || four.Count == 0 {
			continue
		}
		high := three.SumSquares + four.SumSquares
		d.HighEnergy += high
		d.Energy += one.SumSquares + two.SumSquares + high
	}
	if worst != worst { // NaN
		return
	}
	d.BroadBand.Add(worst)
	if limit == limit {
		d.Exceeded.note(hour, worst > limit)
	}
}

// Running returns the hours in which it can be told whether the machine ran, and those
// in which it did: by its speed, in hours without one by its current, in the others by
// its vibration.
func (d *Day) Running() Evidence {
	e := d.Turning
	for _, next := range [...]Evidence{d.Drawing, d.Shaking} {
		e.Yes |= next.Yes &^ e.Told
		e.Told |= next.Told
	}
	return e
}
