package simulate

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Outcome is how an episode ended.
type Outcome uint8

// The outcomes.
const (
	Ongoing  Outcome = iota // at the end of the life
	Failed                  // the machine could no longer do its work
	Repaired                // somebody found it in time
)

// Episode is a fault from its beginning to its end. Episodes of a life do not overlap.
type Episode struct {
	Code    string
	Growth  Degradation
	End     time.Time // it failed, was repaired, or the life ends
	Outcome Outcome
	// Fails is false for what grows to a plateau and does not end in a failure.
	Fails bool
}

// The kinds of service, as the maintenance records name them.
const (
	Preventive = "preventive"
	Corrective = "corrective"
	Inspection = "inspection"
)

// Service is work on the machine.
type Service struct {
	At   time.Time
	Kind string
	Code string // fault that was mended, if any
}

// Life is the history of one machine: what went wrong, and when. It is a function of
// the seed, the profile and the time, and is cheap: nothing is measured before Begin.
type Life struct {
	Seed       uint64
	Profile    Profile // with all that the seed drew
	Installed  time.Time
	Start, End time.Time
	PerHour    int // readings that the sensor sends
	Episodes   []Episode
	Services   []Service // ascending
	Stops      []Span    // repairs after failures
	Silences   []Span    // nothing was heard: gateway or network
	variation  factors   // of this machine against the average one
}

// Span is a time between two.
type Span struct{ From, To time.Time }

// contains reports whether the time is in one of the spans, which ascend.
func contains(spans []Span, t time.Time) bool {
	i, found := slices.BinarySearchFunc(spans, t, func(s Span, t time.Time) int { return s.From.Compare(t) })
	return found || i > 0 && t.Before(spans[i-1].To)
}

// factors are what makes a machine last.
type factors struct {
	quality  float64 // factor of all characteristic lives
	interval float64 // factor of all P-F intervals
	care     float64 // chance of a service to find a fault at severity 1
}

const (
	preventiveMin = 110 // days between preventive services
	preventiveMax = 250
	inspectEvery  = 31
	repairDays    = 2   // median stop after a failure
	alertCatch    = 0.2 // chance that operators stop a machine before it fails
	silenceEvery  = 70  // mean days between silences
)

// NewLife draws the history of the machine that the seed determines, over so many days
// from the start of a UTC day.
func NewLife(seed uint64, p Profile, start time.Time, days int) *Life {
	r := rand.New(rand.NewPCG(seed, 0x6c696665)) // "life"
	if p.Duty == 0 {
		p.Duty = 1
		if r.Float64() < 0.35 {
			p.Duty = 0.3 + 0.6*r.Float64()
		}
	}
	m := NewMachine(seed, p)
	l := &Life{Seed: seed, Profile: m.Profile(), Start: start, End: start.AddDate(0, 0, days)}
	l.Installed = start.Add(-days24(200 + 4000*r.Float64()))
	l.PerHour = int(4 * math.Pow(180, r.Float64())) // 4 to 720: every 15 minutes to every 5 s
	l.variation = factors{lognormal(r, 0.4), lognormal(r, 0.25), 0.4 + 0.5*r.Float64()}
	l.draw(r)
	l.inspections(r)
	l.silences(r)
	slices.SortStableFunc(l.Services, func(a, b Service) int { return a.At.Compare(b.At) })
	return l
}

// days24 is so many days, at most 200 years: a time.Duration ends not long after.
func days24(d float64) time.Duration { return time.Duration(min(d, 73000) * 24 * float64(time.Hour)) }

// draw lets the modes compete: the damage that begins first is the next episode. While
// it lasts, and in the stop after it, no other begins.
func (l *Life) draw(r *rand.Rand) {
	every := days24(preventiveMin + (preventiveMax-preventiveMin)*r.Float64())
	service := l.Start.Add(-time.Duration(r.Float64() * float64(every))) // the last one before the start
	l.Services = append(l.Services, Service{At: service, Kind: Preventive})
	service = service.Add(every)

	renewed := make([]time.Time, len(wearouts)) // when the part was new
	known := l.Start.Sub(l.Installed)
	for i := range renewed {
		renewed[i] = l.Start.Add(-time.Duration(r.Float64() * min(float64(known), 0.7*wearouts[i].scale*float64(24*time.Hour))))
	}
	now := l.Start
	for {
		mode, onset := 0, l.End
		for i := range wearouts {
			w := &wearouts[i]
			factor := l.variation.quality * math.Pow(l.Profile.Load/0.8, -w.load)
			if at := now.Add(days24(w.remaining(r, now.Sub(renewed[i]).Hours()/24, factor))); at.Before(onset) {
				mode, onset = i, at
			}
		}
		for ; service.Before(onset); service = service.Add(every) {
			l.Services = append(l.Services, Service{At: service, Kind: Preventive})
		}
		if !onset.Before(l.End) {
			return
		}
		e := l.episode(r, &wearouts[mode], onset)
		service = l.endure(r, &e, service, every)
		l.Episodes = append(l.Episodes, e)
		now, renewed[mode] = e.End, e.End
		if e.Outcome == Failed {
			stop := days24(repairDays * lognormal(r, 0.6))
			l.Stops = append(l.Stops, Span{e.End, e.End.Add(stop)})
			l.Services = append(l.Services, Service{e.End.Add(stop), Corrective, e.Code})
			now = e.End.Add(stop)
		}
		if !now.Before(l.End) {
			return
		}
	}
}

