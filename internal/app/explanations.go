package app

import (
	"context"

	"foresight/inference/explain"
	"foresight/internal/explanation"
)

func (a *App) startExplaining(context.Context) error {
	a.shelf = explain.NewShelf(explain.ShelfOptions{Artifacts: a.artifacts, Registerer: a.metrics})
	return nil
}

// explanationsOfRequests are read in the role of requests.
func (a *App) explanationsOfRequests() explanation.Sources {
	return explanation.Sources{Pool: a.db.app, Store: a.took.Wrap(a.store()), Explainers: a.shelf}
}

// explanationsOfWorker are computed beside the pipeline.
func (a *App) explanationsOfWorker() explanation.Sources {
	return explanation.Sources{Pool: a.db.worker, Store: a.took.Wrap(a.store()), Explainers: a.shelf}
}

// explainAlarms returns the part that explains alarms after they were raised.
func (a *App) explainAlarms() *explanation.Follower {
	return explanation.NewFollower(explanation.FollowerOptions{Sources: a.explanationsOfWorker(), Registerer: a.metrics, Log: a.log})
}
