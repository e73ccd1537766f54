package pgstore

import (
	"context"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var classTables = [...]string{
	telemetry.ClassReadings: "telemetry_raw", telemetry.ClassPredictions: "predictions",
	telemetry.ClassRollupsM5: "telemetry_rollup", telemetry.ClassRollupsH1: "telemetry_rollup_h1", telemetry.ClassRollupsD1: "telemetry_rollup_d1",
}

// forgetAtOnce is how many rows one transaction deletes.
const forgetAtOnce = 20_000

// Forget implements telemetry.Forgetter.
func (s *Store) Forget(ctx context.Context, tenant id.UUID, c telemetry.Class, before time.Time) (int64, error) {
	return s.forgetRows(ctx, tenant, classTables[c], before)
}

// ForgetTenant implements telemetry.Forgetter.
func (s *Store) ForgetTenant(ctx context.Context, tenant id.UUID) (int64, error) {
	end := time.Now().AddDate(100, 0, 0)
	// Where the newest readings stand goes first: nothing is left that points nowhere.
	if _, err := s.forgetRows(ctx, tenant, "telemetry_latest", end); err != nil {
		return 0, err
	}
	var all int64
	for _, table := range classTables {
		n, err := s.forgetRows(ctx, tenant, table, end)
		all += n
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (s *Store) forgetRows(ctx context.Context, tenant id.UUID, table string, before time.Time) (all int64, err error) {
	if tenant == id.Nil {
		return 0, failed("forget", telemetry.ErrNoTenant)
	}
	for {
		var n int64
		if err := s.write.QueryRow(ctx, `SELECT foresight_forget_telemetry($1, $2, $3, $4)`, tenant, table, before, forgetAtOnce).Scan(&n); err != nil {
			return all, failed("forget", err)
		}
		all += n
		if n == 0 {
			return all, nil
		}
	}
}
