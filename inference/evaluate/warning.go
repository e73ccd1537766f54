package evaluate

import (
	"math"
	"slices"
	"time"
)

// Scored is a prediction for one asset at one time.
type Scored struct {
	Asset int
	At    time.Time // of the prediction
	Score float64
	// Failure is the next failure of the asset after At; zero: none that is known.
	Failure time.Time
}

// Warnings is what a user of a threshold would have seen.
type Warnings struct {
	Threshold float64
	Failures  int // that had a prediction within the horizon before them
	Warned    int // of them: with a score at or above the threshold within the horizon
	// Lead is, for warned failures, the time from the first prediction of the last
	// unbroken run at or above the threshold to the failure, days, ascending; runs may
	// have begun before the horizon.
	Lead        []float64
	FalseAlarms int     // runs at or above the threshold without failure within the horizon of their end
	AssetMonths float64 // that were watched, of 30.44 days
}

// MedianLead is in days, NaN without a warned failure.
func (w *Warnings) MedianLead() float64 { return Quantile(w.Lead, 0.5) }

// FalseAlarmRate is false alarms for each asset and month.
func (w *Warnings) FalseAlarmRate() float64 { return float64(w.FalseAlarms) / w.AssetMonths }

const monthDays = 30.44

// Warn judges predictions as warnings. A run is a sequence of predictions of one asset,
// at most gap apart, at or above the threshold, without a failure in between: it is one
// alarm, not many. The predictions of an asset may be in any order.
func Warn(rows []Scored, threshold float64, horizon, gap time.Duration) Warnings {
	w := Warnings{Threshold: threshold}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Scored) int {
		if a.Asset != b.Asset {
			return a.Asset - b.Asset
		}
		return a.At.Compare(b.At)
	})
	watched := 0.0 // days: a fleet's years are beyond a time.Duration
	for i := 0; i < len(rows); {
		// A stretch: one asset, up to one failure (or to its end), without gaps.
		j := i + 1
		for j < len(rows) && rows[j].Asset == rows[i].Asset && rows[j].Failure.Equal(rows[i].Failure) && rows[j].At.Sub(rows[j-1].At) <= gap {
			j++
		}
		watched += rows[j-1].At.Sub(rows[i].At).Hours() / 24
		w.stretch(rows[i:j], horizon)
		i = j
	}
	w.failures(rows, horizon)
	w.AssetMonths = watched / monthDays
	slices.Sort(w.Lead)
	return w
}

// stretch counts the runs that no failure follows, and how early the one was that did.
func (w *Warnings) stretch(rows []Scored, horizon time.Duration) {
	for i := 0; i < len(rows); i++ {
		if !(rows[i].Score >= w.Threshold) {
			continue
		}
		first := i
		for i+1 < len(rows) && rows[i+1].Score >= w.Threshold {
			i++
		}
		failure := rows[i].Failure
		if failure.IsZero() || failure.Sub(rows[i].At) > horizon {
			w.FalseAlarms++
			continue
		}
		if i+1 == len(rows) || !w.later(rows[i+1:]) {
			w.Lead = append(w.Lead, failure.Sub(rows[first].At).Hours()/24)
		}
	}
}

func (w *Warnings) later(rows []Scored) bool {
	return slices.ContainsFunc(rows, func(r Scored) bool { return r.Score >= w.Threshold })
}

// failures counts those that were watched, and those that were warned of.
func (w *Warnings) failures(rows []Scored, horizon time.Duration) {
	type failure struct {
		asset int
		at    int64
	}
	warned := map[failure]bool{}
	for _, r := range rows {
		if r.Failure.IsZero() || r.Failure.Sub(r.At) > horizon {
			continue
		}
		f := failure{r.Asset, r.Failure.UnixNano()}
		warned[f] = warned[f] || r.Score >= w.Threshold
	}
	w.Failures = len(warned)
	for _, yes := range warned {
		if yes {
			w.Warned++
		}
	}
}

// Quantile interpolates linearly between ascending values (method 7 of Hyndman and
// Fan). NaN without values.
func Quantile(ascending []float64, q float64) float64 {
	n := len(ascending)
	if n == 0 {
		return math.NaN()
	}
	at := q * float64(n-1)
	i := min(int(at), n-1)
	j := min(i+1, n-1)
	return ascending[i] + (at-float64(i))*(ascending[j]-ascending[i])
}
