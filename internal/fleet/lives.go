package fleet

import (
	"context"
	"encoding/gob"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"foresight/inference/daily"
	"foresight/inference/training"
	"foresight/internal/simulate"
)

// LifePlan says how many machines are watched for how long.
type LifePlan struct {
	Seed     uint64
	Machines int // of twenty eight train, one stops early, three calibrate, eight are the test
	Days     int // that each is watched
	Every    int // days between the predictions of a machine
	WarmUp   int // days before the first
}

// LifeRow is a machine on one day: what was known of it, and what became of it.
type LifeRow struct {
	X       daily.Vector
	Machine uint32
	Split   training.Split
	At      time.Time // the prediction is made from here on
	Fails   [2]bool   // within Horizons
	Known   [2]bool   // false: nobody can say, and the row is no example for the horizon
	Failure time.Time // the next one; zero: none until the end
}

// Horizons are how far ahead a failure predictor looks, in days.
var Horizons = [2]int{7, 30}

// HorizonNames are those of the boosters in a bundle.
var HorizonNames = [2]string{"7d", "30d"}

// lifeSplit gives two fifths of the machines each to training and test: reliability
// needs many machines.
func lifeSplit(i int) training.Split {
	switch i % 20 {
	case 7:
		return training.Validation
	case 3, 11, 17:
		return training.Calibrate
	case 0, 2, 5, 8, 10, 13, 15, 18:
		return training.Test
	}
	return training.Train
}

// Tested returns the machines of the test split, ascending.
func Tested(p LifePlan) (machines []int) {
	for i := range p.Machines {
		if lifeSplit(i) == training.Test {
			machines = append(machines, i)
		}
	}
	return machines
}

// Lives measures the machines' lives. The rows come by machine, then by time, and are a
// function of the plan.
func Lives(p LifePlan) []LifeRow {
	rows, err := LivesUntil(context.Background(), p)
	if err != nil { // only a context that ends is one
		panic(err)
	}
	return rows
}

// LivesUntil is Lives that is given up, with the cause, when the context ends.
func LivesUntil(ctx context.Context, p LifePlan) ([]LifeRow, error) {
	out := make([][]LifeRow, p.Machines)
	next := make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				out[i] = watch(p, i)
			}
		})
	}
	for i := 0; i < p.Machines && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var all []LifeRow
	for _, rows := range out {
		all = append(all, rows...)
	}
	return all, nil
}

var began = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// watch makes the examples of one machine.
func watch(p LifePlan, i int) []LifeRow {
	life, in := measure(p, i)
	// The inputs hold the whole life, the future too: Extract must not look at it.
	return observe(p, i, life, func(time.Time) *daily.Inputs { return in })
}

// observe makes the examples of a life from what is known of each day.
func observe(p LifePlan, i int, life *simulate.Life, known func(day time.Time) *daily.Inputs) (rows []LifeRow) {
	r := rand.New(rand.NewPCG(p.Seed, uint64(i)))
	for d := p.WarmUp + r.IntN(p.Every); d < p.Days; d += p.Every {
		day := life.Start.AddDate(0, 0, d)
		at := daily.AsOf(day)
		if life.Stopped(at) || !at.Before(life.End) {
			continue
		}
		row := LifeRow{X: daily.Extract(known(day), day), Machine: uint32(i), Split: lifeSplit(i), At: at}
		for k, horizon := range Horizons {
			within := time.Duration(horizon) * 24 * time.Hour
			row.Fails[k], row.Known[k] = life.FailsWithin(at, within)
			// So near to the end only failures are known: to take them alone would be to
			// choose by the outcome.
			row.Known[k] = row.Known[k] && !at.Add(within).After(life.End)
		}
		row.Failure, _ = life.NextFailure(at)
		rows = append(rows, row)
	}
	return rows
}

// measure draws a life and measures it hour by hour.
func measure(p LifePlan, i int) (*simulate.Life, *daily.Inputs) {
	seed := p.Seed<<32 | uint64(i)
	r := rand.New(rand.NewPCG(seed, 0x7761746368))
	start := began.AddDate(0, 0, r.IntN(365))
	life := simulate.NewLife(seed, simulate.Profile{}, start, p.Days)
	in := &daily.Inputs{Descriptions: []daily.Description{describe(r, life)}, Days: make([]daily.Day, p.Days)}
	for _, s := range life.Services {
		in.Maintenance = append(in.Maintenance, daily.Maintenance{At: s.At, Kind: s.Kind})
	}
	limit := boundary(r, life.Profile)
	course := life.Begin()
	var hour simulate.Hour
	for d := range in.Days {
		day := &in.Days[d]
		day.Start = start.AddDate(0, 0, d)
		for h := range 24 {
			if !course.Hour(day.Start.Add(time.Duration(h)*time.Hour), &hour) {
				continue
			}
			day.AddHour(&hour.Rollup, limit)
			day.Predictions += hour.Predictions
			day.Faults += hour.Faults
			if hour.Alarm {
				in.Alarms = append(in.Alarms, daily.Alarm{At: hour.Rollup.Start})
			}
		}
	}
	return life, in
}

// describe is what the asset register says; the simulated machines are motor-pump sets,
// which plants book under several names.
func describe(r *rand.Rand, l *simulate.Life) daily.Description {
	d := daily.Description{
		Type:        []string{"pump_set", "pump_set", "pump", "motor"}[r.IntN(4)],
		Criticality: []string{"low", "medium", "medium", "high", "critical"}[r.IntN(5)],
		InstalledOn: l.Installed,
	}
	if r.IntN(10) == 0 {
		d.InstalledOn = time.Time{}
	}
	return d
}

// boundary is the limit between the zones B and C; NaN where the register does not tell
// group or support.
func boundary(r *rand.Rand, p simulate.Profile) float64 {
	if l, ok := p.Limits(); ok && r.IntN(7) > 0 {
		return l.BC
	}
	return math.NaN()
}

// WriteLives writes the data set of one of the Horizons.
func WriteLives(w io.Writer, rows []LifeRow, horizon int) (hash string, err error) {
	n := 0
	for i := range rows {
		if rows[i].Known[horizon] {
			n++
		}
	}
	d, err := training.NewWriter(w, training.Header{
		Rows: n, Features: daily.Names(), FeatureSchemaHash: daily.SchemaHash(), Classes: []string{"survives", "fails"},
	})
	if err != nil {
		return "", err
	}
	for i := range rows {
		r := &rows[i]
		if !r.Known[horizon] {
			continue
		}
		row := training.Row{X: r.X[:], Weight: 1, Split: r.Split, Group: r.Machine}
		if r.Fails[horizon] {
			row.Label = 1
		}
		if err := d.Write(&row); err != nil {
			return "", err
		}
	}
	return d.Close()
}

// SaveLives keeps rows for another command.
func SaveLives(w io.Writer, rows []LifeRow) error { return gob.NewEncoder(w).Encode(rows) }

// LoadLives reads what SaveLives wrote.
func LoadLives(r io.Reader) (rows []LifeRow, err error) {
	return rows, gob.NewDecoder(r).Decode(&rows)
}
