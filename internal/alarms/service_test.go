package alarms

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func faultOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return strings.TrimSpace(e.Key + " " + e.Field)
	}
	return ""
}

// raise makes an alarm of the plant.
func (w *world) raise(p testkit.Plant) *Event {
	w.Helper()
	w.apply(p, flow(p, 0, 0, 11))
	return w.only(p)
}

func TestWhatPeopleDoIsKept(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	e := w.raise(w.acme)
	operator := w.acme.As(t.Context(), tenancy.Operator)
	who := w.acme.Users[tenancy.Operator]

	got, err := w.service.Acknowledge(operator, e.ID, " on my way ")
	if err != nil || got.Status != rules.Acknowledged || got.AcknowledgedAt == nil || *got.AcknowledgedBy != who {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := w.service.Acknowledge(operator, e.ID, ""); !fault.Is(err, fault.Conflict) || faultOf(err) != "error.alarm.alreadyAcknowledged" {
		t.Errorf("twice: %v", err)
	}
	if got, err = w.service.Clear(operator, e.ID, ""); err != nil || got.Status != rules.Cleared || got.ClearedAt == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err = w.service.Resolve(operator, e.ID, "bearing changed"); err != nil || got.Status != rules.Resolved ||
		*got.CorrectionPlan != "bearing changed" || *got.ResolvedBy != who || got.ResolvedAt == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := w.service.Resolve(operator, e.ID, "again"); faultOf(err) != "error.alarm.resolved" {
		t.Errorf("resolved twice: %v", err)
	}
	if again, err := w.service.Event(operator, e.ID); err != nil || *again.CorrectionPlan != "bearing changed" {
		t.Errorf("%+v, %v", again, err)
	}

	all, err := w.service.Transitions(operator, []id.UUID{e.ID})
	if err != nil || len(all[e.ID]) != 4 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i, tr := range all[e.ID] {
		if tr.Seq != uint64(i+1) || (tr.By == nil) != (i == 0) || i > 0 && *tr.By != who || tr.At.IsZero() {
			t.Errorf("transition %d: %+v", i, tr)
		}
	}
	if note := all[e.ID][1].Note; note == nil || *note != "on my way" {
		t.Errorf("note %v", note)
	}
	if len(w.hub.sent) != 3 || w.hub.sent[2].Alarm.Seq != 4 || w.hub.sent[2].Key != e.Key() {
		t.Errorf("hints %+v", w.hub.sent)
	}
}

func TestAClearedAlarmThatIsSeenIsClosed(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	e := w.raise(w.acme)
	w.apply(w.acme, flow(w.acme, 0, 1, 1))
	got, err := w.service.Acknowledge(w.acme.As(t.Context(), tenancy.Admin), e.ID, "")
	if err != nil || got.Status != rules.Resolved || got.AcknowledgedBy == nil || got.ResolvedBy == nil || got.ResolvedAt == nil || got.ClearedAt == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhoMayNotAct(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	e := w.raise(w.acme)
	elsewhere := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, ID: w.acme.Users[tenancy.Operator], TenantID: w.acme.TenantID,
		Scopes: tenancy.RoleScopes(tenancy.Operator), SiteIDs: []id.UUID{id.New(id.Site)}})
	operator := w.acme.As(t.Context(), tenancy.Operator)
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a viewer", func() error {
			_, err := w.service.Acknowledge(w.acme.As(t.Context(), tenancy.Viewer), e.ID, "")
			return err
		}, "error.forbidden"},
		{"another tenant's admin", func() error {
			_, err := w.service.Clear(w.globex.As(t.Context(), tenancy.Admin), e.ID, "")
			return err
		}, "error.notFound"},
		{"another site's operator", func() error { _, err := w.service.Resolve(elsewhere, e.ID, "x"); return err }, "error.notFound"},
		{"another site's operator reads", func() error { _, err := w.service.Event(elsewhere, e.ID); return err }, "error.notFound"},
		{"another tenant reads", func() error { _, err := w.service.Event(w.globex.As(t.Context(), tenancy.Admin), e.ID); return err }, "error.notFound"},
		{"no such alarm", func() error { _, err := w.service.Clear(operator, id.New(id.AlarmEvent), ""); return err }, "error.notFound"},
		{"a long note", func() error { _, err := w.service.Clear(operator, e.ID, strings.Repeat("ä", MaxNote+1)); return err }, "error.tooLong input.note"},
		{"a long plan", func() error { _, err := w.service.Resolve(operator, e.ID, strings.Repeat("ä", MaxPlan+1)); return err }, "error.tooLong input.correctionPlan"},
		{"no plan", func() error { _, err := w.service.Resolve(operator, e.ID, " \n"); return err }, "error.required input.correctionPlan"},
		{"without any scope", func() error {
			_, err := w.service.Event(tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, TenantID: w.acme.TenantID}), e.ID)
			return err
		}, "error.forbidden"},
	} {
		if err := c.do(); faultOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if got := w.only(w.acme); got.Status != rules.Open || len(w.told(w.acme)) != 1 {
		t.Errorf("it changed: %+v", got)
	}
	if _, err := w.service.Resolve(operator, e.ID, strings.Repeat("ä", MaxPlan)); err != nil {
		t.Errorf("the longest plan: %v", err)
	}
}

