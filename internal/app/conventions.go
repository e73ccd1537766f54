package app

import (
	"context"
	"time"

	"foresight/graph/limits"
	"foresight/internal/limit"
	"foresight/internal/tenancy"
	"foresight/internal/webhook"
)

// planKept is how long a change of plan takes until it counts.
const planKept = 30 * time.Second

// budget is what tenants and credentials may ask of this process.
func (a *App) budget() *limits.Budget {
	quota := func(ctx context.Context) (limits.Quota, error) {
		t, err := a.db.ent.Tenant.Get(ctx, tenancy.Must(ctx).TenantID)
		if err != nil {
			return limits.Quota{}, err
		}
		return limits.QuotaOf(t.Plan, t.Settings), nil
	}
	return &limits.Budget{Buckets: limit.New(nil), Quota: limits.Cached(quota, planKept), MaxCost: a.cfg.Graph.MaxCost}
}

// webhooks returns what tells tenants' systems of events.
func (a *App) webhooks(ctx context.Context) (s *webhook.Service, err error) {
	var sender *webhook.Sender
	err = a.part(ctx, "webhooks", func(context.Context) error {
		box, err := a.box()
		if err != nil {
			return err
		}
		sender = webhook.NewSender(webhook.Options{Allowed: a.cfg.Webhook.AllowedNetworks})
		s = webhook.New(a.db.ent, box, sender, a.log)
		return nil
	}, func(context.Context) error {
		sender.Close()
		return nil
	})
	return s, err
}
