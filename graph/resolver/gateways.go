package resolver

import (
	"context"
	"time"

	"foresight/ent"
	"foresight/graph/model"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// firstGateways is how many gateways the subscription begins with, at most.
const firstGateways = 500

// watchGateways begins with the state of the scope's gateways, then gives changes. The
// hub is subscribed first, so that nothing falls between.
func (r *Resolver) watchGateways(ctx context.Context, in *model.ScopeInput) (<-chan *model.GatewayStatusItem, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return nil, err
	}
	scope, err := r.scope(ctx, in)
	if err != nil {
		return nil, err
	}
	live, err := r.Hub.Subscribe(ctx, event.Filter{Tenant: tenancy.Must(ctx).TenantID, Kind: event.Gateway,
		Scope: telemetry.Scope{Site: scope.Site, Sites: scope.Sites}})
	if err != nil {
		return nil, err
	}
	first, err := r.Plant.GatewaysIn(ctx, scope, firstGateways)
	if err != nil {
		return nil, err
	}
	ids := make([]id.UUID, len(first))
	only := make(map[id.UUID]bool, len(first))
	for i, g := range first {
		ids[i], only[g.ID] = g.ID, true
	}
	states, err := r.Plant.GatewayStates(ctx, ids)
	if err != nil {
		return nil, err
	}
	few := scope.Asset != id.Nil || scope.Sensor != id.Nil
	return pump(ctx, live, func(send func(*model.GatewayStatusItem) bool) {
		for _, g := range first {
			if !send(gatewaySnapshot(g, states)) {
				return
			}
		}
	}, func(i event.Item) *model.GatewayStatusItem {
		c := i.Event.Gateway
		if c == nil || few && !only[c.ID] {
			if i.Gap {
				return &model.GatewayStatusItem{Resync: true}
			}
			return nil
		}
		return r.gatewayChange(ctx, c, i.Gap)
	}), nil
}

func gatewaySnapshot(g *ent.Gateway, states map[id.UUID]plant.GatewayState) *model.GatewayStatusItem {
	item := &model.GatewayStatusItem{Gateway: g, Snapshot: true}
	if st, heard := states[g.ID]; heard {
		item.IsOnline, item.LastSeenAt, item.ConnectedAt = st.IsOnline, &st.LastSeenAt, st.ConnectedAt
	}
	return item
}

// gatewayChange shows a change; nil when the gateway is out of sight.
func (r *Resolver) gatewayChange(ctx context.Context, c *event.GatewayChange, gap bool) *model.GatewayStatusItem {
	found, err := r.Plant.GatewaysByID(ctx, []id.UUID{c.ID})
	if err != nil { // what changed is not known: the client asks
		return &model.GatewayStatusItem{Resync: true}
	}
	g := found[c.ID]
	if g == nil && !gap {
		return nil
	}
	return &model.GatewayStatusItem{Gateway: g, IsOnline: g != nil && c.IsOnline, LastSeenAt: orNoTime(c.LastSeenAt),
		ConnectedAt: orNoTime(c.ConnectedAt), Resync: gap}
}

func orNoTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
