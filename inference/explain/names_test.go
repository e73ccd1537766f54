package explain_test

import (
	"testing"

	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/locales"
)

// Whatever an explanation may name has a name in words.
func TestFeaturesOfAllModelsHaveNames(t *testing.T) {
	words := locales.New()
	for _, language := range []string{"en", "de", "es", "fr", "zh", "ar"} {
		l, seen := words.Localizer(language, ""), map[string]string{}
		for _, name := range append(features.Names(), daily.Names()...) {
			label := l.FeatureLabel(name)
			if label == name || seen[label] != "" {
				t.Errorf("%s: %s is %q, and %q", language, name, label, seen[label])
			}
			seen[label] = name
		}
	}
}
