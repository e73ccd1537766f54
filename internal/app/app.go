// Package app puts the product together: which parts run in this process, in which
// order they start, and that they stop in reverse.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference/explain"
	"foresight/internal/access"
	"foresight/internal/artifacts"
	"foresight/internal/auth"
	"foresight/internal/backtest"
	"foresight/internal/bulk"
	"foresight/internal/config"
	"foresight/internal/deploy"
	"foresight/internal/drift"
	"foresight/internal/health"
	"foresight/internal/lifecycle"
	"foresight/internal/modelops"
	"foresight/internal/obs"
	"foresight/internal/obs/tracing"
	"foresight/internal/status"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/measured"
	"foresight/internal/training"
)

// App is a process of the product. Start and Stop are called once each.
type App struct {
	cfg     *config.Config
	log     *slog.Logger
	metrics *prometheus.Registry
	group   lifecycle.Group
	name    string       // of this process among those of the installation: host/pid
	hasher  *auth.Hasher // of all passwords, since it bounds the memory that they take

	db        databases
	telemetry telemetry.Store
	bus       messaging
	files     files
	landing   landingZone
	ingest    ingest
	models    models
	artifacts *artifacts.Store
	versions  *modelops.Versions
	shelf     *explain.Shelf // of what explains models' answers
	alarms    alarming
	bulk      *bulk.Service
	health    *health.Service
	drift     *drift.Service
	deploys   *deploy.Service
	training  *training.Service
	backtests *backtest.Service
	letters   *access.Post
	tracer    *tracing.Tracer // nil: nothing is followed
	took      *measured.Metrics
	Version   string // of the build, shown in the status; set before Start
	Addr      string // of the HTTP door, after Start
	MQTTAddr  string // of the embedded broker, after Start; "" when it does not run
}

// New returns a process that is not started yet. told hears of every part that has
// started; it may be nil.
func New(cfg *config.Config, log *slog.Logger, told func(part string, took time.Duration)) *App {
	a := &App{cfg: cfg, log: log, metrics: obs.NewRegistry(), group: lifecycle.Group{Log: log, OnStart: told}, name: processName(), hasher: auth.NewHasher(auth.DefaultParams)}
	a.took = measured.NewMetrics(a.metrics)
	return a
}

// processName tells this process apart for people: in leases, in the list of processes
// and in the monitoring of NATS. Containers have a host name each and all the pid 1.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "/" + strconv.Itoa(os.Getpid())
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
	for _, step := range []func(context.Context) error{a.startTraces, a.startDatabase, a.startTelemetry, a.startFiles, a.startBus, a.startLanding, a.startArtifacts, a.startModels, a.startExplaining, a.startAlarms, a.startTenants} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if a.cfg.Runs(config.RoleWorker) {
		if err := a.startWorker(ctx); err != nil {
			return err
		}
	}
	if a.cfg.Runs(config.RoleIngest) || a.cfg.Runs(config.RoleAPI) || a.cfg.Runs(config.RoleJobs) {
		if err := a.startAdmission(ctx); err != nil {
			return err
		}
		a.startReadmission()
	}
	if a.cfg.Runs(config.RoleIngest) {
		if err := a.startIngest(ctx); err != nil {
			return err
		}
	}
	if err := a.startBulk(ctx); err != nil {
		return err
	}
	if err := a.start(ctx, newGauges(a)); err != nil {
		return err
	}
	if a.cfg.Runs(config.RoleAPI) {
		err = a.startAPI(ctx)
	} else {
		err = a.startProbes(ctx)
	}
	if err != nil {
		return err
	}
	return a.start(ctx, status.NewRoster(a.db.worker, status.Self{Name: a.name, Roles: a.capabilities(), Version: a.Version, Address: a.Addr}, a.log))
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
