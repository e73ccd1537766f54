// Package app puts the product together: which parts run in this process, in which
// order they start, and that they stop in reverse.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/auth"
	"foresight/internal/bulk"
	"foresight/internal/config"
	"foresight/internal/lifecycle"
	"foresight/internal/obs"
)

// App is a process of the product. Start and Stop are called once each.
type App struct {
	cfg     *config.Config
	log     *slog.Logger
	metrics *prometheus.Registry
	group   lifecycle.Group
	hasher  *auth.Hasher // of all passwords, since it bounds the memory that they take

	db       databases
	bus      messaging
	files    files
	ingest   ingest
	models   models
	alarms   alarming
	bulk     *bulk.Service
	Addr     string // of the HTTP door, after Start
	MQTTAddr string // of the embedded broker, after Start; "" when it does not run
}

// New returns a process that is not started yet. told hears of every part that has
// started; it may be nil.
func New(cfg *config.Config, log *slog.Logger, told func(part string, took time.Duration)) *App {
	return &App{cfg: cfg, log: log, metrics: obs.NewRegistry(), group: lifecycle.Group{Log: log, OnStart: told},
		hasher: auth.NewHasher(auth.DefaultParams)}
}

// Start starts the parts of the configured roles; when one fails, those that run
// are stopped again.
func (a *App) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
			defer cancel()
			err = errors.Join(err, a.group.Stop(stop))
		}
	}()
	for _, step := range []func(context.Context) error{a.startDatabase, a.startFiles, a.startBus, a.startModels, a.startAlarms, a.startTenants} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if a.cfg.Runs(config.RoleWorker) {
		if err := a.startWorker(ctx); err != nil {
			return err
		}
	}
	if a.cfg.Runs(config.RoleIngest) || a.cfg.Runs(config.RoleAPI) {
		if err := a.startAdmission(ctx); err != nil {
			return err
		}
	}
	if a.cfg.Runs(config.RoleIngest) {
		if err := a.startIngest(ctx); err != nil {
			return err
		}
	}
	if err := a.startBulk(ctx); err != nil {
		return err
	}
	if a.cfg.Runs(config.RoleAPI) {
		return a.startAPI(ctx)
	}
	return a.startProbes(ctx)
}

// stopWithin bounds the stop of all parts together.
const stopWithin = 30 * time.Second

// Stop stops what runs, the doors first.
func (a *App) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	return a.group.Stop(ctx)
}

// Run starts the process, calls ready, waits for the context and stops.
func (a *App) Run(ctx context.Context, ready func(context.Context) error) error {
	if err := a.Start(ctx); err != nil {
		return err
	}
	err := ready(ctx)
	if err == nil {
		<-ctx.Done()
	}
	a.log.Info("stopping")
	return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
}

func (a *App) start(ctx context.Context, p lifecycle.Part) error { return a.group.Start(ctx, p) }

// part makes a part of something that is opened and closed.
func (a *App) part(ctx context.Context, name string, open, closed func(context.Context) error) error {
	if err := a.start(ctx, lifecycle.Funcs(name, open, closed)); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}
