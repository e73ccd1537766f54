package webhook

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"foresight/internal/fault"
)

// The most characters, as the columns have them.
const (
	maxName = 200
	maxURL  = 2000
)

// check returns everything that is wrong with what is set of a change as a fault.List.
func (s *Service) check(c *Change) error {
	var l fault.List
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name = &name
		if name == "" || utf8.RuneCountInString(name) > maxName {
			l = append(l, fault.Invalid("input.name", "error.name"))
		}
	}
	if c.URL != nil {
		if f := s.checkURL(*c.URL); f != nil {
			l = append(l, f.At("input.url"))
		}
	}
	if c.Events != nil {
		c.Events = unique(c.Events)
		if len(c.Events) == 0 {
			l = append(l, fault.Invalid("input.events", "error.required"))
		}
		for _, e := range c.Events {
			if !e.Known() {
				l = append(l, fault.Invalid("input.events", "error.input.malformed"))
				break
			}
		}
	}
	return l.Err()
}

// checkURL refuses what is no address to post to, or leads where nothing may be
// posted to. Where a name leads is seen when it is dialled.
func (s *Service) checkURL(text string) *fault.Error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Hostname() == "" || u.User != nil || u.Opaque != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || len(s.sender.allowed) == 0) {
		return fault.New(fault.BadInput, "error.webhook.url")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		if !(guard{s.sender.allowed, u.Scheme == "http"}).allows(a) {
			return fault.New(fault.BadInput, "error.webhook.target")
		}
	}
	return nil
}

func unique(es []Event) []Event {
	out := []Event{}
	seen := map[Event]bool{}
	for _, e := range es {
		if !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}
