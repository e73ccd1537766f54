package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/model"
	"foresight/internal/webhook"
)

func (r *mutationResolver) CreateWebhook(ctx context.Context, input model.CreateWebhookInput) (*model.WebhookPayload, error) {
	e, secret, err := r.Webhooks.Create(ctx, newWebhook(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.WebhookPayload{Webhook: e, Secret: orNone(secret), UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateWebhook(ctx context.Context, input model.UpdateWebhookInput) (*model.WebhookPayload, error) {
	e, secret, err := r.Webhooks.Update(ctx, input.ID, input.ExpectedVersion, webhookChange(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.WebhookPayload{Webhook: e, Secret: orNone(secret), UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteWebhook(ctx context.Context, input model.WebhookIDInput) (*model.DeleteWebhookPayload, error) {
	err := r.Webhooks.Delete(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	p := &model.DeleteWebhookPayload{UserErrors: mistakes}
	if err == nil && len(mistakes) == 0 {
		p.DeletedID = &input.ID
	}
	return p, err
}

func (r *mutationResolver) TestWebhook(ctx context.Context, input model.WebhookIDInput) (*model.TestWebhookPayload, error) {
	d, err := r.Webhooks.Test(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	p := &model.TestWebhookPayload{UserErrors: mistakes}
	if err == nil && len(mistakes) == 0 {
		p.Delivery = delivery(d)
	}
	return p, err
}

func (r *queryResolver) Webhooks(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.Webhook], error) {
	return model.NewConnection(r.Resolver.Webhooks.List(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *webhookResolver) Events(ctx context.Context, obj *ent.Webhook) ([]webhook.Event, error) {
	return webhookEvents(obj), nil
}

func (r *Resolver) Webhook() generated.WebhookResolver { return &webhookResolver{r} }

type webhookResolver struct{ *Resolver }
