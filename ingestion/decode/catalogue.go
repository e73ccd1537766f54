package decode

import (
	"math"

	"foresight/internal/telemetry"
)

// slot is where a parameter's value goes and what is plausible for it.
type slot struct {
	telemetry.Parameter
	channel telemetry.Channel
	process bool // a process parameter; channel is meaningless
}

// Catalogue is the set of parameters of one tenant, arranged for decoding. It is
// immutable and safe for concurrent use.
type Catalogue struct {
	byName   map[string]*slot
	channels [telemetry.Channels]*slot
}

// NewCatalogue returns the built-in parameters and the tenant's own. An own
// parameter with a built-in name replaces its range, so a tenant can narrow what is
// plausible on its machines. A range without a bound on one side has an infinity there.
func NewCatalogue(own ...telemetry.Parameter) *Catalogue {
	c := &Catalogue{byName: make(map[string]*slot, telemetry.Channels+16)}
	for _, p := range append(telemetry.BuiltIn(), own...) {
		s := &slot{Parameter: p, process: true}
		if ch, ok := telemetry.ChannelByName(p.Name); ok {
			s.channel, s.process = ch, false
			c.channels[ch] = s
		}
		c.byName[p.Name] = s
	}
	return c
}

// Parameter finds a parameter by name.
func (c *Catalogue) Parameter(name string) (telemetry.Parameter, bool) {
	s, ok := c.byName[name]
	if !ok {
		return telemetry.Parameter{}, false
	}
	return s.Parameter, true
}

// plausible reports whether v lies within the range; NaN does not.
func (s *slot) plausible(v float64) bool {
	return v >= s.Min && v <= s.Max && !math.IsInf(v, 0)
}
