package health

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const (
	oneDay = 24 * time.Hour
	// window is the number of days that features look back on.
	window = 90
	// again is how many of the newest days are summed up anew each time, since readings
	// may come late: what has come by then is in the features of the days after.
	again = 3
	// sensorsAtOnce bounds a query of hourly rollups, of which a sensor has 24 a day.
	sensorsAtOnce = telemetry.MaxRollups / 24
	// kept is how many days summaries are kept: as long as a day that is made up looks back.
	kept = window + catchUp
	// daysPerWrite bounds the rows of one statement.
	daysPerWrite = 2000
)

// summarise sums up the days that the features of a day look back on, as far as that is
// not done. It calls pause between two days, and ends with its error.
func (s *Service) summarise(ctx context.Context, tenant id.UUID, f *fleet, day time.Time, pause func(left int) error) error {
	due, err := s.unsummarised(ctx, tenant, day)
	if err != nil || len(due) == 0 {
		return err
	}
	sensors, err := s.sensors(ctx, tenant)
	if err != nil {
		return err
	}
	gravities, err := s.gravities(ctx, tenant)
	if err != nil {
		return err
	}
	for i, d := range due {
		if err := s.summariseDay(ctx, tenant, f, sensors, gravities, d); err != nil {
			return err
		}
		if err := pause(len(due) - i - 1); err != nil {
			return err
		}
	}
	return nil
}

// unsummarised lists the days to sum up, the oldest first: those of the window that were
// never, and the newest ones whose summary is of a time at which they had not settled.
func (s *Service) unsummarised(ctx context.Context, tenant id.UUID, day time.Time) ([]time.Time, error) {
	rows, err := s.App.Query(ctx, `SELECT $2::date - n FROM generate_series(0, $3::int - 1) AS n
		LEFT JOIN summarised_days x ON x.tenant_id = $1 AND x.day = $2::date - n
		WHERE x.day IS NULL OR n < $4::int AND x.made_at < $5 ORDER BY n DESC`,
		tenant, day, window, again, daily.AsOf(day))
	if err != nil {
		return nil, fmt.Errorf("health: days: %w", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return nil, fmt.Errorf("health: days: %w", err)
	}
	return due, nil
}

// sensors lists all of the tenant, deleted ones too: their history counts.
func (s *Service) sensors(ctx context.Context, tenant id.UUID) ([]id.UUID, error) {
	rows, err := s.App.Query(ctx, `SELECT id FROM sensors WHERE tenant_id = $1 ORDER BY id`, tenant)
	if err != nil {
		return nil, fmt.Errorf("health: sensors: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.UUID])
}

func (s *Service) summariseDay(ctx context.Context, tenant id.UUID, f *fleet, sensors []id.UUID, gravities map[string]float64, day time.Time) error {
	days := map[id.UUID]*daily.Day{}
	of := func(asset id.UUID) *daily.Day {
		d := days[asset]
		if d == nil {
			d = &daily.Day{Start: day}
			days[asset] = d
		}
		return d
	}
	for rest := sensors; len(rest) > 0; {
		n := min(sensorsAtOnce, len(rest))
		err := s.Store.Rollups(ctx, telemetry.RollupQuery{Tenant: tenant, Sensors: rest[:n], Resolution: telemetry.H1,
			From: day, To: day.Add(oneDay), Limit: telemetry.MaxRollups}, func(r *telemetry.Rollup) error {
			of(r.Asset).AddHour(r, f.limitBC(r.Asset))
			return nil
		})
		if err != nil {
			return fmt.Errorf("health: rollups: %w", err)
		}
		rest = rest[n:]
	}
	counts, err := s.Store.PredictionCounts(ctx, tenant, day, day.Add(oneDay))
	if err != nil {
		return fmt.Errorf("health: predictions: %w", err)
	}
	for _, c := range counts {
		d := of(c.Asset)
		d.Predictions += uint32(c.Count)
		if c.Label != telemetry.Normal {
			d.Faults += uint32(c.Count)
			d.Gravity += float64(c.Count) * gravities[c.Label]
		}
	}
	return s.writeDays(ctx, tenant, day, days)
}

// writeDays keeps the summaries of a day, and that it is summed up, in one transaction.
// Machines that are gone for good have no row.
func (s *Service) writeDays(ctx context.Context, tenant id.UUID, day time.Time, days map[id.UUID]*daily.Day) error {
	var assets []id.UUID
	var content [][]byte
	write := func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO asset_days (tenant_id, asset_id, day, content)
			SELECT $1, d.asset, $2::date, d.content FROM unnest($3::uuid[], $4::bytea[]) AS d (asset, content)
			JOIN assets a ON a.tenant_id = $1 AND a.id = d.asset ORDER BY d.asset
			ON CONFLICT (tenant_id, asset_id, day) DO UPDATE SET content = excluded.content WHERE asset_days.content <> excluded.content`,
			tenant, day, assets, content)
		assets, content = assets[:0], content[:0]
		return err
	}
	return s.tx(ctx, func(tx pgx.Tx) error {
		for asset, d := range days {
			b, err := pack(d)
			if err != nil {
				return err
			}
			assets, content = append(assets, asset), append(content, b)
			if len(assets) == daysPerWrite {
				if err := write(tx); err != nil {
					return fmt.Errorf("health: write days: %w", err)
				}
			}
		}
		if len(assets) > 0 {
			if err := write(tx); err != nil {
				return fmt.Errorf("health: write days: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO summarised_days (tenant_id, day) VALUES ($1, $2)
			ON CONFLICT (tenant_id, day) DO UPDATE SET made_at = now()`, tenant, day); err != nil {
			return fmt.Errorf("health: write days: %w", err)
		}
		return nil
	})
}

// forget deletes the summaries that no features look back on any more.
func (s *Service) forget(ctx context.Context, tenant id.UUID, day time.Time) error {
	var b pgx.Batch
	for _, table := range [...]string{"asset_days", "summarised_days"} {
		b.Queue(`DELETE FROM `+table+` WHERE tenant_id = $1 AND day < $2::date - $3::int`, tenant, day, kept)
	}
	if err := s.App.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("health: forget: %w", err)
	}
	return nil
}
