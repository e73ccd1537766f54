package explanation

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/explain"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestAnAlarmIsExplainedOnce(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	event, plain := w.alarm(w.acme, &p.ID), w.alarm(w.acme, nil)
	if e, ok := w.of(w.acme, event); !ok || e.State != Pending || e.Explanation != nil {
		t.Errorf("just raised: %+v, %v", e, ok)
	}
	if n := w.follow(); n != 1 {
		t.Fatalf("took %d alarms", n)
	}
	if n := w.follow(); n != 0 {
		t.Errorf("took %d alarms again", n)
	}
	e, _ := w.of(w.acme, event)
	want, err := w.service.Prediction(w.acme.As(t.Context(), tenancy.Viewer), p.ID, "", alarmTop)
	w.ok(err)
	if e.State != Ready || e.Code != want.Code || e.VersionLabel != want.VersionLabel || e.Margin != want.Margin || e.Bias != want.Bias || len(e.Features) != len(want.Features) {
		t.Fatalf("%+v, want %+v", e, want)
	}
	for i, f := range e.Features {
		if f.Feature != want.Features[i].Feature || f.Contribution != want.Features[i].Contribution {
			t.Errorf("%+v, want %+v", f, want.Features[i])
		}
	}
	if _, ok := w.of(w.acme, plain); ok {
		t.Error("an alarm without a prediction has an explanation")
	}
	// It stays when readings, prediction and version are gone.
	w.sql(`DELETE FROM telemetry_raw`)
	w.sql(`DELETE FROM predictions`)
	if again, _ := w.of(w.acme, event); again.State != Ready {
		t.Errorf("afterwards: %+v", again)
	}
}

func TestExplanationsAreTheTenantsOwn(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	event := w.alarm(w.acme, &p.ID)
	w.follow()
	if _, ok := w.of(w.globex, event); ok {
		t.Error("another tenant sees it")
	}
	limited := *tenancy.From(w.acme.As(t.Context(), tenancy.Viewer))
	limited.SiteIDs = []id.UUID{id.New(id.Site)}
	if found, err := w.service.OfAlarms(tenancy.With(t.Context(), &limited), []id.UUID{event}); err != nil || len(found) != 0 {
		t.Errorf("another site sees %v, %v", found, err)
	}
	// Row-level security alone.
	for _, c := range []struct {
		name string
		ctx  context.Context
		want int
	}{
		{"acme", w.acme.As(t.Context(), tenancy.Viewer), 1},
		{"globex", w.globex.As(t.Context(), tenancy.Admin), 0},
		{"nobody", t.Context(), 0},
	} {
		var n int
		w.ok(w.app.QueryRow(c.ctx, `SELECT count(*) FROM alarm_explanations`).Scan(&n))
		if n != c.want {
			t.Errorf("%s sees %d rows, want %d", c.name, n, c.want)
		}
	}
	if _, err := w.app.Exec(w.acme.As(t.Context(), tenancy.Admin), `UPDATE alarm_explanations SET bias = 0`); err == nil {
		t.Error("requests change explanations")
	}
	if _, err := w.app.Exec(t.Context(), `SELECT * FROM foresight_take_explanations(1, '1 s')`); err == nil {
		t.Error("requests take explanations of all tenants")
	}
}

