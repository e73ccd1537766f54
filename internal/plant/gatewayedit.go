package plant

import (
	"context"
	"net/netip"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/gateway"
	"foresight/ent/sensor"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// GatewaySpec is what people say of a gateway.
type GatewaySpec struct {
	Site            id.UUID // its credential may publish for this site only
	Code            string
	IPAddress       *string // IPv4 or IPv6
	FirmwareVersion *string
	IsActive        bool // gateways out of use may not connect
}

// CreateGateway adds a gateway, without a credential.
func (s *Service) CreateGateway(ctx context.Context, spec GatewaySpec) (*ent.Gateway, error) {
	return created(ctx, s, gatewayKind, spec)
}

// UpdateGateway changes a gateway of the expected version. Its code stays. What it
// served on another site it serves no more.
func (s *Service) UpdateGateway(ctx context.Context, which id.UUID, expected int, change func(*GatewaySpec)) (*ent.Gateway, error) {
	return changed(ctx, s, gatewayKind, which, expected, change)
}

// DeleteGateway deletes a gateway and its credential. Assets and sensors that it
// served stay without one.
func (s *Service) DeleteGateway(ctx context.Context, which id.UUID, expected *int) (*ent.Gateway, error) {
	return removed(ctx, s, gatewayKind, which, expected)
}

var gatewayKind = kind[ent.Gateway, GatewaySpec]{
	entity: "Gateway", table: gateway.Table,
	spec: func(e *ent.Gateway) GatewaySpec {
		return GatewaySpec{Site: e.SiteID, Code: e.GatewayCode, IPAddress: e.IPAddress, FirmwareVersion: e.FirmwareVersion, IsActive: e.IsActive}
	},
	version: func(e *ent.Gateway) int { return e.Version },
	find: func(ctx context.Context, c *ent.Client, of id.UUID) (*ent.Gateway, error) {
		return c.Gateway.Query().Where(gateway.ID(of)).Only(ctx)
	},
	check: func(ctx context.Context, w work, _ *ent.Gateway, spec *GatewaySpec) error { return spec.check(ctx, w) },
	create: func(ctx context.Context, c *ent.Client, spec GatewaySpec) (*ent.Gateway, error) {
		q := c.Gateway.Create().SetGatewayCode(spec.Code)
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	save: func(ctx context.Context, w work, old *ent.Gateway, spec GatewaySpec) (*ent.Gateway, error) {
		q := w.client.Gateway.UpdateOneID(old.ID).Where(gateway.Version(old.Version))
		spec.write(q.Mutation())
		e, err := q.Save(ctx)
		if err == nil && spec.Site != old.SiteID {
			err = unserve(ctx, w, old.ID)
		}
		return e, err
	},
	remove: func(ctx context.Context, w work, e *ent.Gateway) error {
		if err := unserve(ctx, w, e.ID); err != nil {
			return err
		}
		return w.client.Gateway.DeleteOneID(e.ID).Exec(ctx)
	},
	violated: func(string) *fault.Error {
		return fault.New(fault.Conflict, "error.gateway.codeTaken").At("input.code")
	},
}

// unserve takes the gateway from the assets and sensors that it served.
func unserve(ctx context.Context, w work, gatewayID id.UUID) error {
	if err := w.client.Asset.Update().Where(asset.GatewayID(gatewayID)).ClearGatewayID().Exec(ctx); err != nil {
		return err
	}
	return w.client.Sensor.Update().Where(sensor.GatewayID(gatewayID)).ClearGatewayID().Exec(ctx)
}

func (s *GatewaySpec) check(ctx context.Context, w work) error {
	var p problems
	p.code(s.Code)
	if s.IPAddress != nil {
		_, err := netip.ParseAddr(*s.IPAddress)
		p.check(err == nil && len(*s.IPAddress) <= 45, "ipAddress", "error.ipAddress")
	}
	p.text("firmwareVersion", s.FirmwareVersion, maxCode)
	if s.Site == id.Nil {
		p.bad("siteId", "error.required")
	} else if _, err := p.refers(ctx, w, reference{"Site", "siteId", &s.Site}); err != nil {
		return err
	}
	return p.list.Err()
}

func (s *GatewaySpec) write(m *ent.GatewayMutation) {
	m.SetSiteID(s.Site)
	setOrClear(s.IPAddress, m.SetIPAddress, m.ClearIPAddress)
	setOrClear(s.FirmwareVersion, m.SetFirmwareVersion, m.ClearFirmwareVersion)
	m.SetIsActive(s.IsActive)
}
