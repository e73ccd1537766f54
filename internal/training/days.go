package training

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/daily"
	"foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// day is the stored features of a machine and a day, as they were when it was scored.
type day struct {
	asset id.UUID
	at    time.Time // as of when
	x     daily.Vector
}

var coverage, _ = daily.Place("telemetry_coverage_7d")

// gatherDays labels the stored daily features by what became of the machine: failed
// within the horizon of a booster, or not. A day is no example while nobody can say. What
// people said of predictions is joined.
func (t *task) gatherDays(ctx context.Context, k *known) error {
	days, err := t.days(ctx)
	if err != nil {
		return err
	}
	t.when = ofPlant(days, k)
	said, err := t.feedback(ctx)
	if err != nil {
		return err
	}
	for i := range t.bundle.Boosters {
		b := t.bundle.Boosters[i]
		all := label(days, k, time.Duration(b.Horizon)*24*time.Hour, b.Manifest.Classes, time.Now())
		classes := b.Manifest.Classes
		more, err := t.examples(ctx, b, all, &classes)
		if err != nil {
			return err
		}
		original, err := t.extended(ctx, b, more)
		if err != nil {
			return err
		}
		if err := t.mix(b, original, t.tells(b, said)); err != nil {
			return err
		}
	}
	return nil
}

// label says of each day whether the machine failed within the horizon. Days on which
// the machine was not heard of are no examples: no prediction is made from them.
func label(days []day, k *known, horizon time.Duration, classes []string, now time.Time) (out []labelled) {
	for i := range days {
		d := &days[i]
		if !(d.x[coverage] > 0) {
			continue
		}
		f, fails := k.next(d.asset, d.at)
		fails = fails && !f.at.After(d.at.Add(horizon))
		if !fails && d.at.Add(horizon).After(now) {
			continue
		}
		class := classes[0]
		if fails {
			class = classes[1]
		}
		out = append(out, labelled{training.Example{X: d.x[:], At: d.at}, d.asset, class})
	}
	return out
}

// days reads the stored features, the oldest first.
func (t *task) days(ctx context.Context) (out []day, err error) {
	since := time.Time{}
	if t.Request.Since != nil {
		since = *t.Request.Since
	}
	rows, err := t.App.Query(ctx, `SELECT asset_id, day, features FROM asset_features
		WHERE tenant_id = $1 AND feature_schema_hash = $2 AND day >= $3::date ORDER BY day, asset_id LIMIT $4`,
		tenancy.Must(ctx).TenantID, daily.SchemaHash(), since, t.Limits.MaxRows)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	var asset id.UUID
	var on time.Time
	var values map[string]float64
	_, err = pgx.ForEachRow(rows, []any{&asset, &on, &values}, func() error {
		d := day{asset: asset, at: daily.AsOf(on)}
		for i := range d.x {
			d.x[i] = float32(math.NaN())
		}
		for name, v := range values {
			if i, ok := daily.Place(name); ok {
				d.x[i] = float32(v)
			}
		}
		out = append(out, d)
		values = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	return out, nil
}
