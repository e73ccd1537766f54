package resolver

import (
	"context"

	"foresight/ent/settings"
	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/access"
	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// signIn begins the session of a person whose password has just been set.
func (r *Resolver) signIn(ctx context.Context, email, password, tenantCode string, useCookie *bool) (*model.Session, []*gqlerr.UserError, error) {
	s, err := r.Sessions.Login(ctx, auth.Login{Email: email, Password: password, TenantCode: tenantCode, Remote: r.Browser.Remote(ctx)})
	return r.session(ctx, s, useCookie != nil && *useCookie, err)
}

func (r *Resolver) acceptInvite(ctx context.Context, in model.AcceptInviteInput) (*model.AcceptInvitePayload, error) {
	if guest := in.AsGuest.Value(); guest != nil && *guest {
		if tenancy.From(ctx) == nil {
			return nil, fault.New(fault.Unauthenticated, "error.unauthenticated")
		}
		j, err := r.Access.AcceptInviteAsGuest(ctx, in.Token)
		mistakes, err := mistakesOf(ctx, err)
		return &model.AcceptInvitePayload{TenantCode: codeOf(j), UserErrors: mistakes}, err
	}
	password := text(in.Password.Value())
	j, err := r.Access.AcceptInvite(ctx, in.Token, access.NewPerson{FullName: text(in.FullName.Value()), Password: password,
		Username: text(in.Username.Value()), Locale: text(in.Locale.Value())}, r.Browser.Remote(ctx))
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || j == nil {
		return &model.AcceptInvitePayload{UserErrors: mistakes}, err
	}
	s, mistakes, err := r.signIn(ctx, j.User.Email, password, j.TenantCode, in.UseCookie.Value())
	return &model.AcceptInvitePayload{Session: s, TenantCode: &j.TenantCode, UserErrors: mistakes}, err
}

func codeOf(j *access.Joined) *string {
	if j == nil {
		return nil
	}
	return &j.TenantCode
}

func (r *Resolver) changePassword(ctx context.Context, in model.ChangePasswordInput) (*model.ChangePasswordPayload, error) {
	u, err := r.Access.ChangePassword(ctx, in.CurrentPassword, in.Password)
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || u == nil {
		return &model.ChangePasswordPayload{UserErrors: mistakes}, err
	}
	s, mistakes, err := r.signIn(ctx, u.Email, in.Password, tenancy.Must(ctx).TenantCode, in.UseCookie.Value())
	return &model.ChangePasswordPayload{Session: s, UserErrors: mistakes}, err
}

func (r *Resolver) resetPassword(ctx context.Context, in model.ResetPasswordInput) (*model.ResetPasswordPayload, error) {
	who, err := r.Access.ResetPassword(ctx, in.Token, in.Password, r.Browser.Remote(ctx))
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || who == nil {
		return &model.ResetPasswordPayload{UserErrors: mistakes}, err
	}
	s, mistakes, err := r.signIn(ctx, who.Email, in.Password, who.TenantCode, in.UseCookie.Value())
	return &model.ResetPasswordPayload{Session: s, UserErrors: mistakes}, err
}

// personOf takes what the input names.
func personOf(in model.UpdateUserInput) func(*access.Person) {
	return func(p *access.Person) {
		set(in.Email, &p.Email)
		set(in.FullName, &p.FullName)
		set(in.Username, &p.Username)
		set(in.Role, &p.Role)
		set(in.IsActive, &p.IsActive)
		if in.Locale.IsSet() {
			p.Locale = text(in.Locale.Value())
		}
	}
}

func userFilter(f *model.UserFilter) access.PersonFilter {
	if f == nil {
		return access.PersonFilter{}
	}
	return access.PersonFilter{Search: text(f.Search.Value()), Roles: f.Roles.Value(), IsActive: f.IsActive.Value()}
}

func membershipFilter(f *model.MembershipFilter) access.PersonFilter {
	if f == nil {
		return access.PersonFilter{}
	}
	return access.PersonFilter{Search: text(f.Search.Value()), Roles: f.Roles.Value(), IsActive: f.IsActive.Value()}
}

func inviteFilter(f *model.InviteFilter) access.InviteFilter {
	if f == nil {
		return access.InviteFilter{}
	}
	out := access.InviteFilter{Search: text(f.Search.Value()), Roles: f.Roles.Value()}
	if s := f.State.Value(); s != nil {
		out.State = *s
	}
	return out
}

func mySpec(in model.UpdateMySettingsInput) func(*access.MySpec) {
	return func(s *access.MySpec) {
		set(in.AutoRefresh, &s.AutoRefresh)
		set(in.RefreshIntervalSec, &s.RefreshIntervalSec)
		set(in.AnomalyThreshold, &s.AnomalyThreshold)
		set(in.EnableNotifications, &s.EnableNotifications)
		set(in.Theme, &s.Theme)
		set(in.DateFormat, &s.DateFormat)
		set(in.Units, &s.Units)
		if in.QuietHours.IsSet() {
			s.QuietHours = nil
			if q := in.QuietHours.Value(); q != nil {
				s.QuietHours = &settings.QuietHours{From: q.From, To: q.To, TimeZone: q.TimeZone}
			}
		}
	}
}

func actionsOf(in []*model.FaultActionInput) []access.Action {
	out := make([]access.Action, len(in))
	for i, a := range in {
		out[i] = access.Action{ID: a.ID.Value(), Type: a.Type, Enabled: a.Enabled, Address: a.Address.Value(), Secret: a.Secret.Value()}
	}
	return out
}

// asViewer acts as whom the object is about: right after a sign-in the request itself
// has no credential yet.
func asViewer(ctx context.Context, v *model.Viewer) context.Context {
	if tenancy.From(ctx) == nil {
		return tenancy.With(ctx, v.Actor)
	}
	return ctx
}
