package app

import (
	"context"

	"foresight/internal/bulk"
	"foresight/internal/config"
	"foresight/internal/jobs"
)

// startBulk opens imports and exports, and works their jobs where that is a role.
func (a *App) startBulk(ctx context.Context) error {
	queue, err := jobs.NewQueue(a.db.app)
	if err != nil {
		return err
	}
	c := a.cfg.Bulk
	a.bulk = bulk.New(bulk.Options{App: a.db.app, Queue: queue, Events: a.bus.hub, Files: a.files.store, Store: a.store(),
		Limits: bulk.Limits{MaxUpload: c.MaxUpload, MaxRows: c.MaxRows, MaxExport: c.MaxExport, Keep: c.Keep}, Log: a.log})
	if !a.cfg.Runs(config.RoleJobs) {
		return nil
	}
	r := jobs.NewRunner(jobs.Options{Pool: a.db.worker, AtOnce: c.AtOnce, Timeout: c.Timeout, Log: a.log, Registerer: a.metrics})
	a.bulk.Work(r)
	return a.start(ctx, r)
}
