package resolver

import (
	"context"

	"foresight/graph/model"
	"foresight/internal/access"
)

func (r *Resolver) register(ctx context.Context, in model.RegisterInput) (*model.RegisterPayload, error) {
	f, err := r.Access.Register(ctx, access.NewTenant{Code: in.TenantCode, Name: in.TenantName, Locale: in.Locale, TimeZone: in.TimeZone, Currency: in.Currency,
		Admin: access.NewPerson{Email: in.Email, FullName: in.FullName, Username: text(in.Username.Value()), Password: in.Password}}, r.Browser.Remote(ctx))
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || f == nil {
		return &model.RegisterPayload{UserErrors: mistakes}, err
	}
	s, mistakes, err := r.signIn(ctx, f.Admin.Email, in.Password, f.Tenant.Code, in.UseCookie.Value())
	return &model.RegisterPayload{Session: s, UserErrors: mistakes}, err
}

func (r *Resolver) createTenant(ctx context.Context, in model.CreateTenantInput) (*model.CreateTenantPayload, error) {
	f, err := r.Access.CreateTenant(ctx, access.NewTenant{Code: in.TenantCode, Name: in.TenantName, Plan: in.Plan, Locale: in.Locale, TimeZone: in.TimeZone,
		Currency: in.Currency, Admin: access.NewPerson{Email: in.Email, FullName: in.FullName}})
	mistakes, err := mistakesOf(ctx, err)
	if err != nil || f == nil {
		return &model.CreateTenantPayload{UserErrors: mistakes}, err
	}
	return &model.CreateTenantPayload{Tenant: f.Tenant, Link: orNone(f.Link), UserErrors: mistakes}, nil
}

// tenantSpec takes what the input names.
func tenantSpec(in model.UpdateTenantInput) func(*access.TenantSpec) {
	return func(t *access.TenantSpec) {
		set(in.Name, &t.Name)
		set(in.DefaultLocale, &t.Locale)
		set(in.TimeZone, &t.TimeZone)
		set(in.Currency, &t.Currency)
		given := in.Settings.Value()
		if given == nil {
			return
		}
		s := &t.Settings
		set(given.RawRetentionDays, &s.RawRetentionDays)
		set(given.PredictionRetentionDays, &s.PredictionRetentionDays)
		set(given.HealthyFrom, &s.HealthyFrom)
		set(given.WarningFrom, &s.WarningFrom)
		set(given.RiskMediumFrom, &s.RiskMediumFrom)
		set(given.RiskHighFrom, &s.RiskHighFrom)
		set(given.RiskCriticalFrom, &s.RiskCriticalFrom)
		set(given.MessagesPerSecond, &s.MessagesPerSecond)
		set(given.MessageBurst, &s.MessageBurst)
		set(given.AutomaticWorkOrders, &s.AutomaticWorkOrders)
	}
}
