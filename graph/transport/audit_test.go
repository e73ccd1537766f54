package transport_test

import (
	"encoding/json"
	"testing"
)

// TestGraphQLOverHTTPAudits runs the audit suite of the draft's reference project.
func TestGraphQLOverHTTPAudits(t *testing.T) {
	r := newRig(t)
	var audits []struct {
		ID, Name, Status, Reason string
		Got                      json.RawMessage
	}
	node(t, &audits, "audit.mjs", r.URL)
	count := map[string]int{}
	for _, a := range audits {
		count[a.Status]++
		switch a.Status {
		case "ok":
		case "notice": // MAY
			t.Logf("%s %s: %s", a.ID, a.Name, a.Reason)
		default:
			t.Errorf("%s %s %s: %s\n%s", a.Status, a.ID, a.Name, a.Reason, a.Got)
		}
	}
	t.Logf("%d audits: %v", len(audits), count)
	if len(audits) < 60 {
		t.Errorf("%d audits, want at least 60", len(audits))
	}
}
