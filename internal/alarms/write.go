package alarms

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/rules"
)

// The columns travel as arrays, so that a statement is the same for any number of rows.
const (
	updateEvents = `
UPDATE alarm_events e SET
	occurrences = e.occurrences + u.more,
	last_triggered_at = greatest(e.last_triggered_at, u.last_triggered),
	status = CASE WHEN u.moved_at IS NULL THEN e.status ELSE u.status END,
	cleared_at = CASE WHEN u.moved_at IS NULL THEN e.cleared_at ELSE u.cleared_at END,
	resolved_at = CASE WHEN u.status = 'resolved' THEN u.moved_at ELSE e.resolved_at END
FROM unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::text[], $6::timestamptz[], $7::timestamptz[])
	AS u (id, more, last_triggered, status, cleared_at, moved_at)
WHERE e.tenant_id = $1 AND e.id = u.id`

	// A model version that the tenant does not have (it was removed) is left out.
	insertEvents = `
INSERT INTO alarm_events (tenant_id, id, site_id, asset_id, sensor_id, rule_id, severity, prediction_id,
	model_version_id, fault_code, triggered_value, triggered_at, last_triggered_at, occurrences, status, cleared_at)
SELECT $1, n.id, n.site, n.asset, n.sensor, n.rule, n.severity, n.prediction,
	(SELECT v.id FROM ml_model_versions v WHERE v.tenant_id = $1 AND v.id = n.version),
	n.fault, n.value, n.at, n.last, n.occurrences, n.status, n.cleared_at
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::uuid[],
	$10::text[], $11::float8[], $12::timestamptz[], $13::timestamptz[], $14::int[], $15::text[], $16::timestamptz[])
	AS n (id, site, asset, sensor, rule, severity, prediction, version, fault, value, at, last, occurrences, status, cleared_at)`

	// The counter's row stays locked until the commit: seqs are committed in order.
	insertTransitions = `
WITH n AS (SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[])
		WITH ORDINALITY AS n (id, event, was, becomes, who, note, at, place)),
	counter AS (
		INSERT INTO alarm_sequences AS s (tenant_id, seq) VALUES ($1, (SELECT count(*) FROM n))
		ON CONFLICT (tenant_id) DO UPDATE SET seq = s.seq + excluded.seq
		RETURNING seq - (SELECT count(*) FROM n) AS before)
INSERT INTO alarm_transitions (tenant_id, id, event_id, seq, from_status, to_status, by, note, at)
SELECT $1, n.id, n.event, counter.before + n.place, n.was, n.becomes, n.who, n.note, n.at FROM n, counter
ORDER BY n.place
RETURNING event_id, seq`

	upsertStates = `
INSERT INTO rule_states (tenant_id, rule_id, asset_id, sensor_id, rule_version, run, run_since, gone_since, last_value, last_at)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::timestamptz[], $8::timestamptz[], $9::float8[], $10::timestamptz[])
ON CONFLICT ON CONSTRAINT rule_states_key DO UPDATE SET rule_version = excluded.rule_version, run = excluded.run,
	run_since = excluded.run_since, gone_since = excluded.gone_since, last_value = excluded.last_value, last_at = excluded.last_at`

	deleteStates = `
DELETE FROM rule_states s USING unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS k (rule, asset, sensor)
WHERE s.tenant_id = $1 AND s.rule_id = k.rule AND s.asset_id = k.asset AND s.sensor_id = k.sensor`

	// Of the keys without a sensor, which the comparison above does not find.
	deleteAssetStates = `
DELETE FROM rule_states s USING unnest($2::uuid[], $3::uuid[]) AS k (rule, asset)
WHERE s.tenant_id = $1 AND s.rule_id = k.rule AND s.asset_id = k.asset AND s.sensor_id IS NULL`
)

// write stores the judgement in one round trip and returns a hint for each
// transition. Changes of old alarms go before new ones, which may take their place.
func (j *judgement) write(ctx context.Context, tx pgx.Tx, tenant id.UUID) ([]event.Event, error) {
	var b pgx.Batch
	var hints []event.Event
	j.queueUpdates(&b, tenant)
	j.queueInserts(&b, tenant)
	if len(j.transitions) > 0 {
		rows := transitionRows{}
		for _, t := range j.transitions {
			rows.add(t.of.id, t.from, t.to, nil, nil, t.at)
		}
		rows.queue(&b, tenant, func(eventID id.UUID, seq int64) {
			c := j.changes[eventID]
			hints = append(hints, hint(event.Event{Key: c.key, At: c.movedAt, Trace: c.trace}, eventID, seq))
		})
	}
	j.queueStates(&b, tenant)
	if b.Len() == 0 {
		return nil, nil
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("alarms: record: %w", err)
	}
	return hints, nil
}

