package upkeep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/settings"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var classNames = [...]string{telemetry.ClassReadings: "readings", telemetry.ClassPredictions: "predictions",
	telemetry.ClassRollupsM5: "rollups_m5", telemetry.ClassRollupsH1: "rollups_h1", telemetry.ClassRollupsD1: "rollups_d1"}

// Retain deletes the readings and predictions of tenants that keep them shorter than
// the installation does, and hourly rollups that are too old. (What is too old for
// everybody the store drops by itself: readings, predictions and 5-minute rollups.
// Daily rollups are kept for good.) A tenant that is locked keeps its terms.
func (u *Upkeep) Retain(ctx context.Context) error {
	rows, err := u.opt.Pool.Query(ctx, `SELECT id, now(), settings FROM tenants`)
	if err != nil {
		return err
	}
	type terms struct {
		tenant id.UUID
		now    time.Time
		own    settings.Tenant
	}
	tenants, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t terms, err error) {
		var document []byte
		if err := row.Scan(&t.tenant, &t.now, &document); err != nil {
			return t, err
		}
		return t, json.Unmarshal(document, &t.own)
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range tenants {
		keep := map[telemetry.Class]time.Duration{telemetry.ClassRollupsH1: u.opt.RollupsH1}
		for class, days := range map[telemetry.Class]int{telemetry.ClassReadings: t.own.RawRetentionDays, telemetry.ClassPredictions: t.own.PredictionRetentionDays} {
			most := u.opt.Readings
			if class == telemetry.ClassPredictions {
				most = u.opt.Predictions
			}
			if own := time.Duration(days) * day; own > 0 && own < most {
				keep[class] = own
			}
		}
		for class, long := range keep {
			n, err := u.opt.Store.Forget(ctx, t.tenant, class, t.now.Add(-long))
			u.forgot.WithLabelValues(classNames[class]).Add(float64(n))
			if err != nil {
				errs = append(errs, fmt.Errorf("%s of tenant %s: %w", classNames[class], t.tenant, err))
			}
		}
	}
	return errors.Join(errs...)
}
