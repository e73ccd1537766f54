package access

import (
	"context"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/ent/tenant"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// TenantSpec is what those who run a tenant can change of it. A zero field of
// Settings means its default.
type TenantSpec struct {
	Name     string
	Locale   string
	TimeZone string
	Currency string
	Settings settings.Tenant
}

// UpdateTenant lets change alter the actor's tenant whose version is the expected one.
func (s *Service) UpdateTenant(ctx context.Context, expected int, change func(*TenantSpec)) (*ent.Tenant, error) {
	if err := may(ctx, tenancy.TenantWrite); err != nil {
		return nil, err
	}
	t, err := tenantOf(ctx, s.ent)
	if err != nil {
		return nil, err
	}
	if t.Version != expected {
		return nil, fault.Stale("Tenant")
	}
	spec := TenantSpec{t.Name, t.DefaultLocale, t.TimeZone, t.Currency, t.Settings.Effective()}
	change(&spec)
	if err := spec.check(t.Plan); err != nil {
		return nil, err
	}
	n, err := s.ent.Tenant.Update().Where(tenant.ID(t.ID), tenant.Version(expected)).SetName(spec.Name).SetDefaultLocale(spec.Locale).
		SetTimeZone(spec.TimeZone).SetCurrency(spec.Currency).SetSettings(spec.Settings).Save(ctx)
	switch {
	case err != nil:
		return nil, err
	case n == 0: // it was there a moment ago, under another version
		return nil, fault.Stale("Tenant")
	}
	return tenantOf(ctx, s.ent)
}

// most of messages per second and at once that a plan allows a tenant to set.
var most = map[enum.Plan]struct {
	rate  float64
	burst int
}{
	enum.PlanFree:       {1_000, 4_000},
	enum.PlanStandard:   {20_000, 40_000},
	enum.PlanEnterprise: {100_000, 400_000},
}

func (t *TenantSpec) check(plan enum.Plan) error {
	var m mistakes
	t.Name = m.name("name", t.Name)
	t.Locale = m.locale("defaultLocale", t.Locale)
	t.TimeZone = m.timeZone("timeZone", t.TimeZone)
	t.Currency = m.currency("currency", t.Currency)
	s := &t.Settings
	between(&m, "settings.rawRetentionDays", s.RawRetentionDays, 1, 30)
	between(&m, "settings.predictionRetentionDays", s.PredictionRetentionDays, 1, 90)
	between(&m, "settings.healthyFrom", s.HealthyFrom, 1, 100)
	between(&m, "settings.warningFrom", s.WarningFrom, 1, 100)
	between(&m, "settings.riskMediumFrom", s.RiskMediumFrom, 0.001, 1)
	between(&m, "settings.riskHighFrom", s.RiskHighFrom, 0.001, 1)
	between(&m, "settings.riskCriticalFrom", s.RiskCriticalFrom, 0.001, 1)
	between(&m, "settings.messagesPerSecond", s.MessagesPerSecond, 1, most[plan].rate)
	between(&m, "settings.messageBurst", s.MessageBurst, 1, most[plan].burst)
	if len(m.l) == 0 {
		if s.WarningFrom >= s.HealthyFrom {
			m.bad("settings.healthyFrom", "error.access.limits")
		}
		if s.RiskMediumFrom >= s.RiskHighFrom || s.RiskHighFrom >= s.RiskCriticalFrom {
			m.bad("settings.riskCriticalFrom", "error.access.limits")
		}
	}
	return m.err()
}

// between refuses numbers outside of the bounds; NaN is outside.
func between[T int | float64](m *mistakes, field string, v, least, most T) {
	if !(v >= least && v <= most) {
		m.add(fault.Invalid("input."+field, "error.range").With("Min", least).With("Max", most))
	}
}

// tenantOf reads the tenant that the context acts in.
func tenantOf(ctx context.Context, c *ent.Client) (*ent.Tenant, error) {
	t, err := c.Tenant.Query().Only(ctx)
	return t, missing(err, "Tenant")
}
