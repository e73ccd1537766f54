package rule

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/entql"
	"github.com/google/uuid"

	"foresight/ent/privacy"
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

// Null matches rows without the column.
func Null(column string) Where {
	return func([]any) entql.P { return entql.FieldNil(column) }
}

// OrNull matches rows without the column, or that match.
func OrNull(column string, w Where) Where { return Any(Null(column), w) }

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
func Sites(read, write Where) ent.Policy { return sites(read, write, true) }

// SitesIfAny is Sites for entities that need not lie on a site: a new row without
// a reference to one concerns nobody beyond the actor's sites.
func SitesIfAny(read, write Where) ent.Policy { return sites(read, write, false) }

func sites(read, write Where, placed bool) ent.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{limited(read)},
		Mutation: privacy.MutationPolicy{
			privacy.MutationRuleFunc(func(ctx context.Context, m ent.Mutation) error { return reachable(ctx, m, placed) }),
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