func TestWhatOneTookAndLeftIsTakenAgain(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	event := w.alarm(w.acme, &p.ID)
	// A process takes it and dies.
	_, err := w.worker.Exec(t.Context(), `SELECT * FROM foresight_take_explanations(10, '1 min')`)
	w.ok(err)
	if n := w.follow(); n != 0 {
		t.Errorf("took %d while another is at it", n)
	}
	w.sql(`UPDATE alarm_explanations SET due_at = now()`)
	if n := w.follow(); n != 1 {
		t.Errorf("took %d after the pause", n)
	}
	if e, _ := w.of(w.acme, event); e.State != Ready {
		t.Errorf("%+v", e)
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	event := w.alarm(w.acme, &p.ID)
	// Another follower, to which the champion is new.
	f := w.follower()
	f.opt.Explainers = failing{errors.New("the store of artifacts is away")}
	if n, err := f.Explain(t.Context()); n != 1 || err != nil {
		t.Fatalf("took %d, %v", n, err)
	}
	if e, _ := w.of(w.acme, event); e.State != Pending {
		t.Errorf("after a failure: %+v", e)
	}
	var wait time.Duration // since the failure, which was then stored
	w.ok(w.owner.QueryRow(t.Context(), `SELECT due_at - changed_at FROM alarm_explanations`).Scan(&wait))
	if wait != time.Minute {
		t.Errorf("tried again in %v", wait)
	}
	w.sql(`UPDATE alarm_explanations SET due_at = now()`)
	w.follow()
	if e, _ := w.of(w.acme, event); e.State != Ready {
		t.Errorf("at last: %+v", e)
	}
	// And not for ever.
	hopeless := w.alarm(w.acme, &p.ID)
	w.sql(`UPDATE alarm_explanations SET tries = $1 WHERE event_id = $2`, f.opt.MaxTries-1, hopeless)
	if _, err := f.Explain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, _ := w.of(w.acme, hopeless); e.State != Unavailable {
		t.Errorf("after all tries: %+v", e)
	}
}

func TestWhatCannotBeExplainedIsGivenUp(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	gone := id.New(id.Prediction)
	event, orphan := w.alarm(w.acme, &p.ID), w.alarm(w.acme, &gone)
	w.sql(`DELETE FROM telemetry_raw`)
	if n := w.follow(); n != 2 {
		t.Errorf("took %d", n)
	}
	for e, want := range map[id.UUID]string{event: "readings_gone", orphan: "prediction_gone"} {
		if o, _ := w.of(w.acme, e); o.State != Unavailable || o.Explanation != nil {
			t.Errorf("%s: %+v", want, o)
		}
		var reason string
		w.ok(w.owner.QueryRow(t.Context(), `SELECT reason FROM alarm_explanations WHERE event_id = $1`, e).Scan(&reason))
		if reason != want {
			t.Errorf("reason %s, want %s", reason, want)
		}
	}
}

func TestAFollowerWorksByItself(t *testing.T) {
	w := newWorld(t)
	testkit.NoLeaks(t)
	f := NewFollower(FollowerOptions{Sources: w.sources(w.worker), Every: 5 * time.Millisecond})
	w.ok(f.Start(t.Context()))
	defer func() { w.ok(f.Stop(t.Context())) }()
	a, b := w.prediction(w.readings(w.acme, 14)), w.prediction(w.readings(w.globex, 15))
	ofAcme, ofGlobex := w.alarm(w.acme, &a.ID), w.alarm(w.globex, &b.ID)
	testkit.Eventually(t, testkit.Patience, func() bool {
		x, _ := w.of(w.acme, ofAcme)
		y, _ := w.of(w.globex, ofGlobex)
		return x.State == Ready && y.State == Ready
	})
}

// failing explains nothing.
type failing struct{ err error }

func (f failing) Explainer(context.Context, string) (*explain.Explainer, error) { return nil, f.err }

// One transaction raises the alarm and asks for its explanation: neither is there alone.
func TestWhatIsRolledBackIsNotExplained(t *testing.T) {
	w := newWorld(t)
	p := w.prediction(w.readings(w.acme, 14))
	w.alarm(w.acme, &p.ID)
	ctx := tenancy.AsSystem(t.Context(), w.acme.TenantID)
	wrong := errors.New("rolled back")
	err := pgx.BeginFunc(ctx, w.worker, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, rule_id, severity, prediction_id, triggered_value, triggered_at, last_triggered_at)
			SELECT $1, tenant_id, site_id, asset_id, rule_id, severity, prediction_id, triggered_value, triggered_at, last_triggered_at FROM alarm_events`, id.New(id.AlarmEvent))
		return errors.Join(err, wrong)
	})
	if !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	if n := w.follow(); n != 1 {
		t.Errorf("took %d", n)
	}
}
