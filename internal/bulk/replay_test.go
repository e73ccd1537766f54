package bulk_test

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// past is a history in memory and a log that takes it, which may be full.
type past struct {
	w        *world
	messages []telemetry.Raw // in the order of event time, all of one part
	mu       sync.Mutex
	full     int // so many calls find the log full
	dies     int // the call that fails for no reason of its own; 0: none
	calls    int
	appended map[telemetry.IngestID]int
	asked    []bulk.Stretch
}

const kept = 30 * 24 * time.Hour

func (p *past) Retention(id.UUID) (time.Duration, bool) { return kept, true }

func (p *past) Parts(_ context.Context, s bulk.Stretch) ([]bulk.HistoryPart, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, s)
	return []bulk.HistoryPart{
		{Name: "0/2", Read: func(context.Context, time.Time) iter.Seq2[*telemetry.Raw, error] {
			return func(func(*telemetry.Raw, error) bool) {}
		}},
		{Name: "1/2", Rows: uint64(len(p.messages)), Read: func(_ context.Context, from time.Time) iter.Seq2[*telemetry.Raw, error] {
			return func(yield func(*telemetry.Raw, error) bool) {
				for i := range p.messages {
					m := &p.messages[i]
					if m.Tenant == s.Tenant && !m.Timestamp.Before(from) && m.Timestamp.Before(s.To) &&
						(s.Sensors == nil || slices.Contains(s.Sensors, m.Sensor)) && !yield(m, nil) {
						return
					}
				}
			}
		}},
	}, nil
}

var errDied = errors.New("the process died")

func (p *past) Readmit(_ context.Context, _ id.UUID, _ []id.UUID, messages []*telemetry.Raw) ([]bulk.Readmitted, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls++; p.calls == p.dies {
		return nil, errDied
	}
	if p.full > 0 {
		p.full--
		return nil, fault.New(fault.Unavailable, "error.log.full")
	}
	out := make([]bulk.Readmitted, len(messages))
	for i, m := range messages {
		if m.Sensor == p.w.acme.SensorIDs[1] {
			out[i].Reason = "inactive_sensor"
			continue
		}
		p.appended[m.IngestID]++
		out[i] = bulk.Readmitted{Partition: 1, Seq: uint64(len(p.appended))}
	}
	return out, nil
}

// remembers gives the world a history of n messages, a minute apart, half of each
// sensor, the newest of a minute ago.
func (w *world) remembers(n int) *past {
	p := &past{w: w, appended: map[telemetry.IngestID]int{}}
	for i := range n {
		m := telemetry.Raw{Reading: telemetry.Reading{Key: w.acme.Key(i % 2), Timestamp: time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(i-n) * time.Minute)}}
		binary.BigEndian.PutUint64(m.IngestID[:], uint64(i)+1)
		p.messages = append(p.messages, m)
	}
	w.History, w.Gate = p, p
	return p
}

// workersPass lets the checkpoint of the backfill pass everything.
func (w *world) workersPass() {
	w.sql(`INSERT INTO log_checkpoints (reader, number, sequence) VALUES ('backfill', 1, 1000000)`)
}

func (w *world) replay(ctx context.Context, q bulk.ReplayRequest) *bulk.Replay {
	w.Helper()
	x, err := w.StartReplay(ctx, q)
	w.ok(err)
	return last(w, follow(w, ctx, x.ID, w.Replay))
}

// Everything of the time is brought in, over a full log and a death; what may not
// enter is counted by its reason.
func TestReplay(t *testing.T) {
	w := newIdleWorld(t, bulk.Limits{})
	p := w.remembers(3000)
	p.full, p.dies = 1, 3
	w.workersPass()
	w.work()
	x := w.replay(w.as(tenancy.Engineer), bulk.ReplayRequest{From: time.Now().Add(-2000 * time.Minute), To: time.Now()})
	if x.Failure != nil || x.Status != "succeeded" || x.By == nil || *x.By != w.acme.Users[tenancy.Engineer] {
		t.Fatalf("%+v", x)
	}
	if n := len(p.appended); n != 1000 && n != 999 { // the time goes on meanwhile
		t.Errorf("%d messages were brought in", n)
	}
	// What was done before the death is done once more at most where it stood.
	again := 0
	for _, n := range p.appended {
		again += n - 1
	}
	if again > 1 || x.Appended > uint64(len(p.appended)+1) || x.Appended < uint64(len(p.appended)) {
		t.Errorf("%d told of %d, %d of them twice", x.Appended, len(p.appended), again)
	}
	if r := x.Rejected["inactive_sensor"]; len(x.Rejected) != 1 || r < 999 || r > 1001 {
		t.Errorf("rejected %v", x.Rejected)
	}
	if n := w.count(`SELECT count(*) FROM audit_logs WHERE action = 'replay' AND entity_id = $1 AND entity = 'ReplayJob'`, x.ID); n != 1 {
		t.Errorf("%d entries in the audit log", n)
	}
}

