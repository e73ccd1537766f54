package telemetry

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Aggregate is what is kept of one parameter in one bucket. The zero value is that of
// no values at all.
type Aggregate struct {
	Count      uint32
	LastMillis int32 // event time of Last, milliseconds after the bucket's beginning
	Sum        float64
	SumSquares float64
	Min, Max   float64
	Last       float64 // by event time; of one time the last in the log
}

func (a *Aggregate) add(v float64, millis int32) {
	if a.Count == 0 {
		*a = Aggregate{Count: 1, LastMillis: millis, Sum: v, SumSquares: v * v, Min: v, Max: v, Last: v}
		return
	}
	a.Count++
	a.Sum += v
	a.SumSquares += v * v
	if v < a.Min {
		a.Min = v
	}
	if v > a.Max {
		a.Max = v
	}
	if millis >= a.LastMillis {
		a.Last, a.LastMillis = v, millis
	}
}

// merge adds b, whose bucket begins shift milliseconds after that of a.
func (a *Aggregate) merge(b *Aggregate, shift int32) {
	switch {
	case b.Count == 0:
		return
	case a.Count == 0:
		*a = *b
		a.LastMillis += shift
		return
	}
	a.Count += b.Count
	a.Sum += b.Sum
	a.SumSquares += b.SumSquares
	a.Min, a.Max = min(a.Min, b.Min), max(a.Max, b.Max)
	if millis := b.LastMillis + shift; millis >= a.LastMillis {
		a.Last, a.LastMillis = b.Last, millis
	}
}

// Mean is NaN when there are no values.
func (a *Aggregate) Mean() float64 { return a.Sum / float64(a.Count) }

// StdDev is the standard deviation of the values as a population, NaN when there are
// none. (From sum and sum of squares; what rounding leaves below zero counts as zero.)
func (a *Aggregate) StdDev() float64 {
	if a.Count == 0 {
		return math.NaN()
	}
	mean := a.Mean()
	return math.Sqrt(max(0, a.SumSquares/float64(a.Count)-mean*mean))
}

// NamedAggregate is that of a parameter that is not one of the 24 channels.
type NamedAggregate struct {
	Name string
	Aggregate
}

// Rollup is what is kept of one sensor's readings in one bucket, by event time: all
// parameters, the derived ones included (see Reading.Parameter).
//
// In the 5-minute resolution a rollup is a function of the log: LastSeq being n, it
// holds those readings of the bucket that the lane's log gave up to n and that were
// the first writes of their documents, added in the order of the log. Whoever computes
// it comes to the same values, bit by bit, and so writing it twice, or by two, is
// harmless.
type Rollup struct {
	Key             // place of the sensor when it was last heard in this bucket
	Start time.Time // beginning of the bucket
	// Lane names the log that LastSeq counts in, see Lane. Sensor, start and lane are
	// unique in a resolution; rollups coarser than 5 minutes hold all lanes, in lane 0.
	Lane     uint8
	LastSeq  uint64 // of the last reading in it, of whichever lane in coarser ones
	Readings uint32 // number of them
	Channels [Channels]Aggregate
	Values   []NamedAggregate // sorted by name, with Count > 0
}

// laneBit is where the lane begins in a log sequence.
const laneBit = 56

// Lane tells which of several logs a sequence counts in: that of live data is 0. A log
// with a numbering of its own (backfill) is another lane, whose number stands in the
// highest byte of its readings' LogSeq, so that sequences of two logs are never equal.
func Lane(logSeq uint64) uint8 { return uint8(logSeq >> laneBit) }

// InLane returns a log's own sequence as one of the lane.
func InLane(lane uint8, seq uint64) uint64 { return uint64(lane)<<laneBit | seq }

// Add takes in a reading of the bucket, unless its sequence says that it is in
// already: readings of one lane are added in the order of the log.
func (r *Rollup) Add(raw *Raw) (added bool) {
	if raw.LogSeq <= r.LastSeq && r.Readings > 0 {
		return false
	}
	r.Key, r.LastSeq = raw.Key, raw.LogSeq
	r.Readings++
	millis := int32(raw.Timestamp.Sub(r.Start) / time.Millisecond)
	machine := false
	for c, v := range &raw.Channels {
		if v == v { // not NaN
			r.Channels[c].add(v, millis)
			machine = true
		}
	}
	for i := range raw.Values {
		r.named(raw.Values[i].Name).add(raw.Values[i].Value, millis)
	}
	if machine {
		for _, name := range [...]string{VibrationRMS, BearingTemp} {
			if _, sent := raw.value(name); sent {
				continue
			}
			if v, ok := raw.Parameter(name); ok {
				r.named(name).add(v, millis)
			}
		}
	}
	return true
}

// Merge takes in a rollup of the same sensor whose bucket lies within this one's.
// Callers merge in the order of start and lane.
func (r *Rollup) Merge(o *Rollup) {
	r.Key = o.Key
	r.LastSeq = max(r.LastSeq, o.LastSeq)
	r.Readings += o.Readings
	shift := int32(o.Start.Sub(r.Start) / time.Millisecond)
	for c := range r.Channels {
		r.Channels[c].merge(&o.Channels[c], shift)
	}
	for i := range o.Values {
		r.named(o.Values[i].Name).merge(&o.Values[i].Aggregate, shift)
	}
}

// Parameter returns the aggregate of a parameter, nil when it was not measured.
func (r *Rollup) Parameter(name string) *Aggregate {
	if c, ok := ChannelByName(name); ok {
		if r.Channels[c].Count == 0 {
			return nil
		}
		return &r.Channels[c]
	}
	if i, ok := r.find(name); ok {
		return &r.Values[i].Aggregate
	}
	return nil
}

func (r *Rollup) find(name string) (int, bool) {
	return slices.BinarySearchFunc(r.Values, name, func(v NamedAggregate, name string) int { return strings.Compare(v.Name, name) })
}

// named returns the aggregate of the name, a new one when there is none. It is valid
// until the next call.
func (r *Rollup) named(name string) *Aggregate {
	i, ok := r.find(name)
	if !ok {
		r.Values = slices.Insert(r.Values, i, NamedAggregate{Name: name})
	}
	return &r.Values[i].Aggregate
}
