package daily

import (
	"math"
	"time"
)

// Settle is how long after the end of a day what happened on it may still become known,
// to be part of its features: stragglers among readings, the evening's work reports.
const Settle = 2 * time.Hour

// The windows, in days, the day included.
const (
	short  = 7
	medium = 30
	long   = 90
	year   = 365
)

// leastDays is the number of days with samples from which on a slope is told.
const leastDays = 7

const oneDay = 24 * time.Hour

// DayOf returns the beginning of the UTC day of the time.
func DayOf(at time.Time) time.Time {
	y, m, d := at.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// End returns the end of the day, up to which things count that happened.
func End(day time.Time) time.Time { return DayOf(day).Add(oneDay) }

// AsOf returns the time of knowledge of the day's features: nothing enters that was not
// known by then. A prediction from them can be made from then on, and looks ahead from
// there.
func AsOf(day time.Time) time.Time { return End(day).Add(Settle) }

// LastDay returns the newest day whose features can be made at the time.
func LastDay(now time.Time) time.Time { return DayOf(now.Add(-Settle)).Add(-oneDay) }

// Extract computes the features of the UTC day. It allocates nothing.
func Extract(in *Inputs, day time.Time) Vector {
	end, asOf := End(day), AsOf(day)
	var v Vector
	set := func(i int, x float64) { v[i] = clamp(x) }

	var days [long]*Day
	in.pick(&days, end, asOf)
	var week, month, quarter sums
	for i, d := range days {
		if d == nil {
			continue
		}
		if i < short {
			week.add(d)
		}
		if i < medium {
			month.add(d)
		}
		quarter.add(d)
	}
	for i, s := range [...]*Stat{&week.vibration, &month.vibration, &quarter.vibration} {
		set(vibration7+3*i, s.Mean())
		set(vibration7+3*i+1, s.deviation())
		set(vibration7+3*i+2, s.most())
	}
	for i, s := range [...]*sums{&week, &month} {
		set(temperature7+2*i, s.temperature.Mean())
		set(temperature7+2*i+1, s.temperature.most())
		set(oil7+2*i, s.oil.Mean())
		set(oil7+2*i+1, s.oil.least())
		set(ultrasonic7+2*i, s.ultrasonic.Mean())
		set(ultrasonic7+2*i+1, s.ultrasonic.most())
		set(highBand7+i, s.highEnergy/s.energy)
		set(faultShare7+i, float64(s.faults)/float64(s.predictions))
	}
	set(temperatureTrend, slope(days[:medium], func(d *Day) *Stat { return &d.BearingTemp }))
	set(oilTrend, slope(days[:medium], func(d *Day) *Stat { return &d.OilPressure }))
	set(current7, week.current.Mean())
	set(current7+1, week.current.deviation())
	set(running30, month.running.hours())
	set(exceeded30, month.exceeded.hours())
	set(coverage7, float64(week.heard)/(short*24))

	set(alerts7, in.alarms(end, asOf, short))
	set(alerts30, in.alarms(end, asOf, medium))
	done := in.maintenance(end, asOf)
	set(sinceMaintenance, done.since)
	set(maintenance90, done.quarter)
	set(corrective365, done.corrective)
	about := in.description(end, asOf)
	set(age, about.age)
	set(criticality, about.criticality)
	set(assetType, about.kind)
	return v
}

// clamp rounds to float32; what is beyond its limits becomes the limit. (An infinite
// value comes from an overflow only.)
func clamp(v float64) float32 {
	return float32(max(-math.MaxFloat32, min(math.MaxFloat32, v)))
}

// pick puts the days of the longest window in their places, the newest first, nil where
// there is none.
func (in *Inputs) pick(out *[long]*Day, end, asOf time.Time) {
	for i := range in.Days {
		d := &in.Days[i]
		ago := int(end.Sub(d.Start)/oneDay) - 1
		if !d.Start.Before(end) || ago < 0 || ago >= long || d.Known.After(asOf) {
			continue
		}
		if was := out[ago]; was == nil || d.Known.After(was.Known) {
			out[ago] = d
		}
	}
}

// happened reports whether something counts that happened at a time and became known at
// another, for a window of so many days.
func happened(at, known, end, asOf time.Time, days int) bool {
	return at.Before(end) && !known.After(asOf) && !at.Before(end.Add(-time.Duration(days)*oneDay))
}

func (in *Inputs) alarms(end, asOf time.Time, days int) float64 {
	n := 0
	for i := range in.Alarms {
		if a := &in.Alarms[i]; happened(a.At, a.Known, end, asOf, days) {
			n++
		}
	}
	return float64(n)
}

type upkeep struct{ since, quarter, corrective float64 }

func (in *Inputs) maintenance(end, asOf time.Time) upkeep {
	u := upkeep{since: math.NaN()}
	for i := range in.Maintenance {
		m := &in.Maintenance[i]
		if m.Kind == Inspection || !m.At.Before(end) || m.Known.After(asOf) {
			continue
		}
		if ago := end.Sub(m.At).Hours() / 24; !(ago >= u.since) {
			u.since = ago
		}
		if happened(m.At, m.Known, end, asOf, long) {
			u.quarter++
		}
		if m.Kind == Corrective && happened(m.At, m.Known, end, asOf, year) {
			u.corrective++
		}
	}
	return u
}

type about struct{ age, criticality, kind float64 }

func (in *Inputs) description(end, asOf time.Time) about {
	var last *Description
	for i := range in.Descriptions {
		if d := &in.Descriptions[i]; !d.Known.After(asOf) && (last == nil || d.Known.After(last.Known)) {
			last = d
		}
	}
	out := about{math.NaN(), math.NaN(), math.NaN()}
	if last == nil {
		return out
	}
	if !last.InstalledOn.IsZero() && last.InstalledOn.Before(end) {
		out.age = end.Sub(last.InstalledOn).Hours() / 24
	}
	out.criticality = ordinal(criticalities[:], last.Criticality)
	out.kind = ordinal(assetTypes[:], last.Type)
	return out
}

// The orders in which names are numbered. They are part of the columns' definitions.
var (
	criticalities = [...]string{"low", "medium", "high", "critical"}
	assetTypes    = [...]string{"motor", "pump", "pump_set", "compressor", "fan", "blower", "gearbox", "turbine", "generator", "conveyor", "mixer", "other"}
)

func ordinal(names []string, name string) float64 {
	for i, n := range names {
		if n == name {
			return float64(i)
		}
	}
	return math.NaN()
}
