package resolver

import (
	"context"
	"slices"
	"time"

	"foresight/ent"
	"foresight/graph/model"
	"foresight/graph/share"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// firstGateways is how many gateways the subscription begins with, at most.
const firstGateways = 500

// watchGateways begins with the state of the scope's gateways, then gives changes.
func (r *Resolver) watchGateways(ctx context.Context, in *model.ScopeInput) (<-chan *model.GatewayStatusItem, error) {
	scope, err := r.watched(ctx, tenancy.PlantRead, in)
	if err != nil {
		return nil, err
	}
	gap := &model.GatewayStatusItem{Resync: true}
	return share.Serve(ctx, share.Stream[*model.GatewayStatusItem]{Gap: &gap,
		Listen: func(ctx context.Context) (share.Next[*model.GatewayStatusItem], error) {
			return listen(ctx, r.Hub, event.Gateway, telemetry.Scope{Site: scope.Site, Sites: scope.Sites},
				func(ctx context.Context, i event.Item) (l share.Live[*model.GatewayStatusItem], ok bool) {
					if c := i.Event.Gateway; c != nil {
						l.About = c.ID
						l.Value = r.gatewayChange(ctx, scope, c, i.Gap)
					} else if i.Gap {
						l.Value = gap
					}
					return l, l.Value != nil
				})
		},
		Begin: func(ctx context.Context) (b share.Beginning[*model.GatewayStatusItem], err error) {
			first, err := r.Plant.GatewaysIn(ctx, scope, firstGateways)
			if err != nil {
				return b, err
			}
			ids := make([]id.UUID, len(first))
			for i, g := range first {
				ids[i] = g.ID
			}
			states, err := r.Plant.GatewayStates(ctx, ids)
			if err != nil {
				return b, err
			}
			items := make([]*model.GatewayStatusItem, len(first))
			for i, g := range first {
				items[i] = gatewaySnapshot(g, states)
			}
			b.Items = share.All(items)
			return b, nil
		},
	})
}

func gatewaySnapshot(g *ent.Gateway, states map[id.UUID]plant.GatewayState) *model.GatewayStatusItem {
	item := &model.GatewayStatusItem{Gateway: g, Snapshot: true}
	if st, heard := states[g.ID]; heard {
		item.IsOnline, item.LastSeenAt, item.ConnectedAt = st.IsOnline, &st.LastSeenAt, st.ConnectedAt
	}
	return item
}

// gatewayChange shows a change; nil when the gateway is out of sight or serves nothing
// of the scope.
func (r *Resolver) gatewayChange(ctx context.Context, scope telemetry.Scope, c *event.GatewayChange, gap bool) *model.GatewayStatusItem {
	g, err := r.gatewayOf(ctx, scope, c.ID)
	switch {
	case err != nil, g == nil && gap: // what changed is not known: the client asks
		return &model.GatewayStatusItem{Resync: true}
	case g == nil:
		return nil
	}
	return &model.GatewayStatusItem{Gateway: g, IsOnline: c.IsOnline, LastSeenAt: orNoTime(c.LastSeenAt),
		ConnectedAt: orNoTime(c.ConnectedAt), Resync: gap}
}

// gatewayOf looks for the gateway among those that serve the scope now.
func (r *Resolver) gatewayOf(ctx context.Context, scope telemetry.Scope, of id.UUID) (*ent.Gateway, error) {
	if scope.Asset == id.Nil && scope.Sensor == id.Nil {
		found, err := r.Plant.GatewaysByID(ctx, []id.UUID{of})
		return found[of], err
	}
	serving, err := r.Plant.GatewaysIn(ctx, scope, firstGateways)
	if i := slices.IndexFunc(serving, func(g *ent.Gateway) bool { return g.ID == of }); i >= 0 {
		return serving[i], nil
	}
	return nil, err
}

func orNoTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
