package backtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// opening is an alarm from the sample that opens it to the one that clears it.
type opening struct {
	rule     int
	key      telemetry.Key
	severity rules.Severity
	label    *string
	value    float64
	at, last time.Time
	times    int
	cleared  time.Time // zero while it stands
	reopened bool
	before   bool // it opened before the period
}

// span is where predictions are counted together.
type span struct {
	site, asset, sensor id.UUID
	begins              time.Time
	label, stored       string // stored is "" when there is none
}

// said is what was counted.
type said struct {
	windows, outside uint64
	sum, storedSum   float64 // of probabilities
}

// result is what parts came to that is not written yet.
type result struct {
	limits Limits
	kept   uint64 // alarms of the backtest, those here included

	readings, predictions        uint64
	compared, agreed             uint64
	feedback, right, storedRight uint64
	rules                        []document.BacktestRuleOutcome
	alarms                       []*opening
	spans                        map[span]*said
}

func newResult(l Limits, rules int) *result {
	return &result{limits: l, rules: make([]document.BacktestRuleOutcome, rules), spans: map[span]*said{}}
}

// count takes an opening of the period into the sums of its rule.
func (r *result) count(o *opening) {
	if o.reopened {
		r.rules[o.rule].Reopened++
	} else {
		r.rules[o.rule].Raised++
	}
}

// alarm takes an opening that has come to its end.
func (r *result) alarm(o *opening) {
	if o.before || r.kept >= r.limits.MaxAlarms {
		return
	}
	r.kept++
	r.alarms = append(r.alarms, o)
}

// prediction takes what is said of a window now, what was said of it then, and what
// people say it was; nil and "" where nothing was.
func (r *result) prediction(p, stored *telemetry.FaultPrediction, truth string, length time.Duration) {
	k := span{site: p.Site, asset: p.Asset, sensor: p.Sensor, begins: p.Timestamp.Truncate(length), label: p.Label}
	if stored != nil {
		k.stored = stored.Label
		r.compared++
		if stored.Label == p.Label {
			r.agreed++
		}
	}
	if truth != "" {
		r.feedback++
		if p.Label == truth {
			r.right++
		}
		if stored != nil && stored.Label == truth {
			r.storedRight++
		}
	}
	x := r.spans[k]
	if x == nil {
		if len(r.spans) >= r.limits.MaxPredictions {
			return
		}
		x = &said{}
		r.spans[k] = x
	}
	x.windows++
	x.sum += p.Probability
	if p.OutOfDistribution {
		x.outside++
	}
	if stored != nil {
		x.storedSum += stored.Probability
	}
}

// add takes the result of a further part in.
func (r *result) add(o *result) {
	r.readings += o.readings
	r.predictions += o.predictions
	r.compared += o.compared
	r.agreed += o.agreed
	r.feedback += o.feedback
	r.right += o.right
	r.storedRight += o.storedRight
	for i := range o.rules {
		r.rules[i].Raised += o.rules[i].Raised
		r.rules[i].Reopened += o.rules[i].Reopened
	}
	r.alarms = append(r.alarms, o.alarms...)
	for k, x := range o.spans {
		if was := r.spans[k]; was != nil { // the log changed its number of partitions
			x.windows, x.outside, x.sum, x.storedSum = x.windows+was.windows, x.outside+was.outside, x.sum+was.sum, x.storedSum+was.storedSum
		}
		r.spans[k] = x
	}
}

// rows is how many there are to write.
func (r *result) rows() int { return len(r.alarms) + len(r.spans) }

// onto returns the outcome with the result counted in.
func (r *result) onto(o document.BacktestOutcome) document.BacktestOutcome {
	o.Readings += r.readings
	o.Predictions += r.predictions
	o.Stored += r.compared
	o.Agreed += r.agreed
	o.Feedback += r.feedback
	o.Right += r.right
	o.StoredRight += r.storedRight
	o.Kept += uint64(len(r.alarms))
	sums := make([]document.BacktestRuleOutcome, len(r.rules))
	copy(sums, o.Rules)
	for i := range r.rules {
		sums[i].Raised += r.rules[i].Raised
		sums[i].Reopened += r.rules[i].Reopened
	}
	o.Rules = sums
	return o
}

