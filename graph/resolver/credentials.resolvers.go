package resolver

import (
	"context"
	"foresight/ent"
	"foresight/graph/generated"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/auth"

	"github.com/google/uuid"
)

func (r *activeSessionResolver) IsCurrent(ctx context.Context, obj *auth.OpenSession) (bool, error) {
	return obj.ID == r.Browser.Session(ctx), nil
}

func (r *apiKeyResolver) CreatedBy(ctx context.Context, obj *ent.APIKey) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.CreatedBy)
}

func (r *mutationResolver) CreateAPIKey(ctx context.Context, input model.CreateAPIKeyInput) (*model.CreateAPIKeyPayload, error) {
	return r.createAPIKey(ctx, input)
}

func (r *mutationResolver) RevokeAPIKey(ctx context.Context, input model.RevokeAPIKeyInput) (*model.RevokeAPIKeyPayload, error) {
	return r.revokeAPIKey(ctx, input)
}

func (r *mutationResolver) CreateOAuthClient(ctx context.Context, input model.CreateOAuthClientInput) (*model.CreateOAuthClientPayload, error) {
	return r.createOAuthClient(ctx, input)
}

func (r *mutationResolver) RotateOAuthClientSecret(ctx context.Context, input model.RotateOAuthClientSecretInput) (*model.RotateOAuthClientSecretPayload, error) {
	return r.rotateOAuthClientSecret(ctx, input)
}

func (r *mutationResolver) DeactivateOAuthClient(ctx context.Context, input model.DeactivateOAuthClientInput) (*model.DeactivateOAuthClientPayload, error) {
	return r.deactivateOAuthClient(ctx, input)
}

func (r *mutationResolver) RevokeSession(ctx context.Context, input model.RevokeSessionInput) (*model.RevokeSessionPayload, error) {
	return r.revokeSession(ctx, input)
}

func (r *mutationResolver) RevokeAllSessions(ctx context.Context, input model.RevokeAllSessionsInput) (*model.RevokeAllSessionsPayload, error) {
	return r.revokeAllSessions(ctx, input)
}

func (r *mutationResolver) SwitchTenant(ctx context.Context, input model.SwitchTenantInput) (*model.SwitchTenantPayload, error) {
	return r.switchTenant(ctx, input)
}

func (r *oAuthClientResolver) CreatedBy(ctx context.Context, obj *ent.OAuthClient) (*ent.User, error) {
	return optional(ctx, loader.From(ctx).User, obj.CreatedBy)
}

func (r *queryResolver) APIKeys(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.APIKey], error) {
	return model.NewConnection(r.Credentials.APIKeys(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) OauthClients(ctx context.Context, first *int, after *string, last *int, before *string) (*model.Connection[*ent.OAuthClient], error) {
	return model.NewConnection(r.Credentials.Clients(ctx, pageArgs(ctx, first, after, last, before)))
}

func (r *queryResolver) Sessions(ctx context.Context, userID *uuid.UUID) ([]*auth.OpenSession, error) {
	return r.openSessions(ctx, userID)
}

func (r *viewerResolver) Tenants(ctx context.Context, obj *model.Viewer) ([]*auth.TenantAccess, error) {
	return r.tenants(ctx, obj)
}

func (r *Resolver) ActiveSession() generated.ActiveSessionResolver { return &activeSessionResolver{r} }

func (r *Resolver) ApiKey() generated.ApiKeyResolver { return &apiKeyResolver{r} }

func (r *Resolver) OAuthClient() generated.OAuthClientResolver { return &oAuthClientResolver{r} }

type (
	activeSessionResolver struct{ *Resolver }
	apiKeyResolver        struct{ *Resolver }
	oAuthClientResolver   struct{ *Resolver }
)
