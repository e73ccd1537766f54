package rules

import (
	"strings"
	"time"
	"unicode/utf8"

	"foresight/internal/fault"
	"foresight/internal/id"
)

// Limits of a rule.
const (
	MaxName        = 200 // characters
	MaxDelay       = 24 * time.Hour
	MaxConsecutive = 1000
	MaxFaultCodes  = 100
)

// Catalogue is what a tenant's rules may speak of.
type Catalogue struct {
	Parameters map[string]bool // reading parameters; Confidence, Silence and the scores go without saying
	FaultCodes map[string]bool
	AssetTypes map[string]bool
}

// Validate returns everything that is wrong with a rule, nil when nothing is. The
// fields are those of the graph's input (`input.threshold`).
func Validate(r *Rule, c *Catalogue) fault.List {
	v := validator{}
	name := strings.TrimSpace(r.Name)
	v.check(name != "", "name", "error.required")
	v.limit(utf8.RuneCountInString(name) <= MaxName, "name", "error.tooLong", "Max", MaxName)
	v.check(r.Operator.Valid(), "operator", "error.rule.operator")
	v.check(r.Severity.Valid(), "severity", "error.rule.severity")
	v.check(r.Source() != Readings || c.Parameters[r.Parameter], "parameter", "error.rule.parameterUnknown")
	v.threshold(r)
	v.check(finite(r.Deadband) && r.Deadband >= 0, "deadband", "error.rule.deadband")
	v.limit(r.OnDelay >= 0 && r.OnDelay <= MaxDelay, "onDelaySec", "error.rule.delay", "Max", int(MaxDelay/time.Second))
	v.limit(r.OffDelay >= 0 && r.OffDelay <= MaxDelay, "offDelaySec", "error.rule.delay", "Max", int(MaxDelay/time.Second))
	v.limit(r.MinConsecutive >= 1 && r.MinConsecutive <= MaxConsecutive, "minConsecutive", "error.rule.minConsecutive", "Max", MaxConsecutive)
	v.faults(r, c)
	v.scope(r, c)
	return v.list
}

type validator struct{ list fault.List }

func (v *validator) check(ok bool, field, key string) {
	if !ok {
		v.list = append(v.list, fault.Invalid("input."+field, key))
	}
}

func (v *validator) limit(ok bool, field, key, arg string, value any) {
	if !ok {
		v.list = append(v.list, fault.Invalid("input."+field, key).With(arg, value))
	}
}

func (v *validator) threshold(r *Rule) {
	switch {
	case !finite(r.Threshold):
		v.check(false, "threshold", "error.rule.threshold")
	case r.Source() == Predictions:
		v.check(r.Threshold >= 0 && r.Threshold <= 1, "threshold", "error.rule.thresholdProbability")
	case r.Source() == Silences:
		v.check(r.Threshold >= 0, "threshold", "error.rule.thresholdSilence")
	case r.Parameter == HealthScore:
		v.check(r.Threshold >= 0 && r.Threshold <= 100, "threshold", "error.rule.thresholdHealth")
	case r.Source() == Scores:
		v.check(r.Threshold >= 0 && r.Threshold <= 1, "threshold", "error.rule.thresholdFailure")
	}
}

func (v *validator) faults(r *Rule, c *Catalogue) {
	if r.Source() != Predictions {
		v.check(len(r.FaultCodes) == 0, "faultCodes", "error.rule.onlyForConfidence")
		v.check(!r.OnlyInDistribution, "onlyInDistribution", "error.rule.onlyForConfidence")
		return
	}
	v.limit(len(r.FaultCodes) <= MaxFaultCodes, "faultCodes", "error.tooMany", "Max", MaxFaultCodes)
	for _, code := range r.FaultCodes {
		if !c.FaultCodes[code] {
			v.check(false, "faultCodes", "error.rule.faultCodeUnknown")
			return
		}
	}
}

// scope allows the combinations that mean something: at most one of site, asset and
// sensor, and an asset type alone or within a site.
func (v *validator) scope(r *Rule, c *Catalogue) {
	given := 0
	for _, u := range []id.UUID{r.Scope.Site, r.Scope.Asset, r.Scope.Sensor} {
		if u != id.Nil {
			given++
		}
	}
	switch t := r.Scope.AssetType; {
	case r.Source() == Scores && r.Scope.Sensor != id.Nil:
		v.check(false, "sensorId", "error.rule.scopeMachine")
	case given > 1:
		v.check(false, "siteId", "error.rule.scopeOne")
	case t == "":
	case !c.AssetTypes[t]:
		v.check(false, "assetType", "error.rule.assetTypeUnknown")
	case r.Scope.Asset != id.Nil || r.Scope.Sensor != id.Nil:
		v.check(false, "assetType", "error.rule.scopeType")
	}
}
