package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/backtest"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// moody is a store of which reading may fail, or wait.
type moody struct {
	telemetry.Store
	mu     sync.Mutex
	calls  int
	failAt int           // the call that fails; 0: none
	waits  chan struct{} // not nil: reading says so here, and waits for go
	goes   chan struct{}
}

func (m *moody) Readings(ctx context.Context, q telemetry.RangeQuery) ([]telemetry.Raw, error) {
	m.mu.Lock()
	m.calls++
	fails := m.calls == m.failAt
	waits := m.waits
	m.mu.Unlock()
	if fails {
		return nil, errors.New("the store is down")
	}
	if waits != nil {
		select {
		case waits <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case <-m.goes:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return m.Store.Readings(ctx, q)
}

func (w *world) twoSensors() backtest.Request {
	w.Helper()
	for i := range 30 {
		w.stores(w.reading(w.acme.Key(0), float64(i), float64(70+i%3*10)), w.reading(w.acme.Key(1), float64(i), float64(70+i%2*20)))
	}
	q := w.whole()
	q.Drafts = []backtest.Draft{{Spec: hot(80)}}
	return q
}

// An attempt that fails half-way, after a part was written, is made again without a
// trace of the first.
func TestWhatIsDoneAgainIsNotDoubled(t *testing.T) {
	m := &moody{}
	w := newWorld(t, func(o *backtest.Options) { m.Store, o.Store, o.Limits.MaxPending = o.Store, m, 1 })
	q := w.twoSensors()
	want := w.succeeded(w.engineer(), q)
	m.mu.Lock()
	calls := m.calls
	m.calls, m.failAt = 0, calls-1 // in the second sensor's history
	m.mu.Unlock()
	got := w.succeeded(w.engineer(), q)
	if m.calls <= m.failAt {
		t.Fatal("nothing failed")
	}
	a, b := w.told(w.alarms(w.engineer(), want)), w.told(w.alarms(w.engineer(), got))
	if len(a) < 20 || !slices.Equal(sorted(a), sorted(b)) {
		t.Errorf("%q, in one go %q", b, a)
	}
	if fmt.Sprint(got.Outcome) != fmt.Sprint(want.Outcome) {
		t.Errorf("%+v, in one go %+v", got.Outcome, want.Outcome)
	}
}

// Two that work the same backtest, as after a process came back that was taken for
// dead, write one result.
func TestTwoAtTheSameBacktest(t *testing.T) {
	w := newIdleWorld(t, func(o *backtest.Options) { o.Limits.MaxPending = 1 })
	q := w.twoSensors()
	x, err := w.Start(w.engineer(), q)
	w.ok(err)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := backtest.Run(w.engineer(), w.Service, x.ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b, err := w.Backtest(w.engineer(), x.ID)
	w.ok(err)
	r := b.Rule(0)
	if n := w.ask(`SELECT count(*) FROM backtest_alarms WHERE backtest_id = $1`, x.ID); b.Status != enum.JobSucceeded || n != 25 || r.Raised+r.Reopened != 25 || b.Outcome.Readings != 60 {
		t.Errorf("%d alarms, %+v", n, b)
	}
}

func TestOneOfATenantIsAtWork(t *testing.T) {
	w := newIdleWorld(t, nil)
	q := w.twoSensors()
	first, err := w.Start(w.engineer(), q)
	w.ok(err)
	if _, err := w.Start(w.engineer(), q); !fault.Is(err, fault.Conflict) || keyOf(err) != "error.backtest.running" {
		t.Errorf("a second one: %v", err)
	}
	other := w.globex.As(t.Context(), tenancy.Engineer)
	if _, err := w.Start(other, backtest.Request{From: w.start, To: w.at(60), Drafts: q.Drafts}); err != nil {
		t.Errorf("another tenant's: %v", err)
	}
	b, err := w.Cancel(w.engineer(), first.ID)
	if err != nil || b.Status != enum.JobCancelled || b.FinishedAt == nil {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := w.Cancel(w.engineer(), first.ID); keyOf(err) != "input.id error.backtest.ended" {
		t.Errorf("cancelled twice: %v", err)
	}
	if _, err := w.Start(w.engineer(), q); err != nil {
		t.Errorf("after the first was cancelled: %v", err)
	}
	if n := w.ask(`SELECT count(*) FROM audit_logs WHERE tenant_id = $1 AND entity = 'Backtest' AND action IN ('start', 'cancel')`, w.acme.TenantID); n != 3 {
		t.Errorf("%d entries in the audit log", n)
	}
}

// A backtest that is cancelled at work ends, and writes nothing behind that.
func TestCancelledAtWork(t *testing.T) {
	m := &moody{waits: make(chan struct{}), goes: make(chan struct{})}
	w := newWorld(t, func(o *backtest.Options) { m.Store, o.Store = o.Store, m })
	x, err := w.Start(w.engineer(), w.twoSensors())
	w.ok(err)
	<-m.waits
	_, err = w.Cancel(w.engineer(), x.ID)
	w.ok(err)
	m.mu.Lock()
	m.waits = nil // first: the next reading must not wait for somebody who has gone
	m.mu.Unlock()
	close(m.goes)
	w.until("the job is over", func() bool {
		return w.ask(`SELECT count(*) FROM river.river_job WHERE kind = 'backtest' AND state = 'completed'`) == 1
	})
	b, err := w.Backtest(w.engineer(), x.ID)
	if w.ok(err); b.Status != enum.JobCancelled || len(w.alarms(w.engineer(), b)) != 0 || len(b.Outcome.Rules) != 0 {
		t.Errorf("%+v", b)
	}
}

// What cannot be done, as the model is not there, fails with a reason.
func TestFailsWithAReason(t *testing.T) {
	w := newWorld(t, nil)
	raws := w.machine(20)
	w.stores(raws...)
	v := w.version([]byte("no model"))
	q := w.whole()
	q.Version = &v
	b := w.run(w.engineer(), q)
	if b.Status != enum.JobFailed || b.Failure == nil || b.Failure.Key != "error.inference.noModel" {
		t.Errorf("%+v", b)
	}
}

// A result belongs to a tenant, and to the sites that it is confined to.
func TestResultsAreConfined(t *testing.T) {
	w := newWorld(t, nil)
	south := id.New(id.Site)
	w.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South works')`, south, w.acme.TenantID)
	q := w.twoSensors()
	north := w.as(tenancy.Engineer, w.acme.SiteID)
	whole := w.succeeded(w.engineer(), q)
	part := w.succeeded(north, q)
	none := w.succeeded(w.as(tenancy.Engineer, south), q)
	if whole.Outcome.Readings != 60 || part.Outcome.Readings != 60 || none.Outcome.Readings != 0 {
		t.Errorf("%d, %d and %d readings", whole.Outcome.Readings, part.Outcome.Readings, none.Outcome.Readings)
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		sees []id.UUID
	}{
		"the whole tenant": {w.as(tenancy.Viewer), []id.UUID{none.ID, part.ID, whole.ID}},
		"the north":        {north, []id.UUID{part.ID}},
		"the south":        {w.as(tenancy.Engineer, south), []id.UUID{none.ID}},
		"another tenant":   {w.globex.As(t.Context(), tenancy.Admin), nil},
	} {
		all, err := w.List(c.ctx, page.Args{Total: true})
		w.ok(err)
		var seen []id.UUID
		for _, b := range all.Items {
			seen = append(seen, b.ID)
		}
		if !slices.Equal(seen, c.sees) || all.Total != len(c.sees) {
			t.Errorf("%s sees %v, want %v", name, seen, c.sees)
		}
		if slices.Contains(c.sees, whole.ID) {
			continue
		}
		if _, err := w.Backtest(c.ctx, whole.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.Cancel(c.ctx, whole.ID); !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s cancels: %v", name, err)
		}
		if p, err := w.Alarms(c.ctx, whole.ID, backtest.AlarmFilter{}, page.Args{Total: true}); err != nil || len(p.Items) != 0 || p.Total != 0 {
			t.Errorf("%s sees %d alarms, %v", name, len(p.Items), err)
		}
		if p, err := w.Predictions(c.ctx, whole.ID, backtest.PredictionFilter{}, page.Args{Total: true}); err != nil || len(p.Items) != 0 || p.Total != 0 {
			t.Errorf("%s sees %d predictions, %v", name, len(p.Items), err)
		}
	}
	// Row-level security by itself.
	var n int
	w.ok(w.app.QueryRow(w.globex.As(t.Context(), tenancy.Admin), `SELECT (SELECT count(*) FROM backtests) + (SELECT count(*) FROM backtest_alarms)`).Scan(&n))
	if n != 0 {
		t.Errorf("another tenant's connection sees %d rows", n)
	}
}

func TestRequestsAreRefused(t *testing.T) {
	w := newIdleWorld(t, func(o *backtest.Options) { o.Limits.MaxSensors = 1 })
	rule, err := w.rules.Create(w.globex.As(t.Context(), tenancy.Engineer), hot(1))
	w.ok(err)
	bad := hot(80)
	bad.MinConsecutive, bad.Parameter = 0, "flou"
	draft := []backtest.Draft{{Spec: hot(80)}}
	one := []id.UUID{w.acme.SensorIDs[0]}
	for name, c := range map[string]struct {
		ctx  context.Context
		q    backtest.Request
		want string
	}{
		"nothing to judge by":     {nil, backtest.Request{From: w.start, To: w.at(1)}, "input.ruleIds error.backtest.nothing"},
		"backwards":               {nil, backtest.Request{From: w.start, To: w.start, Drafts: draft}, "input.to error.replay.range"},
		"too long":                {nil, backtest.Request{From: w.start.AddDate(0, -4, 0), To: w.start, Drafts: draft}, "input.from error.backtest.period"},
		"beyond the retention":    {nil, backtest.Request{From: w.start.AddDate(0, 0, -31), To: w.start, Drafts: draft}, "input.from error.backtest.retention"},
		"too many sensors":        {nil, backtest.Request{From: w.start, To: w.at(1), Drafts: draft}, "input error.backtest.sensors"},
		"another tenant's rule":   {nil, backtest.Request{From: w.start, To: w.at(1), Rules: []id.UUID{rule.ID}, Sensors: one}, "input.ruleIds error.notFound"},
		"in place of it":          {nil, backtest.Request{From: w.start, To: w.at(1), Drafts: []backtest.Draft{{Spec: hot(1), Replaces: &rule.ID}}, Sensors: one}, "input.drafts.0.ruleId error.notFound"},
		"another tenant's sensor": {nil, backtest.Request{From: w.start, To: w.at(1), Drafts: draft, Sensors: []id.UUID{w.globex.SensorIDs[0]}}, "input.sensorIds error.notFound"},
		"another tenant's site":   {nil, backtest.Request{From: w.start, To: w.at(1), Drafts: draft, Site: &w.globex.SiteID}, "input.siteId error.notFound"},
		"another tenant's asset":  {nil, backtest.Request{From: w.start, To: w.at(1), Drafts: draft, Asset: &w.globex.AssetID}, "input.assetId error.notFound"},
		"no such version":         {nil, backtest.Request{From: w.start, To: w.at(1), Version: &rule.ID, Sensors: one}, "input.modelVersionId error.notFound"},
		"a bad draft":             {nil, backtest.Request{From: w.start, To: w.at(1), Drafts: []backtest.Draft{draft[0], {Spec: bad}}, Sensors: one}, "input.drafts.1.rule.parameter error.rule.parameterUnknown"},
		"an operator":             {w.as(tenancy.Operator), backtest.Request{From: w.start, To: w.at(1), Drafts: draft, Sensors: one}, "error.forbidden"},
		"nobody":                  {t.Context(), backtest.Request{From: w.start, To: w.at(1), Drafts: draft, Sensors: one}, "error.unauthenticated"},
	} {
		if c.ctx == nil {
			c.ctx = w.engineer()
		}
		if _, err := w.Start(c.ctx, c.q); keyOf(err) != c.want {
			t.Errorf("%s: %s, want %s", name, keyOf(err), c.want)
		}
	}
	if n := w.ask(`SELECT count(*) FROM backtests`); n != 0 {
		t.Errorf("%d were started", n)
	}
}

// What is lost ends, and what has had its time goes, with its result.
func TestSweep(t *testing.T) {
	w := newIdleWorld(t, nil)
	q := w.twoSensors()
	x, err := w.Start(w.engineer(), q)
	w.ok(err)
	w.ok(backtest.Sweep(w.engineer(), w.Service, x.ID))
	b, err := w.Backtest(w.engineer(), x.ID)
	if w.ok(err); b.Status != enum.JobFailed || b.Failure.Key != "error.job.lost" {
		t.Errorf("%+v", b)
	}
	y, err := w.Start(w.engineer(), q)
	w.ok(err)
	w.ok(backtest.Run(w.engineer(), w.Service, y.ID))
	w.ok(backtest.Sweep(w.engineer(), w.Service, y.ID))
	if n := w.ask(`SELECT count(*) FROM backtest_alarms`); n != 25 {
		t.Errorf("%d alarms before their time is over", n)
	}
	w.sql(`UPDATE backtests SET created_at = $1`, time.Now().AddDate(0, 0, -91))
	w.ok(backtest.Sweep(w.engineer(), w.Service, y.ID))
	w.ok(backtest.Sweep(w.engineer(), w.Service, x.ID))
	if n := w.ask(`SELECT (SELECT count(*) FROM backtests) + (SELECT count(*) FROM backtest_alarms)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
