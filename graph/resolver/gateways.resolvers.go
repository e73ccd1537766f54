package resolver

import (
	"context"
	"foresight/graph/model"
)

func (r *mutationResolver) CreateGateway(ctx context.Context, input model.CreateGatewayInput) (*model.GatewayPayload, error) {
	e, err := r.Plant.CreateGateway(ctx, newGateway(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.GatewayPayload{Gateway: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) UpdateGateway(ctx context.Context, input model.UpdateGatewayInput) (*model.GatewayPayload, error) {
	e, err := r.Plant.UpdateGateway(ctx, input.ID, input.ExpectedVersion, gatewayChange(input))
	mistakes, err := mistakesOf(ctx, err)
	return &model.GatewayPayload{Gateway: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) DeleteGateway(ctx context.Context, input model.DeleteGatewayInput) (*model.GatewayPayload, error) {
	e, err := r.Plant.DeleteGateway(ctx, input.ID, input.ExpectedVersion.Value())
	mistakes, err := mistakesOf(ctx, err)
	return &model.GatewayPayload{Gateway: e, UserErrors: mistakes}, err
}

func (r *mutationResolver) IssueGatewayCredentials(ctx context.Context, input model.IssueGatewayCredentialsInput) (*model.GatewayCredentialsPayload, error) {
	c, err := r.Plant.IssueCredential(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	if c == nil {
		return &model.GatewayCredentialsPayload{UserErrors: mistakes}, err
	}
	return &model.GatewayCredentialsPayload{Gateway: c.Gateway, Username: &c.Username, Password: &c.Password, UserErrors: mistakes}, err
}

func (r *mutationResolver) RevokeGatewayCredentials(ctx context.Context, input model.RevokeGatewayCredentialsInput) (*model.GatewayPayload, error) {
	e, err := r.Plant.RevokeCredential(ctx, input.ID)
	mistakes, err := mistakesOf(ctx, err)
	return &model.GatewayPayload{Gateway: e, UserErrors: mistakes}, err
}

func (r *subscriptionResolver) GatewayStatus(ctx context.Context, scope *model.ScopeInput) (<-chan *model.GatewayStatusItem, error) {
	return r.watchGateways(ctx, scope)
}
