package backtest

import (
	"context"
	"time"

	"foresight/inference"
	"foresight/internal/alarms"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// silenceEvery is the time between two judgements of silence, as of the pipeline.
const silenceEvery = 5 * time.Second

// Judging begins before the period, so that timers are in it as they were. Alarms that
// open before it are none of the result, and those that stand at its beginning are not
// raised again.
const (
	leastWarmUp = 24 * time.Hour
	mostWarmUp  = 8 * 24 * time.Hour
)

func (b *Backtest) warmUp() time.Duration {
	var longest time.Duration
	for i := range b.Rules {
		r := &b.Rules[i].Rule
		longest = max(longest, r.OnDelay+r.OffDelay)
		if r.Source() == rules.Silences {
			longest = max(longest, time.Duration(min(r.Threshold, mostWarmUp.Seconds())*float64(time.Second)))
		}
	}
	return min(max(2*longest, leastWarmUp), mostWarmUp)
}

// judge judges what the sensors of one part sent.
type judge struct {
	of      *Backtest
	model   Model // nil: nothing is predicted
	version inference.Version
	types   map[id.UUID]string // of assets

	trial   *alarms.Trial
	begin   time.Time // of judging; what is older is for windows only
	silence bool
	foresee bool            // there are rules on predictions
	number  map[id.UUID]int // place of a rule
	sensors map[id.UUID]*sensorState
	label   *string // of the prediction that is being judged
	until   time.Time

	out *result
}

// standing is what a sensor has at most one alarm of.
type standing struct {
	rule  int
	asset id.UUID // a sensor may be moved to another machine
}

// sensorState is what is known of a sensor.
type sensorState struct {
	telemetry.Window
	key  telemetry.Key
	seen time.Time // when it last spoke, by the clock of the product
	open map[standing]*opening
}

func (r *run) newJudge() *judge {
	j := &judge{of: r.Backtest, version: r.version, types: r.types, sensors: map[id.UUID]*sensorState{}, number: map[id.UUID]int{},
		out: newResult(r.Limits, len(r.Rules))}
	j.out.kept = r.Outcome.Kept + uint64(len(r.pending.alarms))
	if r.Predicts {
		j.model = r.Model
	}
	set := make([]*rules.Rule, len(r.Rules))
	for i := range r.Rules {
		rule := r.Rules[i].Rule
		set[i], j.number[rule.ID] = &rule, i
	}
	all := rules.NewSet(set)
	j.trial, j.silence, j.foresee = alarms.NewTrial(all, j.told), all.Has(rules.Silences), all.Has(rules.Predictions)
	j.begin = r.From.Add(-r.warmUp())
	if j.until = r.To; j.until.After(r.begun) {
		j.until = r.begun
	}
	return j
}

// judge judges the next reading. It returns the prediction of its window, if the
// reading is of the period and there is one.
func (j *judge) judge(ctx context.Context, r *telemetry.Raw) (*telemetry.FaultPrediction, error) {
	s := j.sensors[r.Sensor]
	if s == nil {
		s = &sensorState{open: map[standing]*opening{}, seen: r.ReceivedAt}
		j.sensors[r.Sensor] = s
	}
	if r.Timestamp.Before(j.begin) {
		s.AddWithin(r.Timestamp, &r.Channels, telemetry.Lookback)
		return nil, nil
	}
	kind, within := j.types[r.Asset], !r.Timestamp.Before(j.of.From)
	if j.silence {
		j.silent(s, r.ReceivedAt)
		if s.key = r.Key; r.ReceivedAt.After(s.seen) {
			s.seen = r.ReceivedAt
		}
	}
	if within {
		j.out.readings++
	}
	j.trial.Reading(&r.Reading, kind)
	s.AddWithin(r.Timestamp, &r.Channels, telemetry.Lookback)
	if j.model == nil || !within && !j.foresee || !s.Full() || !r.HasChannels() {
		return nil, nil
	}
	p, err := j.model.Retrace(ctx, j.version, r.Key, &s.Window, r)
	if err != nil {
		return nil, err
	}
	j.label = &p.Label
	j.trial.Prediction(&p, kind)
	j.label = nil
	if !within {
		return nil, nil
	}
	j.out.predictions++
	return &p, nil
}

// silent judges the silence of a sensor from when it last spoke up to a time.
func (j *judge) silent(s *sensorState, up time.Time) {
	for at := s.seen.Truncate(silenceEvery).Add(silenceEvery); s.key.Sensor != id.Nil && !at.After(up) && at.Before(j.until); at = at.Add(silenceEvery) {
		j.trial.Silence(s.key, at, at.Sub(s.seen), j.types[s.key.Asset])
	}
}

// end closes the part.
func (j *judge) end() {
	for _, s := range j.sensors {
		if j.silence {
			j.silent(s, j.until)
		}
		for _, o := range s.open {
			j.out.alarm(o)
		}
	}
}

// told takes what a sample did to an alarm.
func (j *judge) told(rule *rules.Rule, key telemetry.Key, out rules.Outcome) {
	s, k := j.sensors[key.Sensor], standing{j.number[rule.ID], key.Asset}
	switch {
	case out.Changed() && out.To == rules.Open:
		o := &opening{rule: k.rule, key: key, severity: rule.Severity, label: j.label, value: out.Value, at: out.At, last: out.At, times: 1, reopened: !out.Raised()}
		if o.before = out.At.Before(j.of.From); !o.before {
			j.out.count(o)
		}
		s.open[k] = o
	case out.Changed():
		if o := s.open[k]; o != nil {
			o.cleared = out.At
			j.out.alarm(o)
			delete(s.open, k)
		}
	case out.Met:
		if o := s.open[k]; o != nil {
			o.times, o.last = o.times+1, out.At
		}
	}
}
