package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// errSite is what a token holds that names a site wrongly.
var errSite = errors.New("bad site")

// siteText writes the id of a site in 22 characters: a token may name hundreds.
func siteText(s id.UUID) string { return base64.RawURLEncoding.EncodeToString(s[:]) }

func parseSite(text string) (s id.UUID, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(s) {
		return s, errSite
	}
	return id.UUID(b), nil
}

// place writes the sites of the actor into the claims.
func (c *claims) place(a *tenancy.Actor) {
	for _, s := range a.SiteIDs {
		c.Sites = append(c.Sites, siteText(s))
	}
	held := map[id.UUID]tenancy.Set{}
	for p, sites := range a.OnSites {
		for _, s := range sites {
			if held[s] == nil {
				held[s] = tenancy.Set{}
			}
			held[s][p] = struct{}{}
		}
	}
	for s, set := range held {
		if c.OnSites == nil {
			c.OnSites = map[string]string{}
		}
		c.OnSites[siteText(s)] = strings.Join(set.Strings(), " ")
	}
}

// placed reads them back.
func (c *claims) placed(a *tenancy.Actor) error {
	for _, text := range c.Sites {
		s, err := parseSite(text)
		if err != nil {
			return err
		}
		a.SiteIDs = append(a.SiteIDs, s)
	}
	for text, scope := range c.OnSites {
		s, err := parseSite(text)
		if err != nil {
			return err
		}
		for p := range scopeSet(strings.Fields(scope)) {
			if a.OnSites == nil {
				a.OnSites = map[tenancy.Permission][]id.UUID{}
			}
			a.OnSites[p] = append(a.OnSites[p], s)
		}
	}
	for _, sites := range a.OnSites {
		slices.SortFunc(sites, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	}
	return nil
}
