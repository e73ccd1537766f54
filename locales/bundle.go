// Package locales holds what the server says to people, by language: the names,
// descriptions and remedies of faults, error messages and the reasons of refused
// readings. Texts are go-i18n message files: faults.<language>.json and
// messages.<language>.json, by key.
//
// English and Arabic are complete. German, Spanish, French and Chinese lack what
// faults are and what to do about them, which is told in English.
package locales

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.json
var files embed.FS

// supported are the languages, the default one first.
var supported = []language.Tag{language.English, language.Arabic, language.German, language.Spanish, language.French, language.Chinese}

// maxHeader is the length beyond which an Accept-Language is not read: no browser
// sends as much.
const maxHeader = 512

// Bundle is all texts in all languages. It is immutable and safe for concurrent use.
type Bundle struct {
	standard *Localizer
	byBase   map[language.Base]*Localizer
}

// New reads the embedded texts. It panics on a malformed one, which a test excludes.
func New() *Bundle {
	b, err := read(files)
	if err != nil {
		panic(err)
	}
	return b
}

func read(dir fs.FS) (*Bundle, error) {
	source := i18n.NewBundle(supported[0])
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, fmt.Errorf("locales: %w", err)
	}
	texts := map[language.Tag]map[string]string{}
	for _, name := range names {
		f, err := source.LoadMessageFileFS(dir, name)
		if err != nil {
			return nil, fmt.Errorf("locales: %s: %w", name, err)
		}
		if texts[f.Tag] == nil {
			texts[f.Tag] = map[string]string{}
		}
		for _, m := range f.Messages {
			texts[f.Tag][m.ID] = m.Other
		}
	}
	b := &Bundle{byBase: map[language.Base]*Localizer{}}
	for _, tag := range supported {
		// What the language lacks is told in the default one.
		complete := maps.Clone(texts[supported[0]])
		maps.Copy(complete, texts[tag])
		l, err := newLocalizer(source, tag, complete)
		if err != nil {
			return nil, err
		}
		base, _, _ := tag.Raw()
		b.byBase[base] = l
		if b.standard == nil {
			b.standard = l
		}
	}
	return b, nil
}

// Localizer returns the texts in the first supported language of an Accept-Language
// header, whatever the region; when it asks for none of them or cannot be read, in that of fallback (a
// BCP 47 tag, the person's profile); else in English.
func (b *Bundle) Localizer(acceptLanguage, fallback string) *Localizer {
	if l := b.match(acceptLanguage); l != nil {
		return l
	}
	if l := b.match(fallback); l != nil {
		return l
	}
	return b.standard
}

func (b *Bundle) match(wanted string) *Localizer {
	if wanted = strings.TrimSpace(wanted); wanted == "" || len(wanted) > maxHeader {
		return nil
	}
	tags, weights, err := language.ParseAcceptLanguage(wanted)
	if err != nil {
		return nil
	}
	for i := range weights { // by falling weight; 0 says "not this one"
		if weights[i] <= 0 {
			tags = tags[:i]
			break
		}
	}
	for _, t := range tags {
		base, _, _ := t.Raw()
		if l := b.byBase[base]; l != nil {
			return l
		}
	}
	return nil
}
