package locales

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"foresight/internal/fault"
)

// Localizer gives the texts of one language. There is one per language and Bundle,
// made once; it is safe for concurrent use. Texts without placeholders cost a look
// into a map and nothing else.
type Localizer struct {
	tag      language.Tag
	plain    map[string]string // texts without placeholders, by key
	template map[string]bool   // keys of those with
	faults   map[string]faultText
	source   *i18n.Localizer
}

type faultText struct{ label, description, action string }

func newLocalizer(source *i18n.Bundle, tag language.Tag, texts map[string]string) (*Localizer, error) {
	l := &Localizer{
		tag: tag, plain: map[string]string{}, template: map[string]bool{}, faults: map[string]faultText{},
		source: i18n.NewLocalizer(source, tag.String()),
	}
	for key, text := range texts {
		if !strings.Contains(text, "{{") {
			l.plain[key] = text
			l.addFault(key, text)
			continue
		}
		l.template[key] = true
		if _, err := l.fill(key, map[string]any{}); err != nil {
			return nil, fmt.Errorf("locales: %s: %s: %w", tag, key, err)
		}
	}
	return l, nil
}

// addFault files texts with keys like `fault.cavitation.label`.
func (l *Localizer) addFault(key, text string) {
	rest, ok := strings.CutPrefix(key, "fault.")
	if !ok {
		return
	}
	code, what, _ := strings.Cut(rest, ".")
	f := l.faults[code]
	switch what {
	case "label":
		f.label = text
	case "description":
		f.description = text
	case "action":
		f.action = text
	}
	l.faults[code] = f
}

// Tag returns the language.
func (l *Localizer) Tag() language.Tag { return l.tag }

// Message returns the text of a key, filled with args, and the key itself when there
// is no such text.
func (l *Localizer) Message(key string, args map[string]any) string {
	s, ok := l.text(key, args)
	if !ok {
		return key
	}
	return s
}

// FaultLabel returns the name of a fault, or of what a failure predictor says, and the
// code itself for one that is not built in.
func (l *Localizer) FaultLabel(code string) string {
	if s := l.faults[code].label; s != "" {
		return s
	}
	if s, ok := l.plain["outcome."+code]; ok {
		return s
	}
	return code
}

// FaultDescription returns what a fault is, "" for one that is not built in.
func (l *Localizer) FaultDescription(code string) string { return l.faults[code].description }

// FaultAction returns what to do about a fault, "" for one that is not built in.
func (l *Localizer) FaultAction(code string) string { return l.faults[code].action }

// Reason returns why a reading was refused in words, and the code itself for an
// unknown one.
func (l *Localizer) Reason(code string) string {
	if s, ok := l.plain["reason."+code]; ok {
		return s
	}
	return code
}

// Error returns what a person is told of the error. One whose key has no text is
// told by its kind; nothing of a cause is ever told.
func (l *Localizer) Error(e *fault.Error) string {
	if s, ok := l.text(e.Key, l.named(e.Args)); ok {
		return s
	}
	if s, ok := l.plain["kind."+string(e.Kind)]; ok {
		return s
	}
	return l.plain["kind."+string(fault.Internal)]
}

// named translates the names of entities among the arguments of an error.
func (l *Localizer) named(args map[string]any) map[string]any {
	name, ok := args["Entity"].(string)
	if !ok {
		return args
	}
	if s, ok := l.plain["entity."+name]; ok {
		args = maps.Clone(args)
		args["Entity"] = s
	}
	return args
}

func (l *Localizer) text(key string, args map[string]any) (string, bool) {
	if s, ok := l.plain[key]; ok {
		return s, true
	}
	if !l.template[key] {
		return "", false
	}
	if args == nil {
		args = map[string]any{}
	}
	s, err := l.fill(key, args)
	return s, err == nil
}

// fill executes a template. The source complains of a text that it took from the
// default language, and gives it.
func (l *Localizer) fill(key string, args map[string]any) (string, error) {
	s, _, err := l.source.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: key, TemplateData: args})
	if s != "" {
		return s, nil
	}
	return "", err
}

// RiskLabel returns a level of risk in words, and the level itself when it is unknown.
func (l *Localizer) RiskLabel(level string) string {
	if s, ok := l.plain["risk."+level]; ok {
		return s
	}
	return level
}

// FeatureLabel returns a feature of a model in words, put together of what it measures, where,
// and which statistic of it, and the name itself for one that it does not know.
func (l *Localizer) FeatureLabel(name string) string {
	if s, ok := l.plain["feature."+name]; ok {
		return s
	}
	if s, ok := l.windowFeature(name); ok {
		return s
	}
	if s, ok := l.dayFeature(name); ok {
		return s
	}
	return name
}

// windowFeature names a statistic of a window: `motor_DE_vib_band_1_rms`.
func (l *Localizer) windowFeature(name string) (string, bool) {
	mount, rest, ok := l.part("feature.mount.", name)
	if !ok {
		return "", false
	}
	quantity, statistic, ok := l.part("feature.quantity.", rest)
	if !ok {
		return "", false
	}
	return l.text("feature.statistic."+statistic, map[string]any{"Quantity": quantity, "Mount": mount})
}

// ofDay splits the names of features over days: `vibration_rms_30d_avg`, `alert_count_7d`,
// `bearing_temp_trend_30d`.
var ofDay = regexp.MustCompile(`^(.+?)(?:_(trend))?_(\d+)d(?:_(avg|std|max|min))?$`)

func (l *Localizer) dayFeature(name string) (string, bool) {
	m := ofDay.FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	base, ok := l.plain["feature.base."+m[1]]
	if !ok {
		return "", false
	}
	statistic := m[2] + m[4]
	if statistic == "" {
		statistic = "whole"
	}
	return l.text("feature.days."+statistic, map[string]any{"Base": base, "Days": m[3]})
}

// part returns the text of the beginning of a name, up to an underscore, and the rest.
func (l *Localizer) part(prefix, name string) (text, rest string, ok bool) {
	for i, c := range name {
		if c == '_' {
			if text, ok = l.plain[prefix+name[:i]]; ok {
				return text, name[i+1:], true
			}
		}
	}
	return "", "", false
}
