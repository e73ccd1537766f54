package tenancy

import (
	"bytes"
	"maps"
	"slices"

	"foresight/internal/fault"
	"foresight/internal/id"
)

// indivisible are permissions over what lies on no site. They are held in the
// whole tenant or not at all: a grant on a site does not give them.
var indivisible = NewSet(UsersRead, UsersWrite, RolesRead, RolesWrite, CredentialsRead, CredentialsWrite,
	WebhooksRead, WebhooksWrite, AuditRead, TenantWrite, ModelsWrite, ModelsDeploy)

// RoleGrant gives the permissions of a role to a person, on top of the system role
// of the membership.
type RoleGrant struct {
	Permissions Set
	SiteID      id.UUID // id.Nil for the whole tenant
}

// Hold gives the actor the system role and the grants.
//
// Without grants, or with one for the whole tenant, the system role is held in the
// whole tenant. When every grant is on a site, those sites are where the person
// works: the system role is held there, too, and everything else is invisible
// (SiteIDs). An admin runs the tenant and is never limited.
//
// A grant on a site never widens: what is held on some of the actor's sites only is
// kept apart in OnSites, which nothing takes into account but Under, and that
// narrows the actor to those sites. What concerns the whole tenant by its nature
// (people, roles, credentials, models) is not given by grants on sites.
func (a *Actor) Hold(role Role, grants []RoleGrant) {
	held := RoleScopes(role)
	confined := role != Admin && len(grants) > 0
	onSites := map[Permission][]id.UUID{}
	var sites []id.UUID
	for _, g := range grants {
		if g.SiteID == id.Nil {
			confined = false
			maps.Copy(held, g.Permissions)
			continue
		}
		sites = insert(sites, g.SiteID)
		for p := range g.Permissions {
			if !indivisible.Has(p) {
				onSites[p] = insert(onSites[p], g.SiteID)
			}
		}
	}
	a.Role, a.Scopes, a.SiteIDs, a.OnSites = role, held, nil, nil
	if confined {
		a.SiteIDs = sites
		maps.DeleteFunc(held, func(p Permission, _ struct{}) bool { return indivisible.Has(p) })
	}
	for p, on := range onSites {
		switch {
		case held.Has(p):
		case confined && len(on) == len(sites):
			held[p] = struct{}{}
		default:
			if a.OnSites == nil {
				a.OnSites = map[Permission][]id.UUID{}
			}
			a.OnSites[p] = on
		}
	}
}

// SitesFor returns where the actor holds the permission: the sites, nil for the
// whole tenant, and false when it holds it nowhere.
func (a *Actor) SitesFor(p Permission) (sites []id.UUID, ok bool) {
	if a.Can(p) {
		return a.SiteIDs, true
	}
	sites, ok = a.OnSites[p]
	return sites, ok
}

// Under returns the actor as it is while it uses all of the permissions together:
// itself when it holds them wherever it acts, else narrowed to the sites where it
// holds every one. The error is FORBIDDEN when there is no such site.
func (a *Actor) Under(ps ...Permission) (*Actor, error) {
	sites, narrowed := a.SiteIDs, false
	for _, p := range ps {
		if a.Can(p) {
			continue
		}
		on := a.OnSites[p]
		if len(sites) > 0 {
			on = common(sites, on)
		}
		if len(on) == 0 {
			return nil, fault.Denied(string(p))
		}
		sites, narrowed = on, true
	}
	if !narrowed {
		return a, nil
	}
	n := *a
	n.SiteIDs, n.OnSites, n.Scopes = sites, nil, maps.Clone(a.Scopes)
	for p, on := range a.OnSites {
		if len(common(sites, on)) == len(sites) {
			n.Scopes[p] = struct{}{}
		}
	}
	return &n, nil
}

func compare(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) }

// insert puts an id into a sorted list without repeating it.
func insert(list []id.UUID, v id.UUID) []id.UUID {
	i, found := slices.BinarySearchFunc(list, v, compare)
	if found {
		return list
	}
	return slices.Insert(list, i, v)
}

// common returns what two sorted lists share.
func common(a, b []id.UUID) (both []id.UUID) {
	for _, v := range a {
		if _, found := slices.BinarySearchFunc(b, v, compare); found {
			both = append(both, v)
		}
	}
	return both
}