// writeAtOnce is the number of rows of a statement.
const writeAtOnce = 5000

// write adds the result to that of the backtest.
func (r *result) write(ctx context.Context, tx pgx.Tx, of id.UUID) error {
	for some := range slices.Chunk(r.alarms, writeAtOnce) {
		if err := writeAlarms(ctx, tx, of, some); err != nil {
			return err
		}
	}
	keys := make([]span, 0, len(r.spans))
	for k := range r.spans {
		keys = append(keys, k)
	}
	for some := range slices.Chunk(keys, writeAtOnce) {
		if err := r.writePredictions(ctx, tx, of, some); err != nil {
			return err
		}
	}
	return nil
}

func writeAlarms(ctx context.Context, tx pgx.Tx, of id.UUID, all []*opening) error {
	var ids, sites, assets, sensors []id.UUID
	var numbers, times []int
	var labels []*string
	var severities []string
	var values []float64
	var at, last []time.Time
	var cleared []*time.Time
	var reopened []bool
	for _, o := range all {
		ids, sites, assets, sensors = append(ids, id.New(id.BacktestAlarm)), append(sites, o.key.Site), append(assets, o.key.Asset), append(sensors, o.key.Sensor)
		numbers, times, labels, severities = append(numbers, o.rule), append(times, o.times), append(labels, o.label), append(severities, string(o.severity))
		values, at, last, reopened = append(values, o.value), append(at, o.at), append(last, o.last), append(reopened, o.reopened)
		if c := o.cleared; c.IsZero() {
			cleared = append(cleared, nil)
		} else {
			cleared = append(cleared, &c)
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO backtest_alarms (tenant_id, backtest_id, id, site_id, asset_id, sensor_id, rule_number, fault_code, severity,
			triggered_value, triggered_at, last_triggered_at, occurrences, cleared_at, reopened)
		SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[], $9::text[], $10::float8[],
			$11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::timestamptz[], $15::boolean[])`,
		tenancy.Must(ctx).TenantID, of, ids, sites, assets, sensors, numbers, labels, severities, values, at, last, times, cleared, reopened)
	if err != nil {
		return fmt.Errorf("backtest: write alarms: %w", err)
	}
	return nil
}

func (r *result) writePredictions(ctx context.Context, tx pgx.Tx, of id.UUID, keys []span) error {
	var ids, sites, assets, sensors []id.UUID
	var begins []time.Time
	var labels []string
	var stored []*string
	var windows, outside []uint64
	var means []float64
	var storedMeans []*float64
	for _, k := range keys {
		x := r.spans[k]
		ids, sites, assets, sensors = append(ids, id.New(id.BacktestPrediction)), append(sites, k.site), append(assets, k.asset), append(sensors, k.sensor)
		begins, labels, windows, outside = append(begins, k.begins), append(labels, k.label), append(windows, x.windows), append(outside, x.outside)
		means = append(means, min(1, x.sum/float64(x.windows)))
		if k.stored == "" {
			stored, storedMeans = append(stored, nil), append(storedMeans, nil)
			continue
		}
		mean := min(1, x.storedSum/float64(x.windows))
		stored, storedMeans = append(stored, &k.stored), append(storedMeans, &mean)
	}
	_, err := tx.Exec(ctx, `INSERT INTO backtest_predictions (tenant_id, backtest_id, id, site_id, asset_id, sensor_id, begins_at, fault_code, stored_code,
			windows, out_of_distribution, probability, stored_probability)
		SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::text[], $9::text[],
			$10::bigint[], $11::bigint[], $12::float8[], $13::float8[])`,
		tenancy.Must(ctx).TenantID, of, ids, sites, assets, sensors, begins, labels, stored, windows, outside, means, storedMeans)
	if err != nil {
		return fmt.Errorf("backtest: write predictions: %w", err)
	}
	return nil
}
