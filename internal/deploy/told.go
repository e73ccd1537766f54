package deploy

import (
	"context"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// News is what happened to a deployment.
type News string

// The kinds of news.
const (
	Opened  News = "opened"
	Changed News = "changed" // another share
	Ended   News = "ended"
	Decided News = "decided"
)

// told is news of a deployment; of a decision, id is the decision's.
type told struct {
	id   id.UUID
	news News
}

// tell publishes what happened, after the commit.
func (s *Service) tell(ctx context.Context, news []told) {
	if s.Events == nil || len(news) == 0 {
		return
	}
	events := make([]event.Event, len(news))
	for i, n := range news {
		events[i] = event.Event{Kind: event.Deployment, Key: telemetry.Key{Tenant: tenancy.Must(ctx).TenantID},
			Deployment: &event.DeploymentNews{ID: n.id, News: string(n.news)}}
	}
	if err := s.Events.Publish(ctx, events...); err != nil {
		s.Log.WarnContext(ctx, "news of deployments were not published", "error", err)
	}
}
