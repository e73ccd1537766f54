package training

import (
	"fmt"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/training"
	"foresight/internal/fleet"
)

// moments are those of the days of a training, of which two of one machine that are
// further apart than gap have time between that nobody watched.
type moments struct {
	*training.Moments
	gap time.Duration
}

// missed is how many times the usual distance of two days is a gap.
const missed = 1.5

func newMoments(every time.Duration) *moments {
	return &moments{training.NewMoments(), time.Duration(missed * float64(every))}
}

// ofPlant are the moments of the tenant's days.
func ofPlant(days []day, k *known) *moments {
	m := newMoments(24 * time.Hour)
	for i := range days {
		d := &days[i]
		at := training.Moment{At: d.at}
		if f, fails := k.next(d.asset, d.at); fails {
			at.Failure = f.at
		}
		m.Set(training.Machine(d.asset[:]), d.x[:], at)
	}
	return m
}

// ofFleet are the moments of simulated days.
func ofFleet(rows []fleet.LifeRow, p fleet.LifePlan) *moments {
	m := newMoments(time.Duration(p.Every) * 24 * time.Hour)
	for i := range rows {
		m.Set(rows[i].Machine, rows[i].X[:], training.Moment{At: rows[i].At, Failure: rows[i].Failure})
	}
	return m
}

// warn judges the warnings of a failure predictor's booster on the machines of the test
// split whose days were gathered. The others are those of the base's training set, of
// which the times are not kept.
func (t *task) warn(d *set) error {
	if t.when == nil || d.Horizon == 0 {
		return nil
	}
	data, err := training.Load(d.path)
	if err != nil {
		return err
	}
	b, err := booster.Load(d.files[artifact.BinaryFile])
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	test, n := &data.Parts[training.Test], len(data.Features)
	margins := make([]float32, test.Rows())
	for i := range margins {
		if err := b.Margins(test.X[i*n:(i+1)*n], margins[i:i+1]); err != nil {
			return fmt.Errorf("training: %w", err)
		}
	}
	d.made.Warn(&d.manifest, margins, test, n, time.Duration(d.Horizon)*24*time.Hour, t.when.gap, t.when.Moments)
	return nil
}
