package access_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/access"
	"foresight/internal/mail"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/locales"
)

const soon = testkit.Patience

// counted lists the letters by kind and outcome.
func counted(r *rig, registry prometheus.Gatherer) string {
	families, err := registry.Gather()
	r.ok(err)
	var out []string
	for _, f := range families {
		for _, m := range f.Metric {
			out = append(out, fmt.Sprint(m.Label[0].GetValue(), " ", m.Label[1].GetValue(), " ", m.Counter.GetValue()))
		}
	}
	return strings.Join(out, "\n")
}

// idle is a rig in which nobody sends letters yet.
func idle(r *rig) { r.idle = true }

// olga gives acme's operator an address of her own.
func (r *rig) olga() {
	r.Helper()
	r.sql(`UPDATE users SET email = 'olga@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
}

// What becomes of letters is counted, and told in the log without the link.
func TestLettersAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := newRig(t, func(r *rig) { r.config.Post = r.post(r.sender, registry) })
	for _, to := range []string{"new@acme.example", "nobody@refuse.example", "busy@later.example"} {
		_, err := r.Invite(r.as(tenancy.Admin), to, tenancy.Viewer, "")
		r.ok(err) // the inviter learns of it by nothing but the letter that does not come
	}
	testkit.Eventually(t, soon, func() bool {
		got := counted(r, registry) // put off once more, perhaps, by now
		return strings.HasPrefix(got, "invite put_off ") && strings.HasSuffix(got, "\ninvite refused 1\ninvite sent 1")
	})
	testkit.Eventually(t, soon, func() bool { // it is counted first
		log := r.log.String()
		return strings.Contains(log, "letter refused") && strings.Contains(log, "letter not sent yet")
	})
	if log := r.log.String(); strings.Contains(log, "token=") {
		t.Errorf("log %s", log)
	}
	// The refused one is given up, the other is tried again; neither names its reader.
	testkit.Eventually(t, soon, func() bool {
		return one[string](r, `SELECT string_agg(CASE WHEN state IN ('available', 'retryable') THEN 'again' ELSE state::text END, ' ' ORDER BY id) FROM river.river_job`) == "completed cancelled again"
	})
	if said := one[string](r, `SELECT string_agg(errors::text, ' ') FROM river.river_job`); strings.Contains(said, "example") || !strings.Contains(said, "refused; the log says why") {
		t.Errorf("kept of the failures: %s", said)
	}
}

// A letter that waits when its process dies is sent by another process. Until then
// nobody who reads the queue can use it, or learns whom it is for.
func TestLettersOutliveTheProcess(t *testing.T) {
	r := newRig(t, idle)
	_, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Viewer, "")
	r.ok(err)
	r.olga()
	r.ok(r.RequestPasswordReset(t.Context(), "olga@acme.example", "", "192.0.2.1"))
	testkit.Eventually(t, soon, func() bool { return one[int](r, `SELECT count(*) FROM river.river_job`) == 2 })
	kept := one[string](r, `SELECT string_agg(to_jsonb(j)::text || encode(decode(args ->> 'sealed', 'base64'), 'escape'), ' ') FROM river.river_job j`)
	for _, hidden := range []string{"new@", "olga@", "token=", "foresight.example", "accept-invite"} {
		if strings.Contains(kept, hidden) {
			t.Errorf("%q stands in the queue: %s", hidden, kept)
		}
	}
	if len(r.smtp.Taken()) != 0 {
		t.Fatal("something was sent")
	}
	r.sends(r.post(r.sender, nil)) // another process
	testkit.Eventually(t, soon, func() bool { return len(r.smtp.Taken()) == 2 })
	for _, m := range r.smtp.Taken() {
		tok := token(t, m.Body)
		if m.To == "new@acme.example" {
			_, err = r.AcceptInvite(t.Context(), tok, access.NewPerson{Username: "new", FullName: "New", Password: password}, "192.0.2.1")
		} else {
			_, err = r.ResetPassword(t.Context(), tok, password, "192.0.2.1")
		}
		r.ok(err)
	}
}

// A mail server that is away is tried again; what it takes then is the same letter.
func TestLettersAreTriedAgain(t *testing.T) {
	r := newRig(t, idle)
	_, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Viewer, "")
	r.ok(err)
	away, err := mail.NewSMTP(mail.Options{Host: "127.0.0.1", Port: 1, From: "robot@foresight.example"}, locales.New())
	r.ok(err)
	stop := r.sends(r.post(away, nil))
	testkit.Eventually(t, soon, func() bool {
		return one[int](r, `SELECT count(*) FROM river.river_job WHERE cardinality(errors) > 0 AND finalized_at IS NULL AND max_attempts > 5 AND queue = 'outward'`) == 1
	})
	stop()
	r.sql(`UPDATE river.river_job SET scheduled_at = now()`) // the more attempts there were, the later the next one
	r.sends(r.post(r.sender, nil))
	m := r.smtp.Wait(t, 0)
	if m.To != "new@acme.example" || !strings.HasSuffix(m.Header.Get("Message-ID"), "@foresight.example>") {
		t.Errorf("%+v", m)
	}
}

// What cannot be sent while its link is good, or cannot be read, is given up.
func TestLettersAreGivenUp(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := newRig(t, idle)
	_, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Viewer, "")
	r.ok(err)
	box := r.box
	r.box, err = secret.New(map[uint32][]byte{1: bytes.Repeat([]byte("x"), 32)})
	r.ok(err)
	stop := r.sends(r.post(r.sender, registry))
	testkit.Eventually(t, soon, func() bool {
		return one[int](r, `SELECT count(*) FROM river.river_job WHERE state = 'cancelled'`) == 1
	})
	stop()
	r.box = box
	_, err = r.Invite(r.as(tenancy.Admin), "newer@acme.example", tenancy.Viewer, "")
	r.ok(err)
	r.pass(100 * 24 * time.Hour)
	late := prometheus.NewRegistry()
	r.sends(r.post(r.sender, late))
	testkit.Eventually(t, soon, func() bool {
		return one[int](r, `SELECT count(*) FROM river.river_job WHERE state = 'completed'`) == 1
	})
	if got := counted(r, registry) + "\n" + counted(r, late); got != "invite unreadable 1\ninvite too_late 1" || len(r.smtp.Taken()) != 0 {
		t.Errorf("%s, %d sent", got, len(r.smtp.Taken()))
	}
}

// Without what a letter is about there is no letter.
func TestNoLetterWithoutItsTransaction(t *testing.T) {
	r := newRig(t, idle)
	r.olga()
	if _, err := r.Invite(r.as(tenancy.Admin), "olga@acme.example", tenancy.Viewer, ""); err == nil {
		t.Fatal("invited who is there")
	}
	r.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
		CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON invites DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if _, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Viewer, ""); err == nil {
		t.Fatal("invited although the commit failed")
	}
	if n := one[int](r, `SELECT count(*) FROM river.river_job`); n != 0 {
		t.Errorf("%d letters wait", n)
	}
}

// What was asked for just before a stop is written yet.
func TestStopDoesWhatWaits(t *testing.T) {
	r := newRig(t, idle)
	p := r.config.Post
	r.olga()
	r.ok(r.RequestPasswordReset(t.Context(), "olga@acme.example", "", "192.0.2.1"))
	r.ok(p.Stop(t.Context()))
	if n := one[int](r, `SELECT count(*) FROM river.river_job`); n != 1 {
		t.Errorf("%d letters wait", n)
	}
}
