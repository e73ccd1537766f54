package access_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/access"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// What becomes of letters is counted, and told in the log without the link.
func TestLettersAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := newRig(t, func(r *rig) { r.config.Post = access.NewPost(r.sender, r.config.Log, registry) })
	_, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Viewer, "")
	r.ok(err)
	_, err = r.Invite(r.as(tenancy.Admin), "nobody@refuse.example", tenancy.Viewer, "")
	r.ok(err) // the inviter learns of it by nothing but the letter that does not come
	counted := func() string {
		families, err := registry.Gather()
		r.ok(err)
		var out []string
		for _, f := range families {
			for _, m := range f.Metric {
				out = append(out, fmt.Sprint(f.GetName(), " ", m.Label[0].GetValue(), " ", m.Label[1].GetValue(), " ", m.Counter.GetValue()))
			}
		}
		return strings.Join(out, "\n")
	}
	testkit.Eventually(t, 10*time.Second, func() bool {
		return counted() == "foresight_mail_letters_total invite failed 1\nforesight_mail_letters_total invite sent 1"
	})
	if log := r.log.String(); !strings.Contains(log, "letter not sent") || strings.Contains(log, "token") {
		t.Errorf("log %s", log)
	}
}
