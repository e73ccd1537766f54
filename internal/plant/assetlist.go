package plant

import (
	"context"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/mixin"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Beside is what a list of machines shows beside the machines themselves.
type Beside struct{ Site, Health, Alarms, Seen bool }

// Neighbour is what stands beside a machine; what was not asked for is zero.
type Neighbour struct {
	Asset  *ent.Asset
	Site   *ent.Site
	Health *Health // nil: never calculated
	Alarms AlarmLoad
	Seen   Seen
}

// Assets lists machines, with what is shown beside each, in one statement and
// another for the sites. The ORM would take one for each and most of the time for
// itself, and this is the list that everybody looks at all day.
func (s *Service) Assets(ctx context.Context, a page.Args, f AssetFilter, by AssetOrder, desc bool, with Beside) (page.Page[*ent.Asset], []Neighbour, error) {
	var none page.Page[*ent.Asset]
	if err := f.allowed(ctx, by); err != nil {
		return none, nil, err
	}
	order, key := assetOrder(by)
	order = order.Directed(desc)
	w, apply, err := keyset.Begin(ctx, tenancy.PlantRead, a, order)
	if err != nil {
		return none, nil, err
	}
	total := 0
	if w.Total {
		if total, err = s.ent.Asset.Query().Where(f.predicates()...).Count(ctx); err != nil {
			return none, nil, err
		}
	}
	t := sql.Table(asset.Table)
	q := sql.Dialect(dialect.Postgres).Select(t.Columns(asset.Columns...)...).From(t).
		Where(sql.EQ(t.C(asset.FieldTenantID), tenancy.Must(ctx).TenantID)).
		Where(sql.IsFalse(t.C(asset.FieldIsDeleted)))
	if at := sites(ctx); len(at) > 0 {
		q.Where(sql.In(t.C(asset.FieldSiteID), anys(at)...))
	}
	for _, p := range f.predicates() {
		p(q)
	}
	apply(q)
	rows, err := s.assetRows(ctx, q, order.Clause("p", w.Backward), order[0].Expr != nil, w.Limit(), with)
	if err != nil {
		return none, nil, err
	}
	assets, beside, rank := make([]*ent.Asset, len(rows)), make([]Neighbour, len(rows)), map[*ent.Asset]int64{}
	for i := range rows {
		r := &rows[i]
		assets[i], beside[i] = &r.asset, r.neighbour()
		rank[assets[i]] = r.rank
	}
	if with.Site {
		if err := s.putSites(ctx, beside); err != nil {
			return none, nil, err
		}
	}
	return page.Of(w, assets, total, func(e *ent.Asset) page.Key { return key(e, rank[e]) }), beside, nil
}

// putSites loads the sites of machines.
func (s *Service) putSites(ctx context.Context, beside []Neighbour) error {
	var ids []id.UUID
	known := map[id.UUID]bool{}
	for i := range beside {
		if at := beside[i].Asset.SiteID; !known[at] {
			known[at] = true
			ids = append(ids, at)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := s.SitesByID(mixin.WithDeleted(ctx), ids) // restored machines may still be without theirs
	for i := range beside {
		beside[i].Site = found[beside[i].Asset.SiteID]
	}
	return err
}
