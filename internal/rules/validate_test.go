package rules

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

func keyOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Key
	}
	return ""
}

func TestValidate(t *testing.T) {
	catalogue := &Catalogue{
		Parameters: map[string]bool{"flow": true},
		FaultCodes: map[string]bool{telemetry.Normal: true, "cavitation": true},
		AssetTypes: map[string]bool{"pump": true},
	}
	on := func(parameter string, change func(*Rule)) Rule {
		r := Rule{Name: "Dry", Parameter: parameter, Operator: LT, Threshold: 0.5, Severity: High, MinConsecutive: 1}
		change(&r)
		return r
	}
	flow := func(change func(*Rule)) Rule { return on("flow", change) }
	for _, c := range []struct {
		name string
		rule Rule
		want []string // field and key
	}{
		{"sound", flow(func(r *Rule) {}), nil},
		{"longest of all", flow(func(r *Rule) {
			r.Name, r.OnDelay, r.OffDelay, r.MinConsecutive = strings.Repeat("ä", MaxName), MaxDelay, MaxDelay, MaxConsecutive
		}), nil},
		{"a negative threshold", flow(func(r *Rule) { r.Threshold = -3 }), nil},
		{"a type at a site", flow(func(r *Rule) { r.Scope = Scope{Site: id.New(id.Site), AssetType: "pump"} }), nil},
		{"confidence of a fault", on(Confidence, func(r *Rule) { r.FaultCodes, r.OnlyInDistribution = []string{"cavitation"}, true }), nil},
		{"silence", on(Silence, func(r *Rule) { r.Threshold = 600 }), nil},

		{"no name", flow(func(r *Rule) { r.Name = " \t" }), []string{"input.name error.required"}},
		{"a long name", flow(func(r *Rule) { r.Name = strings.Repeat("ä", MaxName+1) }), []string{"input.name error.tooLong"}},
		{"operator", flow(func(r *Rule) { r.Operator = "~" }), []string{"input.operator error.rule.operator"}},
		{"severity", flow(func(r *Rule) { r.Severity = "awful" }), []string{"input.severity error.rule.severity"}},
		{"unknown parameter", on("charm", func(r *Rule) {}), []string{"input.parameter error.rule.parameterUnknown"}},
		{"no parameter", on("", func(r *Rule) {}), []string{"input.parameter error.rule.parameterUnknown"}},
		{"threshold NaN", flow(func(r *Rule) { r.Threshold = math.NaN() }), []string{"input.threshold error.rule.threshold"}},
		{"probability over 1", on(Confidence, func(r *Rule) { r.Threshold = 60 }), []string{"input.threshold error.rule.thresholdProbability"}},
		{"negative silence", on(Silence, func(r *Rule) { r.Threshold = -1 }), []string{"input.threshold error.rule.thresholdSilence"}},
		{"negative deadband", flow(func(r *Rule) { r.Deadband = -1 }), []string{"input.deadband error.rule.deadband"}},
		{"endless deadband", flow(func(r *Rule) { r.Deadband = math.Inf(1) }), []string{"input.deadband error.rule.deadband"}},
		{"delays", flow(func(r *Rule) { r.OnDelay, r.OffDelay = -1, MaxDelay+time.Second }),
			[]string{"input.onDelaySec error.rule.delay", "input.offDelaySec error.rule.delay"}},
		{"none in a row", flow(func(r *Rule) { r.MinConsecutive = 0 }), []string{"input.minConsecutive error.rule.minConsecutive"}},
		{"too many in a row", flow(func(r *Rule) { r.MinConsecutive = 1001 }), []string{"input.minConsecutive error.rule.minConsecutive"}},
		{"faults of a reading", flow(func(r *Rule) { r.FaultCodes, r.OnlyInDistribution = []string{"cavitation"}, true }),
			[]string{"input.faultCodes error.rule.onlyForConfidence", "input.onlyInDistribution error.rule.onlyForConfidence"}},
		{"unknown faults", on(Confidence, func(r *Rule) { r.FaultCodes = []string{"cavitation", "x", "y"} }),
			[]string{"input.faultCodes error.rule.faultCodeUnknown"}},
		{"too many faults", on(Confidence, func(r *Rule) { r.FaultCodes = slices.Repeat([]string{"cavitation"}, 101) }),
			[]string{"input.faultCodes error.tooMany"}},
		{"site and asset", flow(func(r *Rule) { r.Scope = Scope{Site: id.New(id.Site), Asset: id.New(id.Asset)} }),
			[]string{"input.siteId error.rule.scopeOne"}},
		{"a type of an asset", flow(func(r *Rule) { r.Scope = Scope{AssetType: "pump", Asset: id.New(id.Asset)} }),
			[]string{"input.assetType error.rule.scopeType"}},
		{"unknown type", flow(func(r *Rule) { r.Scope.AssetType = "broom" }), []string{"input.assetType error.rule.assetTypeUnknown"}},
		{"everything at once", Rule{}, []string{"input.name error.required", "input.operator error.rule.operator",
			"input.severity error.rule.severity", "input.parameter error.rule.parameterUnknown", "input.minConsecutive error.rule.minConsecutive"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, e := range Validate(&c.rule, catalogue) {
				got = append(got, e.Field+" "+e.Key)
				if e.Kind != fault.BadInput {
					t.Errorf("kind %s", e.Kind)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
