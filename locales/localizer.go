package locales

import (
	"fmt"
	"maps"
	"strings"

	"foresight/internal/fault"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
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

// FaultLabel returns the name of a fault, and the code itself for one that is not
// built in.
func (l *Localizer) FaultLabel(code string) string {
	if s := l.faults[code].label; s != "" {
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
