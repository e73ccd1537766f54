package plant

import (
	"context"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/site"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Tree is the plant as sites with their machines, each with its parts below it.
type Tree struct {
	Sites     []*TreeSite // by code
	Truncated bool        // there are more nodes than were asked for
}

// TreeSite is a site with what its machines amount to.
type TreeSite struct {
	Site  *ent.Site
	Nodes []*TreeNode // depth first, by code; the roots of the hierarchy have depth 0
	TreeSum
}

// TreeNode is a machine with what it and its parts amount to.
type TreeNode struct {
	Asset  *ent.Asset
	Parent *id.UUID // among the nodes; nil for a root
	Depth  int
	TreeSum
}

// TreeSum is what machines amount to. Of a node it counts the node itself.
type TreeSum struct {
	Assets       int
	ActiveAlarms int               // 0 for actors that may not read alarms
	Severity     enum.Severity     // of the worst active alarm, "" without one
	Health       enum.HealthStatus // the worst of the newest, "" where none was calculated
}

// TreeQuery says what of the plant to show.
type TreeQuery struct {
	Site     *id.UUID // nil: all sites
	Root     *id.UUID // a machine, to show it and its parts only
	MaxDepth int      // levels below the roots
	Limit    int      // nodes
}

// Bounds of a TreeQuery.
const (
	MaxTreeDepth = 10
	MaxTreeNodes = 2000
	// maxForest bounds the machines that are looked at for one answer: beyond it one
	// asks for a site.
	maxForest = 50_000
)

// Tree shows the hierarchy. Sums count also the parts that are too deep or too many to
// be shown.
func (s *Service) Tree(ctx context.Context, q TreeQuery) (*Tree, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return nil, err
	}
	if q.MaxDepth < 0 || q.MaxDepth > MaxTreeDepth {
		return nil, fault.Invalid("maxDepth", "error.range").With("Min", 0).With("Max", MaxTreeDepth)
	}
	if q.Limit < 1 || q.Limit > MaxTreeNodes {
		return nil, fault.Invalid("limit", "error.range").With("Min", 1).With("Max", MaxTreeNodes)
	}
	at := q.Site
	if q.Root != nil {
		root, err := s.Asset(ctx, q.Root, nil)
		if err != nil {
			return nil, err
		}
		if at != nil && *at != root.SiteID {
			return nil, fault.Missing("Asset")
		}
		at = &root.SiteID
	}
	query := s.ent.Site.Query().Order(site.BySiteCode())
	if at != nil {
		query.Where(site.ID(*at))
	}
	places, err := query.All(ctx)
	if err != nil {
		return nil, err
	}
	if at != nil && len(places) == 0 {
		return nil, fault.Missing("Site")
	}
	f, err := s.forest(ctx, at)
	if err != nil {
		return nil, err
	}
	out := f.tree(places, q)
	return out, s.fill(ctx, out)
}

// tree is one machine in the forest.
type tree struct {
	id, site id.UUID
	parent   *id.UUID
	parts    []*tree
	sum      TreeSum
	worst    treeRanks
	summed   bool
}

type treeRanks struct{ severity, health int64 }

// forest is all machines of the sites, in the order of their codes.
type forest struct {
	byID  map[id.UUID]*tree
	roots map[id.UUID][]*tree // by site
}

// healthRank turns healthy, warning, critical into 1-3.
const healthRank = `(CASE h.health_status WHEN 'healthy' THEN 1 WHEN 'warning' THEN 2 WHEN 'critical' THEN 3 ELSE 0 END)::bigint`

var healths = [...]enum.HealthStatus{"", enum.HealthHealthy, enum.HealthWarning, enum.HealthCritical}

