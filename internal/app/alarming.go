package app

import (
	"context"

	"foresight/internal/alarms"
)

// alarming judges samples and serves what came of it.
type alarming struct {
	source  *alarms.RuleSource
	service *alarms.Service
	rules   *alarms.RuleService
	feed    *alarms.Feed
	metrics *alarms.Metrics
}

func (a *App) startAlarms(ctx context.Context) error {
	m := &a.alarms
	m.metrics = alarms.NewMetrics(a.metrics)
	m.source = alarms.NewRuleSource(alarms.SourceOptions{Pool: a.db.worker, Listen: a.listen, Refresh: a.cfg.Pipeline.RegistryRefresh, Log: a.log})
	if err := a.start(ctx, m.source); err != nil {
		return err
	}
	m.service = alarms.NewService(a.db.app, a.bus.hub, m.metrics, a.log)
	m.rules = alarms.NewRuleService(a.db.ent)
	m.feed = alarms.NewFeed(alarms.FeedOptions{Pool: a.db.app, Hub: a.bus.hub, Metrics: m.metrics, Log: a.log})
	return a.start(ctx, m.feed)
}
