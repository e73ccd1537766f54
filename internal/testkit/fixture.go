package testkit

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Plant is one tenant of the fixture with what it owns. All codes and names except
// the tenant's own are the same in both tenants, so that a look-up that forgets
// the tenant finds the wrong row.
type Plant struct {
	TenantID   id.UUID
	TenantCode string

	SiteID, GatewayID, AssetID id.UUID
	SensorIDs                  [2]id.UUID

	// Users by their role. They cannot log in: their password hash is none.
	Users map[tenancy.Role]id.UUID
}

// The codes that both tenants use.
const (
	SiteCode    = "north"
	GatewayCode = "gw-1"
	AssetCode   = "pump-1"
)

// SensorCodes are the codes of Plant.SensorIDs.
var SensorCodes = [2]string{"pump-1-a", "pump-1-b"}

// TwoTenants fills a database with tenants `acme` and `globex`.
func TwoTenants(t testing.TB, db *DB) (a, b Plant) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), db.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	a, b = newPlant("acme"), newPlant("globex")
	for _, p := range []Plant{a, b} {
		if err := p.insert(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// As returns a context in which the tenant's user of the role acts.
func (p Plant) As(ctx context.Context, r tenancy.Role) context.Context {
	return tenancy.With(ctx, &tenancy.Actor{
		Kind: tenancy.Person, ID: p.Users[r], TenantID: p.TenantID, TenantCode: p.TenantCode,
		Role: r, Scopes: tenancy.RoleScopes(r), Locale: "en",
	})
}

// Key places one of the sensors.
func (p Plant) Key(sensor int) telemetry.Key {
	return telemetry.Key{Tenant: p.TenantID, Site: p.SiteID, Asset: p.AssetID, Sensor: p.SensorIDs[sensor]}
}

func newPlant(code string) Plant {
	p := Plant{
		TenantID: id.New(id.Tenant), TenantCode: code,
		SiteID: id.New(id.Site), GatewayID: id.New(id.Gateway), AssetID: id.New(id.Asset),
		SensorIDs: [2]id.UUID{id.New(id.Sensor), id.New(id.Sensor)},
		Users:     map[tenancy.Role]id.UUID{},
	}
	for _, r := range []tenancy.Role{tenancy.Viewer, tenancy.Operator, tenancy.Engineer, tenancy.Admin} {
		p.Users[r] = id.New(id.User)
	}
	return p
}

// insert writes plain SQL as the owner: no policy of the ORM stands between.
func (p Plant) insert(ctx context.Context, c *pgx.Conn) error {
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO tenants (id, code, name, settings) VALUES ($1, $2, $2, '{}')`, p.TenantID, p.TenantCode)
	for role, user := range p.Users {
		b.Queue(`INSERT INTO users (id, tenant_id, username, email, full_name, password_hash, role)
			VALUES ($1, $2, $3, $3 || '@example.com', $3, '!', $3)`, user, p.TenantID, string(role))
		b.Queue(`INSERT INTO memberships (id, tenant_id, user_id, display_name, role) VALUES ($1, $2, $3, $4, $4)`,
			id.New(id.Membership), p.TenantID, user, string(role))
	}
	b.Queue(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, $3, 'North works')`, p.SiteID, p.TenantID, SiteCode)
	b.Queue(`INSERT INTO gateways (id, tenant_id, site_id, gateway_code) VALUES ($1, $2, $3, $4)`,
		p.GatewayID, p.TenantID, p.SiteID, GatewayCode)
	b.Queue(`INSERT INTO assets (id, tenant_id, site_id, gateway_id, asset_code, name, asset_type, iso_machine_group, iso_support_type)
		VALUES ($1, $2, $3, $4, $5, 'Feed pump', 'pump', 2, 'rigid')`, p.AssetID, p.TenantID, p.SiteID, p.GatewayID, AssetCode)
	for i, sensor := range p.SensorIDs {
		b.Queue(`INSERT INTO sensors (id, tenant_id, asset_id, gateway_id, sensor_code, validation_data) VALUES ($1, $2, $3, $4, $5, '{}')`,
			sensor, p.TenantID, p.AssetID, p.GatewayID, SensorCodes[i])
	}
	return c.SendBatch(ctx, b).Close()
}
