package plant

import (
	"context"
	"math"
	"regexp"
	"unicode/utf8"

	"foresight/ent/asset"
	"foresight/ent/site"
	"foresight/internal/fault"
)

// codeForm is the form of codes in topics, imports and conversation.
var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// The most characters of texts, as the columns have them.
const (
	maxName   = 200
	maxSerial = 100
)

// check returns everything that is wrong with a change as a fault.List.
func (s *Service) check(ctx context.Context, c AssetChange, creation bool) error {
	var l fault.List
	bad := func(field, key string) { l = append(l, fault.Invalid("input."+field, key)) }
	// named tells whether a field that cannot be null is to be set, and blames a null.
	named := func(field string, isNull bool) bool {
		if !creation && !c.Set[field] {
			return false
		}
		if isNull {
			bad(field, "error.required")
		}
		return !isNull
	}
	if creation && (c.Code == nil || !codeForm.MatchString(*c.Code)) {
		bad("code", "error.code")
	}
	if named("name", c.Name == nil) && (*c.Name == "" || utf8.RuneCountInString(*c.Name) > maxName) {
		bad("name", "error.name")
	}
	named("type", c.Type == nil)
	named("criticality", c.Criticality == nil)
	for _, t := range []struct {
		field string
		text  *string
		most  int
	}{
		{"manufacturer", c.Manufacturer, maxName}, {"model", c.Model, maxName},
		{"serialNumber", c.SerialNumber, maxSerial}, {"location", c.Location, maxName},
	} {
		if t.text != nil && utf8.RuneCountInString(*t.text) > t.most {
			l = append(l, fault.Invalid("input."+t.field, "error.tooLong").With("Max", t.most))
		}
	}
	if p := c.RatedPowerKW; p != nil && !(*p > 0 && *p <= math.MaxFloat64) {
		bad("ratedPowerKw", "error.positive")
	}
	if p := c.DowntimeCostPerHour; p != nil && !(*p >= 0 && *p <= math.MaxFloat64) {
		bad("downtimeCostPerHour", "error.negative")
	}
	if named("siteId", c.Site == nil) {
		switch found, err := s.ent.Site.Query().Where(site.ID(*c.Site)).Exist(ctx); {
		case err != nil:
			return err
		case !found:
			l = append(l, fault.Missing("Site").At("input.siteId"))
		}
	}
	if c.Parent != nil {
		switch found, err := s.ent.Asset.Query().Where(asset.ID(*c.Parent)).Exist(ctx); {
		case err != nil:
			return err
		case !found:
			l = append(l, fault.Missing("Asset").At("input.parentId"))
		}
	}
	return l.Err()
}