// A replay ends when the workers have done what it appended, not before.
func TestReplayEndsWithTheWorkers(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	w.remembers(100)
	ctx := w.as(tenancy.Engineer)
	x, err := w.StartReplay(ctx, bulk.ReplayRequest{From: time.Now().Add(-time.Hour), To: time.Now()})
	w.ok(err)
	c := follow(w, ctx, x.ID, w.Replay)
	for x := range c {
		if x.Ended() {
			t.Fatalf("ended before the workers: %+v", x)
		}
		if x.Phase != nil && *x.Phase == bulk.Writing {
			break
		}
	}
	w.workersPass()
	if x := last(w, c); x.Status != "succeeded" {
		t.Errorf("%+v", x)
	}
}

func TestReplaysAreNarrowed(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	p := w.remembers(100)
	w.workersPass()
	sensor := w.acme.SensorIDs[0]
	q := bulk.ReplayRequest{From: time.Now().Add(-time.Hour), To: time.Now(), Sensors: []id.UUID{sensor}}
	w.replay(w.as(tenancy.Engineer), q)
	q.Sensors, q.Asset = nil, &w.acme.AssetID
	w.replay(w.limited(w.acme.SiteID), q)
	if len(p.asked) != 2 || !slices.Equal(p.asked[0].Sensors, []id.UUID{sensor}) || p.asked[0].Sites != nil ||
		len(p.asked[1].Sensors) != 2 || !slices.Equal(p.asked[1].Sites, []id.UUID{w.acme.SiteID}) {
		t.Errorf("%+v", p.asked)
	}
	// Another site's are not there; nor are another tenant's.
	all, err := w.Jobs(w.limited(w.south), pageArgs(10, nil))
	if w.ok(err); len(all.Items) != 0 || all.Total != 0 {
		t.Errorf("%d jobs of another site", len(all.Items))
	}
	all, err = w.Jobs(w.limited(w.acme.SiteID), pageArgs(10, nil))
	if w.ok(err); len(all.Items) != 1 {
		t.Errorf("%d jobs of the site", len(all.Items))
	}
	whole, err := w.Jobs(w.as(tenancy.Viewer), pageArgs(10, nil))
	if w.ok(err); len(whole.Items) != 2 {
		t.Errorf("%d jobs", len(whole.Items))
	}
	for name, ctx := range map[string]context.Context{"another site": w.limited(w.south), "another tenant": w.globex.As(t.Context(), tenancy.Admin)} {
		for _, j := range whole.Items {
			if _, err := w.Replay(ctx, j.Base().ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s sees a replay: %v", name, err)
			}
		}
	}
}

func TestReplaysThatAreRefused(t *testing.T) {
	w := newIdleWorld(t, bulk.Limits{MaxPending: 1})
	good := bulk.ReplayRequest{From: time.Now().Add(-time.Hour), To: time.Now()}
	engineer := w.as(tenancy.Engineer)
	if _, err := w.StartReplay(engineer, good); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a landing zone: %v", err)
	}
	w.remembers(1)
	stranger := id.New(id.Sensor)
	for name, c := range map[string]struct {
		ctx  context.Context
		q    bulk.ReplayRequest
		kind fault.Kind
		path string
	}{
		"a viewer":             {w.as(tenancy.Viewer), good, fault.Forbidden, ""},
		"backwards":            {engineer, bulk.ReplayRequest{From: good.To, To: good.From}, fault.BadInput, "input.to"},
		"beyond the retention": {engineer, bulk.ReplayRequest{From: time.Now().Add(-kept - time.Hour), To: time.Now()}, fault.BadInput, "input.from"},
		"an unknown sensor":    {engineer, bulk.ReplayRequest{From: good.From, To: good.To, Sensors: []id.UUID{stranger}}, fault.NotFound, "input.sensorIds"},
		"another tenant's sensor": {engineer, bulk.ReplayRequest{From: good.From, To: good.To, Sensors: []id.UUID{w.globex.SensorIDs[0]}},
			fault.NotFound, "input.sensorIds"},
		"another tenant's site": {engineer, bulk.ReplayRequest{From: good.From, To: good.To, Site: &w.globex.SiteID}, fault.NotFound, "input.siteId"},
		"a sensor of another site": {w.limited(w.south), bulk.ReplayRequest{From: good.From, To: good.To, Sensors: []id.UUID{w.acme.SensorIDs[0]}},
			fault.NotFound, "input.sensorIds"},
		"an asset of another site": {w.limited(w.south), bulk.ReplayRequest{From: good.From, To: good.To, Asset: &w.acme.AssetID}, fault.NotFound, "input.assetId"},
	} {
		_, err := w.StartReplay(c.ctx, c.q)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != c.kind || c.path != "" && f.Field != c.path {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.StartReplay(engineer, good)
	w.ok(err)
	if _, err := w.StartReplay(engineer, good); !fault.Is(err, fault.Conflict) {
		t.Errorf("one too many: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM replay_jobs`); n != 1 {
		t.Errorf("%d replays", n)
	}
}
