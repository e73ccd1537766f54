package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/access"
	"foresight/internal/alarms"
	"foresight/internal/tenancy"
)

// Hasher makes the stored form of a password.
type Hasher interface {
	Hash(ctx context.Context, password string) (string, error)
}

// Tenants makes tenants. *access.Service is one.
type Tenants interface {
	Found(ctx context.Context, n access.NewTenant, also access.Also) (*access.Founded, error)
}

// Seeder writes the demo's tenants.
type Seeder struct {
	Tenants Tenants
	Hasher  Hasher
	// HashSecret makes the stored form of a machine's secret.
	HashSecret func(string) string
	// Exists reports whether there is a tenant of the code.
	Exists func(ctx context.Context, code string) (bool, error)
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
		admin := t.person(tenancy.Admin, "Ada Admin")
		admin.Password = Password
		if _, err := s.Tenants.Found(ctx, access.NewTenant{Code: t.code, Name: t.name, Plan: enum.PlanEnterprise, Locale: t.locale, TimeZone: t.zone, Currency: t.currency, Admin: admin},
			func(ctx context.Context, c *ent.Client, _ pgx.Tx, _ *access.Founded) error {
				return s.fill(ctx, c, t, people, devices)
			}); err != nil {
			return fmt.Errorf("demo: seed %s: %w", t.code, err)
		}
	}
	return nil
}

// fill adds what the demo has beside what every tenant begins with.
func (s *Seeder) fill(ctx context.Context, c *ent.Client, t tenant, people, devices string) error {
	for _, p := range []access.NewPerson{t.person(tenancy.Engineer, "Erik Engineer"), t.person(tenancy.Operator, "Olga Operator"),
		t.person(tenancy.Viewer, "Vera Viewer")} {
		p.PasswordHash = people
		if _, err := access.Join(ctx, c, p); err != nil {
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

func (t tenant) person(role tenancy.Role, name string) access.NewPerson {
	return access.NewPerson{Username: string(role), Email: string(role) + "@" + t.code + ".example", FullName: name, Role: role}
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
	for _, spec := range []alarms.RuleSpec{
		{Name: "Vibration above zone C", Parameter: "vibration_rms", Operator: enum.OperatorGT, Threshold: 7.1,
			Severity: enum.SeverityHigh, Deadband: 0.5, OnDelaySec: 10, OffDelaySec: 30, MinConsecutive: 3, IsActive: true},
		{Name: "Bearing too hot", Parameter: "bearing_temp", Operator: enum.OperatorGTE, Threshold: 95,
			Severity: enum.SeverityCritical, Deadband: 3, OnDelaySec: 10, MinConsecutive: 3, IsActive: true},
		{Name: "Sensor silent", Parameter: "silence", Operator: enum.OperatorGT, Threshold: 120,
			Severity: enum.SeverityMedium, MinConsecutive: 1, IsActive: true},
	} {
		if _, err := service.Create(ctx, spec); err != nil {
			return err
		}
	}
	return nil
}