// Twenty at once: ten people acknowledge one alarm while ten batches, as the
// worker's epoch lock orders them, make its condition come and go.
func TestPeopleAndWorkerDoNotRace(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	w.rule(w.globex, nil)
	w.raise(w.globex)
	for round := range 5 {
		second := 100 * round
		w.apply(w.acme, flow(w.acme, 0, second, 11))
		var alarm *Event
		for _, e := range w.alarms(w.acme) {
			if e.Status.Active() {
				alarm = e
			}
		}
		var group sync.WaitGroup
		var worker sync.Mutex // one owner per partition
		var seen atomic.Int32
		start := make(chan struct{})
		for range 10 {
			group.Go(func() {
				<-start
				if _, err := w.service.Acknowledge(w.acme.As(t.Context(), tenancy.Operator), alarm.ID, ""); err == nil {
					seen.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
			group.Go(func() {
				<-start
				worker.Lock()
				defer worker.Unlock()
				second++
				if _, err := w.tryApply(w.acme, flow(w.acme, 0, second, float64(5+10*(second%2)))); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		group.Wait()
		if seen.Load() < 1 {
			t.Error("nobody acknowledged")
		}
	}
	// Every alarm's transitions are a path along allowed arrows from nothing to what it is.
	all, err := w.service.Transitions(w.acme.As(t.Context(), tenancy.Viewer), idsOf(w.alarms(w.acme)))
	if err != nil {
		t.Fatal(err)
	}
	active := 0
	for _, e := range w.alarms(w.acme) {
		at := rules.None
		for _, tr := range all[e.ID] {
			if tr.From != at || !rules.Allowed(tr.From, tr.To) {
				t.Errorf("alarm at %q went %q > %q", at, tr.From, tr.To)
			}
			at = tr.To
		}
		if at != e.Status {
			t.Errorf("alarm is %s, its transitions end at %s", e.Status, at)
		}
		if e.Status.Active() {
			active++
		}
	}
	if active > 1 {
		t.Errorf("%d active alarms of one key", active)
	}
	if n := len(w.told(w.acme)); n < 10 {
		t.Errorf("%d transitions only", n)
	}
	if got := w.told(w.globex); !slices.Equal(got, []string{">open"}) {
		t.Errorf("globex was told %q", got)
	}
}

// A batch that holds the alarm makes a person wait, and the person then acts on
// what the batch made of it.
func TestAPersonWaitsForTheBatch(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	e := w.raise(w.acme)
	ctx := tenancy.AsSystem(t.Context(), w.acme.TenantID)
	tx, err := w.worker.Begin(ctx)
	w.ok(err)
	_, err = w.recorder.Apply(ctx, tx, w.acme.TenantID, []event.Event{flow(w.acme, 0, 1, 1)})
	w.ok(err)
	done := make(chan *Event)
	go func() {
		defer close(done)
		got, err := w.service.Acknowledge(w.acme.As(t.Context(), tenancy.Operator), e.ID, "")
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	w.waitForLock()
	w.ok(tx.Commit(ctx))
	if got := <-done; got.Status != rules.Resolved {
		t.Errorf("acknowledged what was open before: %s", got.Status)
	}
	if got, want := w.told(w.acme), []string{">open", "open>cleared", "cleared>resolved"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// waitForLock returns when somebody in the database waits for a lock.
func (w *world) waitForLock() {
	w.Helper()
	c, err := pgx.Connect(w.Context(), w.db.AppDSN)
	w.ok(err)
	defer c.Close(w.Context())
	testkit.Eventually(w, deadline, func() bool {
		var n int
		w.ok(c.QueryRow(w.Context(), `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`).Scan(&n))
		return n > 0
	})
}

func idsOf(events []*Event) []id.UUID {
	out := make([]id.UUID, len(events))
	for i := range events {
		out[i] = events[i].ID
	}
	return out
}

func TestAHintThatIsLostCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	e := w.raise(w.acme)
	w.hub.err = errors.New("the network is gone")
	if got, err := w.service.Acknowledge(w.acme.As(t.Context(), tenancy.Operator), e.ID, ""); err != nil || got.Status != rules.Acknowledged {
		t.Errorf("%+v, %v", got, err)
	}
}
