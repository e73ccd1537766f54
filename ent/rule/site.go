package rule

import (
	"context"
	"slices"

	"entgo.io/ent"
	"entgo.io/ent/entql"
	"github.com/google/uuid"

	gen "foresight/ent"
	"foresight/ent/alarmevent"
	"foresight/ent/asset"
	"foresight/ent/gateway"
	"foresight/ent/privacy"
	"foresight/ent/sensor"
	"foresight/internal/tenancy"
)

// Where builds the predicate of the rows that lie on the sites.
type Where func(sites []any) entql.P

// On matches rows whose column is one of the sites.
func On(column string) Where {
	return func(sites []any) entql.P { return entql.FieldIn(column, sites...) }
}

// Through matches rows whose edge leads to a row that matches.
func Through(edge string, w Where) Where {
	return func(sites []any) entql.P { return entql.HasEdgeWith(edge, w(sites)) }
}

// OrNull matches rows without the column, or that match.
func OrNull(column string, w Where) Where {
	return func(sites []any) entql.P { return entql.Or(entql.FieldNil(column), w(sites)) }
}

// All matches rows that match each.
func All(a, b Where, more ...Where) Where {
	return func(sites []any) entql.P { return entql.And(a(sites), b(sites), each(more, sites)...) }
}

// Any matches rows that match one.
func Any(a, b Where, more ...Where) Where {
	return func(sites []any) entql.P { return entql.Or(a(sites), b(sites), each(more, sites)...) }
}

func each(ws []Where, sites []any) []entql.P {
	out := make([]entql.P, len(ws))
	for i, w := range ws {
		out[i] = w(sites)
	}
	return out
}

// Sites is the policy of entities that lie on a site. It leaves actors of the
// whole tenant alone; others read what matches read, change what matches write,
// and may point a row only at what they can see. A new row without any reference
// to a site is refused, as it would concern the whole tenant.
func Sites(read, write Where) ent.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{limited(read)},
		Mutation: privacy.MutationPolicy{
			privacy.MutationRuleFunc(reachable),
			limited(write),
		},
	}
}

// limited narrows to the actor's sites.
func limited(w Where) privacy.QueryMutationRule {
	return privacy.FilterFunc(func(ctx context.Context, f privacy.Filter) error {
		if sites := limit(ctx); len(sites) > 0 {
			args := make([]any, len(sites))
			for i, s := range sites {
				args[i] = s
			}
			f.Where(w(args))
		}
		return privacy.Skip
	})
}

// limit returns the sites that the actor is limited to, nil for the whole tenant.
func limit(ctx context.Context) []uuid.UUID {
	if a := tenancy.From(ctx); a != nil {
		return a.SiteIDs
	}
	return nil
}

// reachable refuses references, set by an actor limited to sites, to rows that
// the actor cannot see.
func reachable(ctx context.Context, m ent.Mutation) error {
	sites := limit(ctx)
	if len(sites) == 0 || !m.Op().Is(ent.OpCreate|ent.OpUpdate|ent.OpUpdateOne) {
		return privacy.Skip
	}
	owner, ok := m.(interface{ Client() *gen.Client })
	if !ok {
		return privacy.Denyf("rule: %s has no client", m.Type())
	}
	c := owner.Client()
	placed := false
	for column, visible := range map[string]func(uuid.UUID) (bool, error){
		"site_id":    func(v uuid.UUID) (bool, error) { return slices.Contains(sites, v), nil },
		"gateway_id": func(v uuid.UUID) (bool, error) { return c.Gateway.Query().Where(gateway.ID(v)).Exist(ctx) },
		"asset_id":   func(v uuid.UUID) (bool, error) { return c.Asset.Query().Where(asset.ID(v)).Exist(ctx) },
		"parent_id":  func(v uuid.UUID) (bool, error) { return c.Asset.Query().Where(asset.ID(v)).Exist(ctx) },
		"event_id":   func(v uuid.UUID) (bool, error) { return c.AlarmEvent.Query().Where(alarmevent.ID(v)).Exist(ctx) },
		"sensor_id":  func(v uuid.UUID) (bool, error) { return c.Sensor.Query().Where(sensor.ID(v)).Exist(ctx) },
	} {
		v, set := m.Field(column)
		if !set {
			continue
		}
		ref, ok := v.(uuid.UUID)
		if !ok {
			return privacy.Denyf("rule: %s.%s is %T, not an id", m.Type(), column, v)
		}
		switch ok, err := visible(ref); {
		case err != nil:
			return err
		case !ok:
			return privacy.Denyf("rule: %s points beyond the actor's sites", m.Type())
		}
		placed = true
	}
	for _, column := range []string{"site_id", "asset_id", "sensor_id"} {
		if m.FieldCleared(column) && !placed {
			return privacy.Denyf("rule: %s without %s may reach beyond the actor's sites", m.Type(), column)
		}
	}
	if m.Op().Is(ent.OpCreate) && !placed {
		return privacy.Denyf("rule: a new %s lies on none of the actor's sites", m.Type())
	}
	return privacy.Skip
}
