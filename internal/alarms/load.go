package alarms

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/rules"
)

// loaded is what is stored of the sensors of a batch, or of the machines where no sensor
// is meant.
type loaded struct {
	states     map[rules.Key]rules.State
	assetTypes map[id.UUID]string
}

// The active alarms are locked until the end of the transaction, in the order of
// their ids, so that nobody acts on them by hand meanwhile.
const (
	activeOfSensors = `
SELECT id, rule_id, asset_id, sensor_id, status FROM alarm_events
WHERE tenant_id = $1 AND sensor_id = ANY ($2) AND status IN ('open', 'acknowledged', 'cleared')
ORDER BY id FOR NO KEY UPDATE`
	statesOfSensors = `
SELECT rule_id, asset_id, sensor_id, rule_version, run, run_since, gone_since, last_value, last_at
FROM rule_states WHERE tenant_id = $1 AND sensor_id = ANY ($2)`
	// Of alarms about a machine as a whole.
	activeOfAssets = `
SELECT id, rule_id, asset_id, $3::uuid, status FROM alarm_events
WHERE tenant_id = $1 AND sensor_id IS NULL AND asset_id = ANY ($2) AND status IN ('open', 'acknowledged', 'cleared')
ORDER BY id FOR NO KEY UPDATE`
	statesOfAssets = `
SELECT rule_id, asset_id, $3::uuid, rule_version, run, run_since, gone_since, last_value, last_at
FROM rule_states WHERE tenant_id = $1 AND sensor_id IS NULL AND asset_id = ANY ($2)`
	typesOfAssets = `SELECT id, asset_type FROM assets WHERE tenant_id = $1 AND id = ANY ($2)`
)

// load reads everything in one round trip.
func load(ctx context.Context, tx pgx.Tx, tenant id.UUID, in []input, withTypes bool) (loaded, error) {
	l := loaded{states: map[rules.Key]rules.State{}, assetTypes: map[id.UUID]string{}}
	sensors, assets, whole := distinct(in)
	var b pgx.Batch
	if len(sensors) > 0 {
		b.Queue(activeOfSensors, tenant, sensors).Query(l.events)
		b.Queue(statesOfSensors, tenant, sensors).Query(l.counters)
	}
	if whole {
		b.Queue(activeOfAssets, tenant, assets, id.Nil).Query(l.events)
		b.Queue(statesOfAssets, tenant, assets, id.Nil).Query(l.counters)
	}
	if withTypes {
		b.Queue(typesOfAssets, tenant, assets).Query(l.types)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return loaded{}, fmt.Errorf("alarms: load states: %w", err)
	}
	return l, nil
}

func (l *loaded) events(rows pgx.Rows) error {
	var k rules.Key
	var e rules.Event
	_, err := pgx.ForEachRow(rows, []any{&e.ID, &k.Rule, &k.Asset, &k.Sensor, &e.Status}, func() error {
		s := l.states[k]
		s.Event = e
		l.states[k] = s
		return nil
	})
	return err
}

func (l *loaded) counters(rows pgx.Rows) error {
	var k rules.Key
	var c rules.State
	var run, gone *time.Time
	_, err := pgx.ForEachRow(rows, []any{&k.Rule, &k.Asset, &k.Sensor, &c.RuleVersion, &c.Run, &run, &gone, &c.LastValue, &c.LastAt}, func() error {
		s := c
		s.Event = l.states[k].Event
		s.RunSince, s.GoneSince, s.LastAt = orZero(run), orZero(gone), c.LastAt.UTC()
		l.states[k] = s
		return nil
	})
	return err
}

func (l *loaded) types(rows pgx.Rows) error {
	var asset id.UUID
	var kind string
	_, err := pgx.ForEachRow(rows, []any{&asset, &kind}, func() error {
		l.assetTypes[asset] = kind
		return nil
	})
	return err
}

// distinct lists the sensors and machines of the inputs, and tells whether some are about
// a machine as a whole.
func distinct(in []input) (sensors, assets []id.UUID, whole bool) {
	seen := make(map[id.UUID]bool, len(in))
	add := func(list *[]id.UUID, u id.UUID) {
		if !seen[u] {
			seen[u] = true
			*list = append(*list, u)
		}
	}
	for i := range in {
		if in[i].key.Sensor == id.Nil {
			whole = true
		} else {
			add(&sensors, in[i].key.Sensor)
		}
		add(&assets, in[i].key.Asset)
	}
	return sensors, assets, whole
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
