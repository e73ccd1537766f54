package app

import (
	"strings"
	"testing"

	"foresight/internal/deploy"
	"foresight/locales"
)

// Every notice of a deployment is a letter that there are words for.
func TestNoticesOfDeploymentsAreLetters(t *testing.T) {
	words := locales.New().Localizer("", "de")
	for _, kind := range []deploy.NoticeKind{deploy.Asked, deploy.Promoted, deploy.RolledBack, deploy.AdvisedPromote, deploy.AdvisedRollback} {
		for _, part := range []string{"subject", "body"} {
			key := "mail." + string(lettersOf[kind]) + "." + part
			if text := words.Message(key, map[string]any{"Percent": 5}); text == key || strings.TrimSpace(text) == "" {
				t.Errorf("%s: no %s", kind, key)
			}
		}
	}
}
