package resolver

import (
	"context"
	"time"

	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Sessions begins, continues and ends sessions of people. *auth.Service is one.
type Sessions interface {
	Login(ctx context.Context, in auth.Login) (*auth.Session, error)
	Refresh(ctx context.Context, token string) (*auth.Session, error)
	Logout(ctx context.Context, token string) error
	SwitchTenant(ctx context.Context, token string, tenant id.UUID) (*auth.Session, error)
	Tenants(ctx context.Context, user id.UUID) ([]*auth.TenantAccess, error)
	Sessions(ctx context.Context, user id.UUID) ([]*auth.OpenSession, error)
	EndSession(ctx context.Context, session id.UUID) error
	EndSessions(ctx context.Context, user id.UUID) (int, error)
}

// Browser is what the door knows of the client behind the request.
type Browser interface {
	Remote(ctx context.Context) string
	RefreshCookie(ctx context.Context) string
	// SetRefreshCookie keeps the token in the browser, "" removes it; false where
	// no cookie can be set.
	SetRefreshCookie(ctx context.Context, token string, ttl time.Duration) bool
	// Session is the session of the request's credential, id.Nil when it has none.
	Session(ctx context.Context) id.UUID
}

func (r *Resolver) viewer(ctx context.Context) (*model.Viewer, error) {
	a := tenancy.From(ctx)
	if a == nil {
		return nil, nil
	}
	t, err := r.Plant.Tenant(ctx)
	if err != nil {
		return nil, err
	}
	v := &model.Viewer{Actor: a, Tenant: t, Permissions: a.Scopes.Strings(), SiteIDs: a.SiteIDs, SitePermissions: sitePermissions(a)}
	if u, person := a.UserID(); person {
		found, err := r.Plant.UsersByID(ctx, []id.UUID{u})
		if err != nil {
			return nil, err
		}
		v.User, v.Role = found[u], &a.Role // no user where the person is a guest
	}
	return v, nil
}

func (r *Resolver) login(ctx context.Context, in model.LoginInput) (*model.LoginPayload, error) {
	s, err := r.Sessions.Login(ctx, auth.Login{Email: in.Email, Password: in.Password,
		TenantCode: text(in.TenantCode.Value()), Remote: r.Browser.Remote(ctx)})
	cookie := in.UseCookie.Value()
	session, mistakes, err := r.session(ctx, s, cookie != nil && *cookie, err)
	return &model.LoginPayload{Session: session, UserErrors: mistakes}, err
}

func (r *Resolver) refresh(ctx context.Context, in model.RefreshTokenInput) (*model.RefreshTokenPayload, error) {
	token, cookie := r.refreshToken(ctx, in.RefreshToken.Value())
	s, err := r.Sessions.Refresh(ctx, token)
	if err != nil && cookie && fault.KindOf(err) != fault.Unavailable {
		r.Browser.SetRefreshCookie(ctx, "", 0)
	}
	session, mistakes, err := r.session(ctx, s, cookie, err)
	return &model.RefreshTokenPayload{Session: session, UserErrors: mistakes}, err
}

func (r *Resolver) logout(ctx context.Context, in model.LogoutInput) (*model.LogoutPayload, error) {
	token, cookie := r.refreshToken(ctx, in.RefreshToken.Value())
	err := r.Sessions.Logout(ctx, token)
	if cookie {
		r.Browser.SetRefreshCookie(ctx, "", 0)
	}
	mistakes, err := gqlerr.UserErrors(ctx, err)
	return &model.LogoutPayload{Ok: err == nil && len(mistakes) == 0, UserErrors: mistakes}, err
}

// refreshToken returns the token given, or else the browser's, and whether it is
// the browser's.
func (r *Resolver) refreshToken(ctx context.Context, given *string) (token string, cookie bool) {
	if given != nil && *given != "" {
		return *given, false
	}
	return r.Browser.RefreshCookie(ctx), true
}

// session shows a session, with its refresh token in a cookie or in the answer.
func (r *Resolver) session(ctx context.Context, s *auth.Session, cookie bool, err error) (*model.Session, []*gqlerr.UserError, error) {
	mistakes, err := gqlerr.UserErrors(ctx, err)
	if err != nil || s == nil {
		return nil, mistakes, err
	}
	v, err := r.viewer(tenancy.With(ctx, s.Grant.Actor))
	if err != nil {
		return nil, mistakes, err
	}
	out := &model.Session{AccessToken: s.AccessToken, ExpiresIn: int(s.ExpiresIn.Seconds()), Viewer: v}
	if !cookie || !r.Browser.SetRefreshCookie(ctx, s.RefreshToken, r.RefreshTTL) {
		out.RefreshToken = &s.RefreshToken
	}
	return out, mistakes, nil
}
