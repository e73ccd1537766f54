package resolver

import (
	"context"
	"maps"
	"slices"

	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// sitePermissions lists what an actor holds on some sites only.
func sitePermissions(a *tenancy.Actor) []*model.SitePermission {
	out := make([]*model.SitePermission, 0, len(a.OnSites))
	for _, p := range slices.Sorted(maps.Keys(a.OnSites)) {
		out = append(out, &model.SitePermission{Permission: string(p), SiteIds: a.OnSites[p]})
	}
	return out
}

// tenants lists where the person may go.
func (r *Resolver) tenants(ctx context.Context, v *model.Viewer) ([]*auth.TenantAccess, error) {
	user, person := v.Actor.UserID()
	if !person {
		return []*auth.TenantAccess{}, nil
	}
	return r.Sessions.Tenants(ctx, user)
}

// own returns the person of the request, or the one that is named.
func own(ctx context.Context, named *id.UUID) (id.UUID, error) {
	if named != nil {
		return *named, nil
	}
	if u, person := tenancy.Must(ctx).UserID(); person {
		return u, nil
	}
	return id.Nil, fault.New(fault.BadInput, "error.auth.noPerson")
}

func (r *Resolver) openSessions(ctx context.Context, of *id.UUID) ([]*auth.OpenSession, error) {
	u, err := own(ctx, of)
	if err != nil {
		return nil, err
	}
	return r.Sessions.Sessions(ctx, u)
}

func (r *Resolver) revokeAllSessions(ctx context.Context, in model.RevokeAllSessionsInput) (*model.RevokeAllSessionsPayload, error) {
	u, err := own(ctx, in.UserID.Value())
	n := 0
	if err == nil {
		n, err = r.Sessions.EndSessions(ctx, u)
	}
	if err == nil && in.UserID.Value() == nil && r.Browser.RefreshCookie(ctx) != "" {
		r.Browser.SetRefreshCookie(ctx, "", 0)
	}
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.RevokeAllSessionsPayload{Count: n, UserErrors: mistakes}, err
}

func (r *Resolver) revokeSession(ctx context.Context, in model.RevokeSessionInput) (*model.RevokeSessionPayload, error) {
	mistakes, err := gqlerr.UserErrors(ctx, r.Sessions.EndSession(ctx, in.ID))
	out := &model.RevokeSessionPayload{UserErrors: mistakes}
	if err == nil && len(mistakes) == 0 {
		out.ID = &in.ID
	}
	return out, err
}

func (r *Resolver) switchTenant(ctx context.Context, in model.SwitchTenantInput) (*model.SwitchTenantPayload, error) {
	token, cookie := r.refreshToken(ctx, in.RefreshToken.Value())
	s, err := r.Sessions.SwitchTenant(ctx, token, in.TenantID)
	session, mistakes, err := r.session(ctx, s, cookie, err)
	return &model.SwitchTenantPayload{Session: session, UserErrors: mistakes}, err
}

func (r *Resolver) createAPIKey(ctx context.Context, in model.CreateAPIKeyInput) (*model.CreateAPIKeyPayload, error) {
	k, key, err := r.Credentials.CreateAPIKey(ctx, auth.NewCredential{Name: in.Name, Scopes: in.Scopes, ExpiresAt: in.ExpiresAt.Value()})
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.CreateAPIKeyPayload{APIKey: k, Key: orNone(key), UserErrors: mistakes}, err
}

func (r *Resolver) revokeAPIKey(ctx context.Context, in model.RevokeAPIKeyInput) (*model.RevokeAPIKeyPayload, error) {
	k, err := r.Credentials.RevokeAPIKey(ctx, in.ID)
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.RevokeAPIKeyPayload{APIKey: k, UserErrors: mistakes}, err
}

func (r *Resolver) createOAuthClient(ctx context.Context, in model.CreateOAuthClientInput) (*model.CreateOAuthClientPayload, error) {
	c, secret, err := r.Credentials.CreateClient(ctx, auth.NewCredential{Name: in.Name, Scopes: in.Scopes})
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.CreateOAuthClientPayload{Client: c, Secret: orNone(secret), UserErrors: mistakes}, err
}

func (r *Resolver) rotateOAuthClientSecret(ctx context.Context, in model.RotateOAuthClientSecretInput) (*model.RotateOAuthClientSecretPayload, error) {
	c, secret, err := r.Credentials.RotateClientSecret(ctx, in.ID, in.ExpectedVersion)
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.RotateOAuthClientSecretPayload{Client: c, Secret: orNone(secret), UserErrors: mistakes}, err
}

func (r *Resolver) deactivateOAuthClient(ctx context.Context, in model.DeactivateOAuthClientInput) (*model.DeactivateOAuthClientPayload, error) {
	c, err := r.Credentials.DeactivateClient(ctx, in.ID)
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.DeactivateOAuthClientPayload{Client: c, UserErrors: mistakes}, err
}
