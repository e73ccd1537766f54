package fleet

import (
	"slices"
	"time"

	"foresight/inference/daily"
)

// Future is what the features of a day are computed beside, although it comes after the
// day and must not matter.
type Future uint8

// The futures.
const (
	Own     Future = iota // what became of the machine
	Another               // what became of another machine
	None                  // the record ends with the day
)

// Foretold measures the machine i of the plan as Lives does, with its inputs after each
// day exchanged. Its outcomes are its own.
func Foretold(p LifePlan, i int, f Future) []LifeRow {
	life, in := measure(p, i)
	var other daily.Inputs
	switch f {
	case Own:
		other = *in
	case Another:
		anothers, it := measure(p, i+p.Machines) // a machine that is in no plan's data
		other = *it
		shift(&other, life.Start.Sub(anothers.Start))
	}
	return observe(p, i, life, func(day time.Time) *daily.Inputs { return exchanged(in, &other, daily.End(day)) })
}

// shift moves a record in time, by whole days.
func shift(in *daily.Inputs, by time.Duration) {
	for i := range in.Days {
		in.Days[i].Start = in.Days[i].Start.Add(by)
	}
	for i := range in.Alarms {
		in.Alarms[i].At = in.Alarms[i].At.Add(by)
	}
	for i := range in.Maintenance {
		in.Maintenance[i].At = in.Maintenance[i].At.Add(by)
	}
}

// exchanged are the inputs until the time, then those of the other machine.
func exchanged(in, other *daily.Inputs, at time.Time) *daily.Inputs {
	return &daily.Inputs{
		Descriptions: in.Descriptions,
		Days:         joined(in.Days, other.Days, at, func(d *daily.Day) time.Time { return d.Start }),
		Alarms:       joined(in.Alarms, other.Alarms, at, func(a *daily.Alarm) time.Time { return a.At }),
		Maintenance:  joined(in.Maintenance, other.Maintenance, at, func(m *daily.Maintenance) time.Time { return m.At }),
	}
}

func joined[T any](past, future []T, at time.Time, when func(*T) time.Time) []T {
	later := func(v T) bool { return !when(&v).Before(at) }
	out := slices.DeleteFunc(slices.Clone(past), later)
	for i := range future {
		if later(future[i]) {
			out = append(out, future[i])
		}
	}
	return out
}