func (l *Life) episode(r *rand.Rand, w *wearout, onset time.Time) Episode {
	e := Episode{Code: w.code, Fails: w.plateau == 0}
	e.Growth = Degradation{
		Start: onset, Life: days24(w.interval * l.variation.interval * lognormal(r, 0.4)),
		From: 0.02, To: 1, Steepness: 1.5 + 1.5*r.Float64(),
	}
	if !e.Fails {
		e.Growth.To = w.plateau * (0.8 + 0.2*r.Float64())
	}
	return e
}

// endure ends the episode: somebody finds it at a service, operators stop the machine,
// or it fails. It returns the time of the next preventive service.
func (l *Life) endure(r *rand.Rand, e *Episode, service time.Time, every time.Duration) time.Time {
	failure := l.End.Add(time.Hour)
	if e.Fails {
		failure = e.Growth.Start.Add(e.Growth.Life)
	}
	caught := failure.Add(time.Hour)
	if e.Fails && r.Float64() < alertCatch {
		caught = e.Growth.Start.Add(time.Duration((0.8 + 0.2*r.Float64()) * float64(e.Growth.Life)))
	}
	for {
		next := slices.MinFunc([]time.Time{failure, caught, service, l.End}, time.Time.Compare)
		switch {
		case next.Equal(l.End):
			e.End, e.Outcome = l.End, Ongoing
			return service
		case next.Equal(failure):
			e.End, e.Outcome = failure, Failed
			return service
		case next.Equal(caught):
			e.End, e.Outcome = caught, Repaired
			l.Services = append(l.Services, Service{caught, Corrective, e.Code})
			return service
		}
		found := r.Float64() < l.variation.care*e.Growth.At(service)
		l.Services = append(l.Services, Service{At: service, Kind: Preventive})
		if found {
			l.Services[len(l.Services)-1].Code = e.Code
			e.End, e.Outcome = service, Repaired
			return service.Add(every)
		}
		service = service.Add(every)
	}
}

func (l *Life) inspections(r *rand.Rand) {
	for at := l.Start.Add(days24(inspectEvery * r.Float64())); at.Before(l.End); at = at.Add(days24(inspectEvery)) {
		l.Services = append(l.Services, Service{At: at, Kind: Inspection})
	}
}

func (l *Life) silences(r *rand.Rand) {
	for at := l.Start; ; {
		at = at.Add(days24(silenceEvery * r.ExpFloat64()))
		if !at.Before(l.End) {
			return
		}
		end := at.Add(time.Duration(10 * r.ExpFloat64() * float64(time.Hour)))
		l.Silences = append(l.Silences, Span{at, end})
		at = end
	}
}

// FailsWithin tells whether the machine fails in the time (t, t+d]. known is false when
// nobody can say: because somebody mended what would have failed, or might have, or
// because the life ends before.
func (l *Life) FailsWithin(t time.Time, d time.Duration) (fails, known bool) {
	until := t.Add(d)
	for i := range l.Episodes {
		e := &l.Episodes[i]
		if !e.End.After(t) || e.End.After(until) || !e.Fails {
			continue
		}
		switch e.Outcome {
		case Failed:
			return true, true
		case Repaired:
			// It would have failed at the end of its growth, but not within the horizon.
			if e.Growth.Start.Add(e.Growth.Life).After(until) {
				continue
			}
			return false, false
		}
	}
	return false, !until.After(l.End)
}

// NextFailure returns the time of the first failure after t; false when there is none.
func (l *Life) NextFailure(t time.Time) (time.Time, bool) {
	for i := range l.Episodes {
		if e := &l.Episodes[i]; e.Outcome == Failed && e.End.After(t) {
			return e.End, true
		}
	}
	return time.Time{}, false
}

// Stopped reports whether the machine is under repair.
func (l *Life) Stopped(t time.Time) bool { return contains(l.Stops, t) }
