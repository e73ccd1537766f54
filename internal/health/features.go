package health

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/rules"
)

// machinesAtOnce bounds what is held in memory: each has up to 90 days.
const machinesAtOnce = 500

// extract computes and stores the features of a day of those machines that have none
// yet.
func (s *Service) extract(ctx context.Context, tenant id.UUID, machines []machine, day time.Time) error {
	missing, err := s.without(ctx, tenant, machines, day)
	if err != nil || len(missing) == 0 {
		return err
	}
	in, err := s.readInputs(ctx, tenant, missing, day)
	if err != nil {
		return err
	}
	rowIDs, assets, features := make([]id.UUID, len(missing)), ids(missing), make([]string, len(missing))
	for i := range missing {
		v := daily.Extract(&in[i], day)
		b, err := json.Marshal(named(&v))
		if err != nil {
			return err
		}
		rowIDs[i], features[i] = rowID(id.AssetFeatures, tenant, assets[i], day), string(b)
	}
	if _, err := s.App.Exec(ctx, `INSERT INTO asset_features (id, tenant_id, asset_id, day, features, feature_schema_hash)
		SELECT n.id, $1, n.asset, $2::date, n.features::jsonb, $3 FROM unnest($4::uuid[], $5::uuid[], $6::text[]) AS n (id, asset, features)
		ON CONFLICT DO NOTHING`, tenant, day, daily.SchemaHash(), rowIDs, assets, features); err != nil {
		return fmt.Errorf("health: write features: %w", err)
	}
	return nil
}

// rowID names what is made once of a machine and a day. Its time is that as of which it
// speaks.
func rowID(k id.Kind, tenant, asset id.UUID, day time.Time) id.UUID {
	return id.Derive(k, daily.AsOf(day), tenant[:], asset[:], []byte(daily.SchemaHash()))
}

// named returns the features that are there, by name.
func named(v *daily.Vector) map[string]float64 {
	out := make(map[string]float64, daily.Count)
	for i, name := range daily.Names() {
		if x := v[i]; x == x {
			out[name] = float64(x)
		}
	}
	return out
}

// without returns the machines that have no features of the day.
func (s *Service) without(ctx context.Context, tenant id.UUID, machines []machine, day time.Time) ([]machine, error) {
	rows, err := s.App.Query(ctx, `SELECT asset_id FROM asset_features
		WHERE tenant_id = $1 AND asset_id = ANY ($2) AND day = $3::date AND feature_schema_hash = $4`, tenant, ids(machines), day, daily.SchemaHash())
	if err != nil {
		return nil, fmt.Errorf("health: features: %w", err)
	}
	have := map[id.UUID]bool{}
	var asset id.UUID
	if _, err := pgx.ForEachRow(rows, []any{&asset}, func() error { have[asset] = true; return nil }); err != nil {
		return nil, fmt.Errorf("health: features: %w", err)
	}
	out := make([]machine, 0, len(machines)-len(have))
	for _, m := range machines {
		if !have[m.ID] {
			out = append(out, m)
		}
	}
	return out, nil
}

// readInputs reads what the features of a day are made from, in three statements.
func (s *Service) readInputs(ctx context.Context, tenant id.UUID, machines []machine, day time.Time) ([]daily.Inputs, error) {
	in := make([]daily.Inputs, len(machines))
	at := make(map[id.UUID]*daily.Inputs, len(machines))
	for i := range machines {
		in[i] = daily.Inputs{Days: make([]daily.Day, 0, window), Descriptions: []daily.Description{machines[i].description()}}
		at[machines[i].ID] = &in[i]
	}
	end, of := daily.End(day), ids(machines)
	var b pgx.Batch
	b.Queue(`SELECT asset_id, day, content FROM asset_days
		WHERE tenant_id = $1 AND asset_id = ANY ($2) AND day > $3::date - $4::int AND day <= $3::date`, tenant, of, day, window).Query(func(rows pgx.Rows) error {
		var asset id.UUID
		var start time.Time
		var content []byte
		_, err := pgx.ForEachRow(rows, []any{&asset, &start, &content}, func() error {
			d, err := unpack(content, start)
			at[asset].Days = append(at[asset].Days, d)
			return err
		})
		return err
	})
	// What is known when of an alarm stands in its first transition.
	b.Queue(`SELECT e.asset_id, e.triggered_at, t.at FROM alarm_events e
		LEFT JOIN alarm_transitions t ON t.tenant_id = e.tenant_id AND t.event_id = e.id AND t.from_status IS NULL
		WHERE e.tenant_id = $1 AND e.asset_id = ANY ($2) AND e.triggered_at >= $3::timestamptz - interval '30 days' AND e.triggered_at < $3
			AND `+notOfScores+` ($4))`,
		tenant, of, end, rules.ScoreParameters()).Query(func(rows pgx.Rows) error {
		var asset id.UUID
		var a daily.Alarm
		var known *time.Time
		_, err := pgx.ForEachRow(rows, []any{&asset, &a.At, &known}, func() error {
			a.Known = time.Time{}
			if known != nil {
				a.Known = *known
			}
			at[asset].Alarms = append(at[asset].Alarms, a)
			return nil
		})
		return err
	})
	b.Queue(`SELECT asset_id, performed_at, created_at, kind FROM maintenance_records
		WHERE tenant_id = $1 AND asset_id = ANY ($2) AND performed_at < $3`, tenant, of, end).Query(func(rows pgx.Rows) error {
		var asset id.UUID
		var m daily.Maintenance
		_, err := pgx.ForEachRow(rows, []any{&asset, &m.At, &m.Known, &m.Kind}, func() error {
			at[asset].Maintenance = append(at[asset].Maintenance, m)
			return nil
		})
		return err
	})
	if err := s.App.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("health: read inputs: %w", err)
	}
	return in, nil
}
