package training

import (
	"math"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/evaluate"
)

// Moment is when an example was taken, and when its machine failed next.
type Moment struct {
	At      time.Time
	Failure time.Time // zero: none that is known
}

// Moments tells the moments of examples, which data sets do not carry.
type Moments struct {
	fingerprints
	at map[uint64]Moment
}

// NewMoments returns an empty one.
func NewMoments() *Moments { return &Moments{newFingerprints(), map[uint64]Moment{}} }

// Set keeps the moment of an example of a machine.
func (m *Moments) Set(group uint32, x []float32, at Moment) { m.at[m.of(group, x)] = at }

// Warn adds to the metrics of the test split what somebody would have seen who was warned
// from the threshold 0.3 on, by the examples whose moments are known: lead_time_days, the
// median time from the beginning of the warning that a failure within the horizon ended;
// warned, the share of the failures that had one; and false_alarms_per_asset_month. The
// margins are the model's for the rows; of two examples of a machine that are further
// apart than gap nothing is known of the time between. See evaluate.Warn. What has no
// denominator is absent.
func (r *Report) Warn(m *artifact.Manifest, margins []float32, test *Part, features int, horizon, gap time.Duration, when *Moments) {
	probability := calibrated(m, margins)
	var rows []evaluate.Scored
	for i, g := range test.Group {
		if at, known := when.at[when.of(g, test.X[i*features:(i+1)*features])]; known {
			rows = append(rows, evaluate.Scored{Asset: int(g), At: at.At, Score: probability[2*i+1], Failure: at.Failure})
		}
	}
	w := evaluate.Warn(rows, evaluate.DefaultThreshold, horizon, gap)
	for name, v := range map[string]float64{
		"lead_time_days": w.MedianLead(), "warned": float64(w.Warned) / float64(w.Failures), "false_alarms_per_asset_month": w.FalseAlarmRate(),
	} {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			r.Metrics[Test.String()][name] = v
		}
	}
}
