package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"foresight/internal/telemetry"
)

// Course walks along a life and measures. Times must ascend. It is not safe for
// concurrent use.
type Course struct {
	life    *Life
	machine *Machine
	rng     *rand.Rand
	next    int  // the first episode that has not begun
	in      bool // an episode is in force
	seen    float64
	recent  [6]float64 // shares of the last hours' predictions that named a fault
	alarmed bool
}

// Begin returns a course at the life's start.
func (l *Life) Begin() *Course {
	return &Course{life: l, machine: NewMachine(l.Seed, l.Profile), rng: rand.New(rand.NewPCG(l.Seed, 0x636f75727365))}
}

// Machine is what is measured. Its fault is what the life says at the last time.
func (c *Course) Machine() *Machine { return c.machine }

// Next measures at t; false when nothing is heard from the machine at that time.
func (c *Course) Next(t time.Time) (Sample, bool) {
	c.advance(t)
	s := c.machine.Next(t)
	return s, !contains(c.life.Silences, t)
}

// advance brings the machine into the state that the life has for t.
func (c *Course) advance(t time.Time) {
	episodes := c.life.Episodes
	if c.in && !t.Before(episodes[c.next-1].End) {
		c.in = false
		c.machine.place(telemetry.Normal, true, nil)
	}
	for c.next < len(episodes) && !t.Before(episodes[c.next].Growth.Start) {
		e := &episodes[c.next]
		c.next++
		if t.Before(e.End) {
			c.in = true
			c.machine.place(e.Code, false, e.Growth.At) // codes of wearouts are known
			c.seen = recognised * lognormal(c.rng, scatter)
		}
	}
	c.machine.halted = c.life.Stopped(t)
}

// Hour is what is kept of an hour.
type Hour struct {
	Rollup      telemetry.Rollup
	Predictions uint32 // of the fault classifier
	Faults      uint32 // those that named another class than normal
	Alarm       bool   // an alarm event of a fault began
}

// Hour measures the hour that begins at start, of which one reading stands for all: it
// is drawn, the scatter of the others about it is put in by their number (see extend).
// It reports false when nothing was heard. h is overwritten, its memory used again.
func (c *Course) Hour(start time.Time, h *Hour) bool {
	values := h.Rollup.Values[:0]
	*h = Hour{Rollup: telemetry.Rollup{Start: start, Values: values}}
	s, heard := c.Next(start.Add(30 * time.Minute))
	if !heard {
		return false
	}
	raw := telemetry.Raw{Reading: telemetry.Reading{Timestamp: s.Timestamp, Channels: s.Channels, Values: s.Values()}, LogSeq: 1}
	h.Rollup.Add(&raw)
	n := c.life.PerHour
	h.Rollup.Readings = uint32(n)
	jitter := c.machine.jitter()
	for ch := range h.Rollup.Channels {
		a := &h.Rollup.Channels[ch]
		switch q := telemetry.Channel(ch).Quantity(); q {
		case telemetry.Temperature:
			c.extend(a, 0.2, n)
		case telemetry.Ultrasonic:
			c.extend(a, 0.9, n)
		default:
			c.extend(a, 0.057*a.Last, n)
		}
	}
	for i := range h.Rollup.Values {
		a := &h.Rollup.Values[i].Aggregate
		switch h.Rollup.Values[i].Name {
		case telemetry.BearingTemp:
			c.extend(a, 0.2, n)
		case telemetry.VibrationRMS:
			c.extend(a, math.Hypot(0.04, jitter)*a.Last, n)
		default:
			c.extend(a, 0.01*math.Abs(a.Last), n)
		}
	}
	c.judge(h)
	return true
}

// jitter is about how much of the broad-band level scatters because of the fault,
// relative.
func (m *Machine) jitter() float64 {
	if m.fault == nil || m.standing {
		return 0
	}
	return m.fault.s * m.fault.sig.jitter / 2
}

// extend makes an aggregate of one value that of n readings with a scatter of sigma:
// the extremes of n normal values are about Gumbel-distributed.
func (c *Course) extend(a *telemetry.Aggregate, sigma float64, n int) {
	if a.Count == 0 || n < 2 {
		return
	}
	z := extreme(n)
	beyond := func() float64 {
		gumbel := -math.Log(c.rng.ExpFloat64()) - 0.5772
		return sigma * max(0, z+gumbel/max(1.5, z))
	}
	mean := a.Last
	a.Count = uint32(n)
	a.Sum = mean * float64(n)
	a.SumSquares = float64(n) * (mean*mean + sigma*sigma)
	a.Max, a.Min = mean+beyond(), mean-beyond()
	if mean >= 0 {
		a.Min = max(0, a.Min)
	}
}

// extreme is the expected largest of n standard normal values (Blom's approximation).
func extreme(n int) float64 {
	p := 1 - (1-0.375)/(float64(n)+0.25)
	return math.Sqrt2 * math.Erfinv(2*p-1)
}

// What the fault classifier sees of a life, for the features that are about its
// predictions: it names a fault when its severity is about recognised, sooner on some
// machines than on others; and now and then one that is not there. The figures are
// those of the shipped classifier (a test of tools/champion compares them).
const (
	recognised  = 0.19
	scatter     = 0.6  // of recognised between faults, log-normal: some cry early, some late
	sharpness   = 0.05 // width of the step
	falseNaming = 0.01
)

// naming is the chance that a prediction names a fault of the severity, on a machine on
// which faults are seen from the severity seen on.
func naming(severity, seen float64) float64 {
	return falseNaming + (1-falseNaming)/(1+math.Exp((seen-severity)/sharpness))
}

// Recognition is the share of predictions that name a fault of the severity in lives, over
// all machines.
func Recognition(severity float64) (share float64) {
	const parts = 200 // of equal chance
	for i := range parts {
		z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/parts-1)
		share += naming(severity, recognised*math.Exp(scatter*z)) / parts
	}
	return share
}

func (c *Course) judge(h *Hour) {
	h.Predictions = uint32(c.life.PerHour)
	p := falseNaming
	if _, s := c.machine.Fault(); s > 0 && !c.machine.standing {
		p = naming(s, c.seen)
	}
	// Windows overlap: an hour has about as many independent ones as 14 readings each.
	independent := max(1, c.life.PerHour/14)
	named := 0
	for range min(independent, 8) {
		if c.rng.Float64() < p {
			named++
		}
	}
	share := float64(named) / float64(min(independent, 8))
	h.Faults = uint32(math.Round(share * float64(h.Predictions)))
	copy(c.recent[1:], c.recent[:])
	c.recent[0] = share
	mean := 0.0
	for _, v := range c.recent {
		mean += v / float64(len(c.recent))
	}
	switch {
	case !c.alarmed && mean > 0.5:
		c.alarmed, h.Alarm = true, true
	case c.alarmed && mean < 0.1:
		c.alarmed = false
	case !c.alarmed && c.rng.Float64() < 0.0005: // rules on process values
		h.Alarm = true
	}
}
