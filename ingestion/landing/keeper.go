package landing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"foresight/internal/blob"
	"foresight/internal/id"
	"foresight/internal/lifecycle"
	"foresight/internal/tenancy"
)

// keepEvery is how often old days are looked for.
const keepEvery = time.Hour

// Keeper deletes days of arrival that ended longer ago than Keep. It is a
// lifecycle.Part; several processes may run one.
type Keeper struct {
	lifecycle.Part
	files *blob.Store
	keep  time.Duration
}

// NewKeeper returns a keeper; keep is above 0.
func NewKeeper(files *blob.Store, keep time.Duration, log *slog.Logger) *Keeper {
	k := &Keeper{files: files, keep: keep}
	k.Part = lifecycle.Every("landing keeper", keepEvery, log, func(ctx context.Context) error {
		n, err := k.Sweep(ctx, time.Now())
		if n > 0 {
			log.InfoContext(ctx, "old files deleted", "part", k.Name(), "files", n)
		}
		return err
	})
	return k
}

// Sweep deletes what is old at the time, and returns the number of files.
func (k *Keeper) Sweep(ctx context.Context, now time.Time) (n int, err error) {
	tenants, err := k.files.Tenants(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, t := range tenants {
		m, err := remove(tenancy.AsSystem(ctx, t), k.files, func(day time.Time) bool {
			return !day.AddDate(0, 0, 1).Add(k.keep).After(now)
		})
		n += m
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

// Forget deletes everything of a tenant, and returns the number of files. What the log
// holds of it is landed afterwards: call it when the tenant sends no more.
func Forget(ctx context.Context, files *blob.Store, tenant id.UUID) (int, error) {
	return remove(tenancy.AsSystem(ctx, tenant), files, func(time.Time) bool { return true })
}

func remove(ctx context.Context, files *blob.Store, old func(day time.Time) bool) (n int, err error) {
	days, err := files.Levels(ctx, "")
	if err != nil {
		return 0, fmt.Errorf("landing: %w", err)
	}
	for _, name := range days {
		day, err := time.Parse(dayForm, name)
		if err != nil || !old(day) { // what is not a day is not ours
			continue
		}
		for f, err := range files.List(ctx, name+"/") {
			if err == nil {
				err = files.Delete(ctx, f.Name)
			}
			if err != nil {
				return n, fmt.Errorf("landing: %w", err)
			}
			n++
		}
	}
	return n, nil
}