func hint(e event.Event, eventID id.UUID, seq int64) event.Event {
	e.Kind, e.Alarm = event.Alarm, &event.AlarmHint{Seq: uint64(seq), EventID: eventID}
	return e
}

func (j *judgement) queueUpdates(b *pgx.Batch, tenant id.UUID) {
	var ids []id.UUID
	var more []int32
	var status []string
	var last, cleared, moved []*time.Time
	for _, c := range j.order {
		if c.isNew {
			continue
		}
		ids, more, status = append(ids, c.id), append(more, int32(c.more)), append(status, string(c.status))
		last, cleared, moved = append(last, orNull(c.lastTriggered)), append(cleared, orNull(c.clearedAt)), append(moved, orNull(c.movedAt))
	}
	if len(ids) > 0 {
		b.Queue(updateEvents, tenant, ids, more, last, status, cleared, moved)
	}
}

func (j *judgement) queueInserts(b *pgx.Batch, tenant id.UUID) {
	var ids, sites, assets, ofRules []id.UUID
	var sensors, predictions, versions []*id.UUID
	var severities, status []string
	var faults []*string
	var values []float64
	var at, last []time.Time
	var cleared []*time.Time
	var occurrences []int32
	for _, c := range j.order {
		if !c.isNew {
			continue
		}
		ids, sites, assets, sensors = append(ids, c.id), append(sites, c.key.Site), append(assets, c.key.Asset), append(sensors, orNone(c.key.Sensor))
		ofRules, severities, status = append(ofRules, c.rule.ID), append(severities, string(c.rule.Severity)), append(status, string(c.status))
		values, at, last = append(values, c.value), append(at, c.triggeredAt), append(last, c.lastTriggered)
		cleared, occurrences = append(cleared, orNull(c.clearedAt)), append(occurrences, int32(c.more))
		var prediction *id.UUID
		var fault *string
		if p := c.raisedBy; p != nil {
			prediction, fault = &p.ID, &p.Label
		}
		predictions, versions, faults = append(predictions, prediction), append(versions, orNone(c.version)), append(faults, fault)
	}
	if len(ids) > 0 {
		b.Queue(insertEvents, tenant, ids, sites, assets, sensors, ofRules, severities, predictions, versions,
			faults, values, at, last, occurrences, status, cleared)
	}
}

func (j *judgement) queueStates(b *pgx.Batch, tenant id.UUID) {
	keep, drop := j.kept()
	if len(keep) > 0 {
		// One order for all writers, so that they cannot lock each other out.
		slices.SortFunc(keep, compareKeys)
		ofRules, assets, sensors := columns(keep)
		var versions, runs []int32
		var since, gone []*time.Time
		var values []float64
		var at []time.Time
		for _, k := range keep {
			s := j.touched[k]
			versions, runs = append(versions, int32(s.RuleVersion)), append(runs, int32(s.Run))
			since, gone = append(since, orNull(s.RunSince)), append(gone, orNull(s.GoneSince))
			values, at = append(values, s.LastValue), append(at, s.LastAt)
		}
		b.Queue(upsertStates, tenant, ofRules, assets, sensors, versions, runs, since, gone, values, at)
	}
	if len(drop) > 0 {
		ofRules, assets, sensors := columns(drop)
		b.Queue(deleteStates, tenant, ofRules, assets, sensors)
		if slices.Contains(sensors, nil) {
			b.Queue(deleteAssetStates, tenant, ofRules, assets)
		}
	}
}

func columns(keys []rules.Key) (ofRules, assets []id.UUID, sensors []*id.UUID) {
	for _, k := range keys {
		ofRules, assets, sensors = append(ofRules, k.Rule), append(assets, k.Asset), append(sensors, orNone(k.Sensor))
	}
	return ofRules, assets, sensors
}

// orNone is what is stored of an id, null for none.
func orNone(u id.UUID) *id.UUID {
	if u == id.Nil {
		return nil
	}
	return &u
}
