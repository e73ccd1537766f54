package demo

import (
	"context"
	"fmt"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/alarms"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Hasher makes the stored form of a password.
type Hasher interface {
	Hash(ctx context.Context, password string) (string, error)
}

// Seeder writes the demo's tenants.
type Seeder struct {
	Client *ent.Client
	Hasher Hasher
	// HashSecret makes the stored form of a machine's secret.
	HashSecret func(string) string
	// Exists reports whether there is a tenant of the code.
	Exists func(ctx context.Context, code string) (bool, error)
	// Tenant completes a new tenant: what every tenant begins with.
	Tenant func(ctx context.Context, tenant id.UUID) error
}

// Seed makes the tenants that are not there yet.
func (s *Seeder) Seed(ctx context.Context) error {
	people, err := s.Hasher.Hash(ctx, Password)
	if err != nil {
		return err
	}
	devices, err := s.Hasher.Hash(ctx, GatewayPassword)
	if err != nil {
		return err
	}
	for _, t := range tenants() {
		there, err := s.Exists(ctx, t.code)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		tenantID := id.New(id.Tenant)
		tenantCtx := tenancy.AsSystem(ctx, tenantID)
		tx, err := s.Client.Tx(tenantCtx)
		if err != nil {
			return err
		}
		if err := s.tenant(tenantCtx, tx.Client(), tenantID, t, people, devices); err != nil {
			_ = tx.Rollback() // the error is what counts
			return fmt.Errorf("demo: seed %s: %w", t.code, err)
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		if err := s.Tenant(ctx, tenantID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Seeder) tenant(ctx context.Context, c *ent.Client, tenantID id.UUID, t tenant, people, devices string) error {
	if err := c.Tenant.Create().SetID(tenantID).SetCode(t.code).SetName(t.name).SetPlan(enum.PlanStandard).
		SetDefaultLocale(t.locale).SetTimeZone(t.zone).SetCurrency(t.currency).Exec(ctx); err != nil {
		return err
	}
	for _, r := range []struct {
		role tenancy.Role
		name string
	}{{tenancy.Admin, "Ada Admin"}, {tenancy.Engineer, "Erik Engineer"}, {tenancy.Operator, "Olga Operator"}, {tenancy.Viewer, "Vera Viewer"}} {
		u, err := c.User.Create().SetUsername(string(r.role)).SetEmail(string(r.role) + "@" + t.code + ".example").SetFullName(r.name).
			SetPasswordHash(people).SetRole(r.role).SetStatus(enum.UserActive).Save(ctx)
		if err != nil {
			return err
		}
		if err := c.Membership.Create().SetUserID(u.ID).SetDisplayName(r.name).SetRole(r.role).Exec(ctx); err != nil {
			return err
		}
	}
	scopes := tenancy.RoleScopes(tenancy.Engineer).Strings()
	if err := c.OAuthClient.Create().SetClientID(t.code + "-client").SetSecretHash(s.HashSecret(ClientSecret)).
		SetName("Demo partner").SetScopes(scopes).Exec(ctx); err != nil {
		return err
	}
	for _, at := range t.sites {
		if err := plant(ctx, c, t, at, devices); err != nil {
			return err
		}
	}
	return rules(ctx, c)
}

func plant(ctx context.Context, c *ent.Client, t tenant, at site, devices string) error {
	row, err := c.Site.Create().SetSiteCode(at.code).SetName(at.name).SetLocation(at.location).
		SetLatitude(at.latitude).SetLongitude(at.longitude).Save(ctx)
	if err != nil {
		return err
	}
	gateway, err := c.Gateway.Create().SetSiteID(row.ID).SetGatewayCode(at.gateway).
		SetMqttUsername(t.code + "." + at.gateway).SetMqttPasswordHash(devices).Save(ctx)
	if err != nil {
		return err
	}
	for i, m := range at.machines {
		asset := c.Asset.Create().SetSiteID(row.ID).SetGatewayID(gateway.ID).SetAssetCode(m.code).SetName(m.name).SetAssetType(m.kind).
			SetCriticality(m.criticality).SetManufacturer(m.maker).SetModel(m.model).SetSerialNumber(fmt.Sprintf("%s-%04d", m.maker[:3], 1000+i)).
			SetRatedPowerKw(m.kw).SetInstalledOn(time.Date(2015+i%9, time.Month(1+i%12), 1+i%28, 0, 0, 0, 0, time.UTC)).
			SetDowntimeCostPerHour(float64(500 + 250*(i%7)))
		if g := m.group(); g > 0 {
			asset.SetIsoMachineGroup(g).SetIsoSupportType(enum.SupportRigid)
		}
		a, err := asset.Save(ctx)
		if err != nil {
			return err
		}
		if err := c.Sensor.Create().SetAssetID(a.ID).SetGatewayID(gateway.ID).SetSensorCode(m.sensor()).SetSensorType(enum.SensorMachine).
			SetMountLocation("motor and pump, drive and non-drive end").SetExpectedIntervalSec(1).SetPositionX(50).SetPositionY(50).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rules are what the demo's tenants watch for beside what every tenant begins with.
func rules(ctx context.Context, c *ent.Client) error {
	service := alarms.NewRuleService(c)
	specs := append(alarms.DefaultRules(),
		alarms.RuleSpec{Name: "Vibration above zone C", Parameter: "vibration_rms", Operator: enum.OperatorGT, Threshold: 7.1,
			Severity: enum.SeverityHigh, Deadband: 0.5, OnDelaySec: 10, OffDelaySec: 30, MinConsecutive: 3, IsActive: true},
		alarms.RuleSpec{Name: "Bearing too hot", Parameter: "bearing_temp", Operator: enum.OperatorGTE, Threshold: 95,
			Severity: enum.SeverityCritical, Deadband: 3, OnDelaySec: 10, MinConsecutive: 3, IsActive: true},
		alarms.RuleSpec{Name: "Sensor silent", Parameter: "silence", Operator: enum.OperatorGT, Threshold: 120,
			Severity: enum.SeverityMedium, MinConsecutive: 1, IsActive: true})
	for _, spec := range specs {
		if _, err := service.Create(ctx, spec); err != nil {
			return err
		}
	}
	return nil
}
