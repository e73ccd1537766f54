package app

import (
	"context"
	"path/filepath"
	"slices"

	"foresight/ent"
	"foresight/internal/config"
	"foresight/internal/jobs"
	"foresight/internal/modelops"
	"foresight/internal/training"
)

// trainer is what a process that can train says of itself beside its roles.
const trainer = "trainer"

// openTraining opens what trains models.
func (a *App) openTraining(queue *jobs.Queue) {
	c := a.cfg.Training
	o := training.Options{ORM: a.db.ent, App: a.db.app, Queue: queue, Jobs: a.bulk, Store: a.took.Wrap(a.store()), Files: a.files.store,
		Artifacts: a.artifacts, Versions: register{a.versions}, Dir: filepath.Join(a.cfg.DataDir, "training"), Elsewhere: a.trainerElsewhere,
		Trainer: &training.Trainer{Path: c.TrainerPath, Memory: c.MaxMemory, Time: c.MaxTime},
		Limits:  training.Limits{MinFeedback: c.MinFeedback, Threads: c.Threads}, Log: a.log}
	if c.MLflowURL != "" {
		o.Mirror = &training.MLflow{URL: c.MLflowURL, Token: c.MLflowToken}
	}
	a.training = training.New(o)
}

// trains reports whether this process works trainings.
func (a *App) trains() bool { return a.cfg.Runs(config.RoleJobs) && a.training.Trains() }

// lengthy is how many trainings this process works at a time.
func (a *App) lengthy() int {
	if !a.trains() {
		return 0
	}
	return a.cfg.Training.AtOnce
}

// workTraining adds the weekly trainings to those that people ask for, and takes up again
// what processes left that died.
func (a *App) workTraining(ctx context.Context) error {
	return a.start(ctx, training.NewSchedule(a.training, a.db.worker, training.ScheduleOptions{}))
}

// capabilities are the roles of this process, and whether it trains.
func (a *App) capabilities() []string {
	if !a.trains() {
		return a.cfg.Roles
	}
	return append(slices.Clone(a.cfg.Roles), trainer)
}

// trainerElsewhere reports whether a process that can train is alive.
func (a *App) trainerElsewhere(ctx context.Context) (there bool, err error) {
	err = a.db.worker.QueryRow(ctx, `SELECT EXISTS (SELECT FROM processes WHERE $1 = ANY (roles) AND seen_at > clock_timestamp() - interval '15 seconds')`, trainer).Scan(&there)
	return there, err
}

// register makes versions of what was trained.
type register struct{ versions *modelops.Versions }

// Register implements training.Versions.
func (r register) Register(ctx context.Context, c training.Candidate) (*ent.MLModelVersion, error) {
	return r.versions.Register(ctx, modelops.NewVersion{Model: c.Model, Bundle: c.Bundle, DatasetHash: c.DatasetHash, TrainingRun: c.Run})
}

// Room implements training.Versions.
func (r register) Room(ctx context.Context) error { return r.versions.Room(ctx) }
