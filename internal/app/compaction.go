package app

import (
	"context"

	"foresight/ingestion/landing"
	"foresight/internal/postgres"
)

// landingTask is what one process does with the landing zone at a time: compaction, and
// forgetting a tenant, which compaction must not bring back.
const landingTask = "landing"

// compactLanding puts the small files of the landing zone together.
func (a *App) compactLanding(ctx context.Context) error {
	if a.landing.files == nil || a.cfg.Landing.CompactAfter == 0 {
		return nil
	}
	return a.start(ctx, landing.NewCompactor(landing.CompactorOptions{Files: a.landing.files, After: a.cfg.Landing.CompactAfter, Metrics: a.metrics, Logger: a.log,
		Alone: func(ctx context.Context, f func(context.Context) error) error {
			return postgres.TryAlone(ctx, a.db.worker, landingTask, f)
		}}))
}