// forest reads the hierarchy with alarms and health in one statement.
func (s *Service) forest(ctx context.Context, at *id.UUID) (*forest, error) {
	a := tenancy.Must(ctx)
	limit := list(a.SiteIDs)
	if at != nil {
		limit = []id.UUID{*at}
	}
	rows, err := s.pool.Query(ctx, `
		SELECT a.id, a.site_id, a.parent_id, coalesce(al.active, 0), coalesce(al.worst, 0), coalesce(`+healthRank+`, 0)
		FROM assets a
		LEFT JOIN (
			SELECT asset_id, count(*) AS active, max(`+rankOf("severity")+`) AS worst FROM alarm_events
			WHERE tenant_id = $1 AND status IN ('open', 'acknowledged', 'cleared') AND $3
			GROUP BY 1
		) al ON al.asset_id = a.id
		LEFT JOIN LATERAL (
			SELECT health_status FROM asset_health h
			WHERE h.tenant_id = a.tenant_id AND h.asset_id = a.id ORDER BY calculated_at DESC LIMIT 1
		) h ON true
		WHERE a.tenant_id = $1 AND NOT a.is_deleted AND (cardinality($2::uuid[]) = 0 OR a.site_id = ANY ($2))
		ORDER BY a.asset_code LIMIT $4`, a.TenantID, limit, a.Can(tenancy.AlarmsRead), maxForest+1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	f := &forest{byID: map[id.UUID]*tree{}, roots: map[id.UUID][]*tree{}}
	var all []*tree
	for rows.Next() {
		t := &tree{}
		if err := rows.Scan(&t.id, &t.site, &t.parent, &t.sum.ActiveAlarms, &t.worst.severity, &t.worst.health); err != nil {
			return nil, err
		}
		f.byID[t.id], all = t, append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(all) > maxForest {
		return nil, fault.New(fault.BadInput, "error.tree.tooLarge").With("Max", maxForest)
	}
	for _, t := range all {
		if t.parent != nil {
			if p := f.byID[*t.parent]; p != nil && p.site == t.site {
				p.parts = append(p.parts, t)
				continue
			}
			t.parent = nil // it is out of sight
		}
		f.roots[t.site] = append(f.roots[t.site], t)
	}
	for _, roots := range f.roots {
		for _, t := range roots {
			t.add(0)
		}
	}
	return f, nil
}

// add sums up the parts. Circles cannot be stored; the depth is bounded all the same.
func (t *tree) add(depth int) {
	if t.summed || depth > 1000 {
		return
	}
	t.summed = true
	t.sum.Assets = 1
	for _, p := range t.parts {
		p.add(depth + 1)
		t.sum.Assets += p.sum.Assets
		t.sum.ActiveAlarms += p.sum.ActiveAlarms
		t.worst = t.worst.or(p.worst)
	}
	t.sum.Severity, t.sum.Health = severities[t.worst.severity], healths[t.worst.health]
}

func (r treeRanks) or(o treeRanks) treeRanks {
	return treeRanks{max(r.severity, o.severity), max(r.health, o.health)}
}

// tree shows the forest as deep and as large as asked for.
func (f *forest) tree(places []*ent.Site, q TreeQuery) *Tree {
	out := &Tree{}
	left := q.Limit
	for _, p := range places {
		s := &TreeSite{Site: p}
		var worst treeRanks
		for _, t := range f.roots[p.ID] {
			s.Assets += t.sum.Assets
			s.ActiveAlarms += t.sum.ActiveAlarms
			worst = worst.or(t.worst)
		}
		s.Severity, s.Health = severities[worst.severity], healths[worst.health]
		roots := f.roots[p.ID]
		if q.Root != nil {
			roots = nil
			if t := f.byID[*q.Root]; t != nil {
				t.parent, roots = nil, []*tree{t}
			}
		}
		for _, t := range roots {
			t.show(s, 0, q.MaxDepth, &left)
		}
		out.Truncated = out.Truncated || left < 0
		out.Sites = append(out.Sites, s)
	}
	return out
}

// show appends the machine and its parts; left is below zero when there was no room.
func (t *tree) show(s *TreeSite, depth, most int, left *int) {
	if *left <= 0 {
		*left = -1
		return
	}
	*left--
	s.Nodes = append(s.Nodes, &TreeNode{Asset: &ent.Asset{ID: t.id}, Parent: t.parent, Depth: depth, TreeSum: t.sum})
	if depth == most {
		return
	}
	for _, p := range t.parts {
		p.show(s, depth+1, most, left)
	}
}

// fill reads the machines that are shown. One that was deleted meanwhile is left out.
func (s *Service) fill(ctx context.Context, t *Tree) error {
	var ids []id.UUID
	for _, p := range t.Sites {
		for _, n := range p.Nodes {
			ids = append(ids, n.Asset.ID)
		}
	}
	found, err := s.AssetsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range t.Sites {
		kept := p.Nodes[:0]
		for _, n := range p.Nodes {
			if n.Asset = found[n.Asset.ID]; n.Asset != nil {
				kept = append(kept, n)
			}
		}
		p.Nodes = kept
	}
	return nil
}
