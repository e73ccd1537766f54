package app

import (
	"context"

	"foresight/internal/config"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/mongostore"
	"foresight/internal/telemetry/pgstore"
)

// startTelemetry opens the telemetry store. That in PostgreSQL is in the cluster of the
// checkpoints, whose commit flushes what it has written.
func (a *App) startTelemetry(ctx context.Context) error {
	t := a.cfg.Telemetry
	if t.Store != config.StoreMongo {
		a.telemetry = pgstore.New(a.db.worker, a.db.app, pgstore.WithDeferredSync())
		return nil
	}
	s, err := mongostore.New(mongostore.Options{URI: t.MongoURI, Database: t.MongoDatabase, Schema: mongostore.Schema(t.MongoSchema),
		Keep: mongostore.Retention{Readings: a.cfg.Pipeline.Retention}, Log: a.log})
	if err != nil {
		return err
	}
	a.telemetry = s
	return a.start(ctx, s)
}

// store returns the telemetry store.
func (a *App) store() telemetry.Store { return a.telemetry }

// startRetention drops what is older than is kept for anybody. MongoDB does so by
// itself.
func (a *App) startRetention(ctx context.Context) error {
	s, ok := a.telemetry.(*pgstore.Store)
	if !ok {
		return nil
	}
	return a.start(ctx, pgstore.NewKeeper(s, pgstore.Retention{Readings: a.cfg.Pipeline.Retention}, a.log))
}
