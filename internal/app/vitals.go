package app

import (
	"context"
	"errors"

	"foresight/internal/config"
	"foresight/internal/embedded/natsd"
	"foresight/internal/postgres"
	"foresight/internal/vitals"
)

// The names of what processes depend on.
const (
	onPostgreSQL = "postgresql"
	onLog        = "log"
	onStore      = "telemetry_store"
	onModel      = "model"
	onLanding    = "landing_zone"
)

// watchVitals starts the watch over what the process depends on.
func (a *App) watchVitals(ctx context.Context) (*vitals.Monitor, error) {
	m := vitals.New(a.dependencies(), a.metrics, a.log)
	return m, a.start(ctx, m)
}

func (a *App) dependencies() []vitals.Dependency {
	needs := needed(a.cfg)
	all := []vitals.Dependency{
		{Name: onPostgreSQL, Needed: needs[onPostgreSQL], Probe: a.probePostgreSQL,
			Affects: []vitals.Function{vitals.SignIn, vitals.Plant, vitals.Alarms, vitals.Processing, vitals.Jobs}},
		{Name: onLog, Needed: needs[onLog], Probe: a.probeLog,
			Affects: []vitals.Function{vitals.Live, vitals.Ingestion, vitals.Processing}},
		{Name: onStore, Needed: needs[onStore], Probe: a.store().Ping,
			Affects: []vitals.Function{vitals.History, vitals.Processing, vitals.Predictions}},
		{Name: onModel, Probe: a.probeModel, Affects: []vitals.Function{vitals.Predictions}},
	}
	if a.landing.lander != nil { // only who writes there can tell
		all = append(all, vitals.Dependency{Name: onLanding, Probe: func(context.Context) error { return a.landing.lander.Check() },
			Affects: []vitals.Function{vitals.Jobs}})
	}
	return all
}

func (a *App) probePostgreSQL(ctx context.Context) error {
	err := postgres.CheckWrites(ctx, a.db.app)
	if errors.Is(err, postgres.ErrRefusesWrites) {
		return vitals.Because(vitals.Full, err)
	}
	return err
}

// needed names what the process cannot do its work without. Readiness is that of its
// door: a process of the API reads without a log; one that takes readings needs nothing
// but the log, once it has started; workers need all that a batch goes through.
func needed(cfg *config.Config) map[string]bool {
	switch {
	case cfg.Runs(config.RoleAPI):
		return map[string]bool{onPostgreSQL: true}
	case cfg.Runs(config.RoleIngest):
		return map[string]bool{onLog: true}
	case cfg.Runs(config.RoleWorker):
		return map[string]bool{onPostgreSQL: true, onLog: true, onStore: true}
	}
	return map[string]bool{onPostgreSQL: true}
}

// probeLog asks the leader of the log, as a connection alone does not tell, and the
// embedded server whether it can write: a log that cannot is still read.
func (a *App) probeLog(ctx context.Context) error {
	if a.bus.server != nil {
		if err := a.bus.server.Check(); errors.Is(err, natsd.ErrNoRoom) {
			return vitals.Because(vitals.Full, err)
		} else if err != nil {
			return err
		}
	}
	i, err := a.bus.log.Info(ctx)
	if err != nil {
		return err
	}
	if i.MaxBytes > 0 && i.Bytes >= uint64(i.MaxBytes)/100*99 {
		return vitals.Because(vitals.Full, errors.New("the log is full"))
	}
	return nil
}

// probeModel looks for versions in use that do not load: the built-in ones are part of the
// binary.
func (a *App) probeModel(context.Context) error {
	if a.models.registry == nil {
		return vitals.Because(vitals.NotLoaded, errors.New("no model registry"))
	}
	if err := a.models.registry.Check(); err != nil {
		return vitals.Because(vitals.NotLoaded, err)
	}
	return nil
}
