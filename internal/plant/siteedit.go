package plant

import (
	"context"
	"strings"
	"time"
	_ "time/tzdata" // time zones must be known on machines without them, too

	"foresight/ent"
	"foresight/ent/site"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// SiteSpec is what people say of a site.
type SiteSpec struct {
	Code, Name          string
	Location            string
	Latitude, Longitude *float64 // degrees, WGS 84
	TimeZone            *string  // IANA; nil: the tenant's
	IsActive            bool     // readings of sites out of use are refused
}

// CreateSite adds a site. Mistakes come as a fault.List with the fields to mend.
func (s *Service) CreateSite(ctx context.Context, spec SiteSpec) (*ent.Site, error) {
	return created(ctx, s, siteKind, spec)
}

// UpdateSite changes a site of the expected version. Its code stays.
func (s *Service) UpdateSite(ctx context.Context, which id.UUID, expected int, change func(*SiteSpec)) (*ent.Site, error) {
	return changed(ctx, s, siteKind, which, expected, change)
}

// DeleteSite deletes a site with its gateways, assets and sensors, and what hangs on
// those.
func (s *Service) DeleteSite(ctx context.Context, which id.UUID, expected *int) (*ent.Site, error) {
	return removed(ctx, s, siteKind, which, expected)
}

var siteKind = kind[ent.Site, SiteSpec]{
	entity: "Site", table: site.Table,
	spec: func(e *ent.Site) SiteSpec {
		return SiteSpec{Code: e.SiteCode, Name: e.Name, Location: e.Location, Latitude: e.Latitude, Longitude: e.Longitude,
			TimeZone: e.TimeZone, IsActive: e.IsActive}
	},
	version: func(e *ent.Site) int { return e.Version },
	find: func(ctx context.Context, c *ent.Client, of id.UUID) (*ent.Site, error) {
		return c.Site.Query().Where(site.ID(of)).Only(ctx)
	},
	check: func(ctx context.Context, _ work, old *ent.Site, spec *SiteSpec) error {
		if old == nil { // a new site would be none of the actor's
			if err := wholeTenant(ctx); err != nil {
				return err
			}
		}
		return spec.check()
	},
	create: func(ctx context.Context, c *ent.Client, spec SiteSpec) (*ent.Site, error) {
		q := c.Site.Create().SetSiteCode(spec.Code)
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	save: func(ctx context.Context, w work, old *ent.Site, spec SiteSpec) (*ent.Site, error) {
		q := w.client.Site.UpdateOneID(old.ID).Where(site.Version(old.Version))
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	remove: func(ctx context.Context, w work, e *ent.Site) error {
		return w.client.Site.DeleteOneID(e.ID).Exec(ctx)
	},
	violated: func(string) *fault.Error {
		return fault.New(fault.Conflict, "error.site.codeTaken").At("input.code")
	},
}

func (s *SiteSpec) check() error {
	var p problems
	p.code(s.Code)
	p.name(&s.Name)
	s.Location = strings.TrimSpace(s.Location)
	p.text("location", &s.Location, maxName)
	p.between("latitude", s.Latitude, -90, 90)
	p.between("longitude", s.Longitude, -180, 180)
	p.check(s.TimeZone == nil || isZone(*s.TimeZone), "timeZone", "error.timeZone")
	return p.list.Err()
}

// isZone reports whether the name is one of the IANA time zone database.
func isZone(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

func (s *SiteSpec) write(m *ent.SiteMutation) {
	m.SetName(s.Name)
	m.SetLocation(s.Location)
	setOrClear(s.Latitude, m.SetLatitude, m.ClearLatitude)
	setOrClear(s.Longitude, m.SetLongitude, m.ClearLongitude)
	setOrClear(s.TimeZone, m.SetTimeZone, m.ClearTimeZone)
	m.SetIsActive(s.IsActive)
}
