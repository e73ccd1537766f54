package graph_test

import (
	"fmt"
	"testing"

	"foresight/internal/tenancy"
)

// A classifier has more features than a page has items; a report tells of all of them.
func TestAllFeaturesOfAReport(t *testing.T) {
	r := newRig(t)
	model, versions := r.classifier(r.acme, "bearings", 1)
	r.drifted(r.acme, r.acme.Users[tenancy.Engineer], model, versions[0])
	const query = `{ driftReports(first: 1) { nodes { features(first: %d) { feature } } } }`
	if got := r.data("acme/viewer", fmt.Sprintf(query, 1000)); at(got, "driftReports", "nodes", 0, "features", 1, "feature") == nil {
		t.Errorf("%v", got)
	}
	if a := r.ask("acme/viewer", fmt.Sprintf(query, 1001)); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("more than there can be: %s", a.raw)
	}
}
