package rules

import (
	"bytes"
	"slices"

	"foresight/internal/id"
)

// Set is the active rules of one tenant, indexed so that those for a sample are
// found without looking at the others. It is immutable and safe for concurrent use;
// a nil Set is empty.
type Set struct {
	rules []*Rule
	by    [sources]index
	typed bool
}

// index files each rule under the narrowest field of its scope.
type index struct {
	sensor map[id.UUID][]*Rule
	asset  map[id.UUID][]*Rule
	site   map[id.UUID][]*Rule
	kind   map[string][]*Rule
	tenant []*Rule
}

// NewSet indexes the rules. The caller does not change them afterwards.
func NewSet(all []*Rule) *Set {
	s := &Set{rules: slices.Clone(all)}
	slices.SortFunc(s.rules, func(a, b *Rule) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for i := range s.by {
		s.by[i] = index{
			sensor: map[id.UUID][]*Rule{}, asset: map[id.UUID][]*Rule{},
			site: map[id.UUID][]*Rule{}, kind: map[string][]*Rule{},
		}
	}
	for _, r := range s.rules {
		x := &s.by[r.Source()]
		s.typed = s.typed || r.Scope.AssetType != ""
		switch c := &r.Scope; {
		case c.Sensor != id.Nil:
			x.sensor[c.Sensor] = append(x.sensor[c.Sensor], r)
		case c.Asset != id.Nil:
			x.asset[c.Asset] = append(x.asset[c.Asset], r)
		case c.Site != id.Nil:
			x.site[c.Site] = append(x.site[c.Site], r)
		case c.AssetType != "":
			x.kind[c.AssetType] = append(x.kind[c.AssetType], r)
		default:
			x.tenant = append(x.tenant, r)
		}
	}
	return s
}

// Match appends to dst the rules that take samples from the source and whose scope
// contains the place, in a fixed order. It does not allocate when dst has room.
func (s *Set) Match(dst []*Rule, from Source, p *Place) []*Rule {
	if s == nil {
		return dst
	}
	x := &s.by[from]
	dst = append(dst, x.tenant...) // nothing limits these
	if len(x.kind) > 0 {
		dst = append(dst, x.kind[p.AssetType]...) // nor these any further
	}
	if len(x.site) > 0 {
		dst = appendWithin(dst, x.site[p.Site], p)
	}
	if len(x.asset) > 0 {
		dst = appendWithin(dst, x.asset[p.Asset], p)
	}
	if len(x.sensor) > 0 {
		dst = appendWithin(dst, x.sensor[p.Sensor], p)
	}
	return dst
}

func appendWithin(dst, from []*Rule, p *Place) []*Rule {
	for _, r := range from {
		if r.Scope.Contains(p) {
			dst = append(dst, r)
		}
	}
	return dst
}

// Has reports whether any rule takes samples from the source.
func (s *Set) Has(from Source) bool {
	if s == nil {
		return false
	}
	x := &s.by[from]
	return len(x.tenant)+len(x.kind)+len(x.site)+len(x.asset)+len(x.sensor) > 0
}

// NeedsAssetType reports whether any rule is limited to an asset type, so that a
// Place without one would miss it.
func (s *Set) NeedsAssetType() bool { return s != nil && s.typed }

// Len returns the number of rules.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.rules)
}

// All returns the rules in the order of their ids. The slice is not the caller's.
func (s *Set) All() []*Rule {
	if s == nil {
		return nil
	}
	return s.rules
}
