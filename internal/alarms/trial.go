package alarms

import (
	"time"

	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// Trial judges what happened as the Recorder does, by any set of rules, and stores
// nothing: it keeps the states of the rules itself, and tells what came of each sample.
// What people do to alarms does not happen in it. It is not safe for concurrent use.
type Trial struct {
	set     *rules.Set
	tell    func(*rules.Rule, telemetry.Key, rules.Outcome)
	states  map[rules.Key]*rules.State
	matched []*rules.Rule
}

// NewTrial returns a trial in which nothing has happened. What comes of samples is
// told at once, in their order.
func NewTrial(set *rules.Set, tell func(*rules.Rule, telemetry.Key, rules.Outcome)) *Trial {
	return &Trial{set: set, tell: tell, states: map[rules.Key]*rules.State{}}
}

// Reading judges a reading of an asset of the type.
func (t *Trial) Reading(r *telemetry.Reading, assetType string) {
	t.judge(&input{from: rules.Readings, key: r.Key, reading: r}, assetType)
}

// Prediction judges a prediction; it comes behind its reading.
func (t *Trial) Prediction(p *telemetry.FaultPrediction, assetType string) {
	t.judge(&input{from: rules.Predictions, key: p.Key, prediction: p}, assetType)
}

// Silence judges that at the time a sensor had not spoken for so long.
func (t *Trial) Silence(key telemetry.Key, at time.Time, silent time.Duration, assetType string) {
	t.judge(&input{from: rules.Silences, key: key, at: at, silent: silent}, assetType)
}

func (t *Trial) judge(in *input, assetType string) {
	if !t.set.Has(in.from) {
		return
	}
	t.matched = in.sampled(t.set, t.matched[:0], assetType, func(rule *rules.Rule, s rules.Sample) {
		k := rules.Key{Rule: rule.ID, Asset: in.key.Asset, Sensor: in.key.Sensor}
		state := t.states[k]
		if state == nil {
			state = &rules.State{}
			t.states[k] = state
		}
		if out := rule.Evaluate(state, s, newEventID); out.Happened() {
			t.tell(rule, in.key, out)
		}
	})
}
