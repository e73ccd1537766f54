package app

import (
	"context"
	"time"

	"foresight/internal/backtest"
	"foresight/internal/bulk"
	"foresight/internal/config"
	"foresight/internal/jobs"
)

// startBulk opens imports, exports, backtests, scoring and the post, and works their jobs
// where that is a role.
func (a *App) startBulk(ctx context.Context) error {
	queue, err := jobs.NewQueue(a.db.app)
	if err != nil {
		return err
	}
	c := a.cfg.Bulk
	a.bulk = bulk.New(bulk.Options{App: a.db.app, Queue: queue, Events: a.bus.hub, Files: a.files.store, Store: a.store(), History: a.history(), Gate: a.gate(),
		Limits: bulk.Limits{MaxUpload: c.MaxUpload, MaxModel: c.MaxModel, MaxRows: c.MaxRows, MaxExport: c.MaxExport, Keep: c.Keep}, Log: a.log})
	a.openRegistry()
	a.backtests = backtest.New(backtest.Options{ORM: a.db.ent, App: a.db.app, Queue: queue, Jobs: a.bulk, Rules: a.alarms.rules, Store: a.took.Wrap(a.store()),
		History: a.history(), Retention: a.retention, Model: a.models.service, Log: a.log})
	if err := a.openScoring(ctx, queue); err != nil {
		return err
	}
	a.openTraining(queue)
	a.openDrift(queue)
	a.openDeployments(queue)
	if a.letters, err = a.post(queue); err != nil || !a.cfg.Runs(config.RoleJobs) {
		return err
	}
	r := jobs.NewRunner(jobs.Options{Pool: a.db.worker, AtOnce: c.AtOnce, Timeout: c.Timeout, Lengthy: a.lengthy(), LengthyTimeout: 2*a.cfg.Training.MaxTime + time.Hour, Log: a.log, Registerer: a.metrics})
	a.bulk.Work(r)
	a.backtests.Work(r)
	a.letters.Work(r)
	a.health.Work(r)
	a.training.Work(r)
	a.drift.Work(r)
	a.deploys.Work(r)
	if err := a.start(ctx, r); err != nil {
		return err
	}
	if err := a.workScoring(ctx); err != nil {
		return err
	}
	if err := a.workTraining(ctx); err != nil {
		return err
	}
	if err := a.workDeployments(ctx); err != nil {
		return err
	}
	return a.workDrift(ctx)
}
