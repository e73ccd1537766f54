package resolver

import (
	"foresight/ent"
	"foresight/graph/model"
	"foresight/internal/webhook"
)

func newWebhook(in model.CreateWebhookInput) webhook.Change {
	return webhook.Change{Name: &in.Name, URL: &in.URL, Events: listed(in.Events), IsActive: &in.IsActive}
}

func webhookChange(in model.UpdateWebhookInput) webhook.Change {
	c := webhook.Change{Name: in.Name.Value(), URL: in.URL.Value(), Events: in.Events.Value(), IsActive: in.IsActive.Value()}
	set(in.RotateSecret, &c.Rotate)
	return c
}

func webhookEvents(e *ent.Webhook) []webhook.Event {
	out := make([]webhook.Event, len(e.Events))
	for i, name := range e.Events {
		out[i] = webhook.Event(name)
	}
	return out
}

func delivery(d webhook.Delivery) *model.WebhookDelivery {
	out := &model.WebhookDelivery{ID: d.ID, Delivered: d.Failure == "", Failure: orNone(d.Failure), DurationMs: int(d.Took.Milliseconds())}
	if d.Status != 0 {
		out.Status = &d.Status
	}
	return out
}
