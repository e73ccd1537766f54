// Package alarms keeps alarm rules and the alarms that they raise. The Recorder
// judges what the pipeline processed, inside the pipeline's transaction; the Service
// does what people do to alarms; Rules are edited through the RuleService and reach
// the workers through the RuleSource; the Feed follows the transitions for live
// screens.
//
// The row in alarm_events is the one truth about an alarm, and whoever changes it
// locks it first: worker and people never act on a stale state. Every change of state
// is a row in alarm_transitions with the tenant's next seq, taken under the lock of
// the tenant's counter and so in the order of commits: whoever follows the seqs
// misses nothing. Locks are taken in the order alarms (by id), then counter, tenants
// in the order of their ids.
package alarms

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// Recorder turns samples into alarms. It holds no state of its own between calls, so
// that a batch that is rolled back is forgotten. It is safe for concurrent use.
type Recorder struct {
	rules   *RuleSource
	metrics *Metrics
}

// NewRecorder returns a recorder that judges by the rules of the source.
func NewRecorder(source *RuleSource, m *Metrics) *Recorder { return &Recorder{source, m} }

// Apply judges the readings, production predictions and scores of machines among the
// events of one tenant, in their order, and records what comes of it in the worker's transaction,
// in which app.tenant_id is the tenant. Event.At is the time of processing. It makes at most
// two round trips, and none when the tenant has no rule for what happened. It
// returns the hints to publish after the commit.
func (r *Recorder) Apply(ctx context.Context, tx pgx.Tx, tenant id.UUID, happened []event.Event) ([]event.Event, error) {
	set := r.rules.Set(tenant)
	reads, predicts, scores := set.Has(rules.Readings), set.Has(rules.Predictions), set.Has(rules.Scores)
	in := make([]input, 0, len(happened))
	var received time.Time // of the reading; its prediction comes behind it
	for i := range happened {
		if r := happened[i].Reading; r != nil {
			received = r.ReceivedAt
		}
		switch e := &happened[i]; {
		case e.Reading != nil && reads:
			in = append(in, input{from: rules.Readings, key: e.Key, at: e.At, received: received, trace: e.Trace, reading: &e.Reading.Reading})
		case e.Prediction != nil && predicts && e.Prediction.Role == telemetry.Production:
			in = append(in, input{from: rules.Predictions, key: e.Key, at: e.At, received: received, trace: e.Trace, prediction: e.Prediction})
		case e.Health != nil && scores:
			in = append(in, input{from: rules.Scores, key: e.Key, at: e.At, score: scoreOf(e.Health), version: e.Health.Failure.Version})
		}
	}
	return r.judge(ctx, tx, tenant, set, in)
}

// ApplySilence judges the rules on silence: at the time now, each sensor had last
// spoken at its Seen.At. Otherwise it is like Apply.
func (r *Recorder) ApplySilence(ctx context.Context, tx pgx.Tx, tenant id.UUID, seen []telemetry.Seen, now time.Time) ([]event.Event, error) {
	set := r.rules.Set(tenant)
	if !set.Has(rules.Silences) {
		return nil, nil
	}
	in := make([]input, len(seen))
	for i, s := range seen {
		in[i] = input{from: rules.Silences, key: s.Key, at: now, silent: max(0, now.Sub(s.At))}
	}
	return r.judge(ctx, tx, tenant, set, in)
}

// input is one thing that rules may take a sample from.
type input struct {
	from       rules.Source
	key        telemetry.Key
	at         time.Time // of processing
	received   time.Time // when the reading arrived; zero for silence
	trace      tracing.Ref
	reading    *telemetry.Reading
	prediction *telemetry.FaultPrediction
	silent     time.Duration
	score      *rules.Score
	version    id.UUID // that predicted the score; Nil when none did
}

// scoreOf is what a change of a machine's health tells rules.
func scoreOf(h *event.HealthChange) *rules.Score {
	s := &rules.Score{At: h.CalculatedAt, Within7: math.NaN(), Within30: math.NaN(), Health: h.Score}
	if f := &h.Failure; f.ID != id.Nil {
		s.Within7, s.Within30 = f.Within7[0], f.Within30[0]
	}
	return s
}

// sampled gives the rules of the set that take a sample from it, with that. It returns
// the memory that it was given for them.
func (in *input) sampled(set *rules.Set, matched []*rules.Rule, assetType string, give func(*rules.Rule, rules.Sample)) []*rules.Rule {
	p := rules.Place{Site: in.key.Site, AssetType: assetType, Asset: in.key.Asset, Sensor: in.key.Sensor}
	matched = set.Match(matched, in.from, &p)
	for _, rule := range matched {
		if s, ok := in.sample(rule); ok {
			give(rule, s)
		}
	}
	return matched
}

func (in *input) sample(r *rules.Rule) (rules.Sample, bool) {
	switch in.from {
	case rules.Readings:
		return r.OfReading(in.reading)
	case rules.Predictions:
		return r.OfPrediction(in.prediction)
	case rules.Scores:
		return r.OfScore(in.score)
	}
	return r.OfSilence(in.at, in.silent), true
}

func (r *Recorder) judge(ctx context.Context, tx pgx.Tx, tenant id.UUID, set *rules.Set, in []input) ([]event.Event, error) {
	if len(in) == 0 {
		return nil, nil
	}
	known, err := load(ctx, tx, tenant, in, set.NeedsAssetType())
	if err != nil {
		return nil, err
	}
	j := judgement{states: known.states, touched: map[rules.Key]*rules.State{}, changes: map[id.UUID]*change{}}
	var matched []*rules.Rule
	for i := range in {
		matched = in[i].sampled(set, matched[:0], known.assetTypes[in[i].key.Asset], func(rule *rules.Rule, s rules.Sample) { j.judge(rule, &in[i], s) })
	}
	hints, err := j.write(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	r.metrics.judged(&j)
	return hints, nil
}
