package e2e

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// sent is a reading by its sensor and time, which no other reading has.
type sent struct {
	sensor string
	at     int64 // Unix ms
}

// load publishes readings of many sensors over several connections and knows which
// were acknowledged.
type load struct {
	mu           sync.Mutex
	published    int
	acknowledged map[sent]bool
	enough       chan struct{} // closed when target are acknowledged
	target       int
}

func newLoad(target int) *load {
	return &load{acknowledged: map[sent]bool{}, enough: make(chan struct{}), target: target}
}

// publish sends a reading and notes its acknowledgement when that comes.
func (l *load) publish(wait *sync.WaitGroup, c mqtt.Client, site, sensor string, at time.Time, flow float64) {
	l.mu.Lock()
	l.published++
	l.mu.Unlock()
	token := c.Publish(fmt.Sprintf("%s/%s/sensors/%s", alpha, site, sensor), 1, false, fmt.Appendf(nil, `{"timestamp":%q,"flow":%g}`, stamp(at), flow))
	wait.Go(func() {
		<-token.Done()
		if token.Error() != nil {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.acknowledged[sent{sensor, at.UnixMilli()}] = true
		if len(l.acknowledged) == l.target {
			close(l.enough)
		}
	})
}

// gateways of the demo's first tenant with the sensors behind them.
var gateways = map[string]struct {
	site    string
	sensors []string
}{
	alpha + ".gw-north": {"north-station", numbered("pump-a", 3, 8, "motor-a", 1, 8, "fan-a", 1, 4)},
	alpha + ".gw-river": {"river-works", numbered("pump-b", 1, 8, "fan-b", 1, 6)},
	alpha + ".gw-gas":   {"gas-hub", numbered("comp-c", 1, 8, "motor-c", 1, 8)},
}

func numbered(spec ...any) (out []string) {
	for ; len(spec) > 0; spec = spec[3:] {
		for n := spec[1].(int); n <= spec[2].(int); n++ {
			out = append(out, fmt.Sprintf("%s%02d-s1", spec[0], n))
		}
	}
	return out
}

// start publishes about perSecond readings a second until the context ends or the
// connections break; the channel is closed then. Every reading has a millisecond of
// its own, and every sensor's flow rises above the threshold for some time and again.
func (l *load) start(ctx context.Context, t testing.TB, i *instance, perSecond int) <-chan struct{} {
	wait := &sync.WaitGroup{}
	share := perSecond / len(gateways)
	for _, user := range slices.Sorted(maps.Keys(gateways)) {
		g, c := gateways[user], i.device(t, user)
		wait.Go(func() {
			tick := time.NewTicker(time.Second / time.Duration(share))
			defer tick.Stop()
			last := time.Now()
			for n := 0; ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				if !c.IsConnectionOpen() {
					return
				}
				at := time.Now().Truncate(time.Millisecond)
				if !at.After(last) {
					at = last.Add(time.Millisecond)
				}
				last = at
				round := n / len(g.sensors)
				l.publish(wait, c, g.site, g.sensors[n%len(g.sensors)], at, float64(round%5)*threshold/2)
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wait.Wait()
	}()
	return ended
}

// threshold of the flow in m³/h, above which the rule of these tests alarms.
const threshold = 100

// flowRule adds the rule for the tenant, and returns its id when it works: when a
// machine that takes no part in the load has raised an alarm by it.
func (i *instance) flowRule(t testing.TB, name string) string {
	t.Helper()
	type payload struct {
		CreateAlarmRule struct {
			Rule       *struct{ ID string }
			UserErrors []struct{ Message string }
		}
	}
	engineer := i.login(t, alpha, "engineer")
	p := get[payload](t, i, engineer, `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id } userErrors { message } } }`,
		vars{"in": vars{"name": name, "parameter": "flow", "operator": "GT", "threshold": threshold, "severity": "LOW"}})
	if p.CreateAlarmRule.Rule == nil {
		t.Fatalf("no rule: %+v", p.CreateAlarmRule.UserErrors)
	}
	rule := p.CreateAlarmRule.Rule.ID
	d := i.device(t, alpha+".gw-north")
	within(t, patience, "the new rule fires", func() bool {
		publish(t, d, alpha+"/north-station/sensors/pump-a01-s1", fmt.Appendf(nil, `{"flow":%d}`, 2*threshold))
		return len(i.history(t, engineer, rule)) > 0
	})
	return rule
}

// history returns the states of each sensor's alarms by the rule, in order, over all
// its events; "+" begins an event.
func (i *instance) history(t testing.TB, token, rule string) map[string][]string {
	t.Helper()
	type page struct {
		AlarmEvents struct {
			Nodes []struct {
				Sensor      struct{ Code string }
				Transitions []struct{ To string }
			}
		}
	}
	out := map[string][]string{}
	for _, e := range get[page](t, i, token, `query($rule: UUID) { alarmEvents(first: 100, filter: {ruleId: $rule}) {
		nodes { sensor { code } transitions { to } } } }`, vars{"rule": rule}).AlarmEvents.Nodes {
		out[e.Sensor.Code] = append(out[e.Sensor.Code], "+")
		for _, s := range e.Transitions {
			out[e.Sensor.Code] = append(out[e.Sensor.Code], s.To)
		}
	}
	return out
}

// expected returns the history that the stored readings give.
func expected(have map[sent]measured) map[string][]string {
	bySensor := map[string][]sent{}
	for s := range have {
		bySensor[s.sensor] = append(bySensor[s.sensor], s)
	}
	out := map[string][]string{}
	for sensor, readings := range bySensor {
		slices.SortFunc(readings, func(a, b sent) int { return int(a.at - b.at) })
		state := ""
		for _, r := range readings {
			next := state
			switch above := have[r].flow > threshold; {
			case above && state == "":
				out[sensor] = append(out[sensor], "+")
				next = "OPEN"
			case above:
				next = "OPEN"
			case state == "OPEN":
				next = "CLEARED"
			}
			if next != state {
				out[sensor], state = append(out[sensor], next), next
			}
		}
	}
	return out
}

// measured is what is stored for a sensor and time.
type measured struct {
	times int // how often
	flow  float64
}

// stored reads what is stored of the load's sensors since the time, by way of the
// graph's pages.
func (i *instance) stored(t testing.TB, token string, since time.Time) map[sent]measured {
	t.Helper()
	type page struct {
		Telemetry struct {
			Nodes []struct {
				Timestamp time.Time
				Values    []struct{ Value float64 }
			}
			PageInfo struct {
				HasNextPage bool
				EndCursor   *string
			}
		}
	}
	byCode := i.sensors(t, token)
	out := map[sent]measured{}
	for _, g := range gateways {
		for _, code := range g.sensors {
			for after := (*string)(nil); ; {
				p := get[page](t, i, token, `query($s: UUID!, $after: String, $from: Time) {
					telemetry(first: 100, after: $after, scope: {sensorId: $s}, from: $from) {
						nodes { timestamp values(parameters: ["flow"]) { value } } pageInfo { hasNextPage endCursor } } }`,
					vars{"s": byCode[code].ID, "after": after, "from": stamp(since)})
				for _, n := range p.Telemetry.Nodes {
					at := sent{code, n.Timestamp.UnixMilli()}
					out[at] = measured{out[at].times + 1, n.Values[0].Value}
				}
				if !p.Telemetry.PageInfo.HasNextPage {
					break
				}
				after = p.Telemetry.PageInfo.EndCursor
			}
		}
	}
	return out
}

// The process is killed under load, twice, and started again on its data: every
// reading that was acknowledged is stored exactly once, and the alarms are those of
// the stored readings, none lost and none doubled.
func TestKilledUnderLoad(t *testing.T) {
	dir := filepath.Join(work, "killed")
	i, err := start(dir, "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if i != nil {
			_ = i.kill() // it has ended unless the test failed
		}
	})
	rule := i.flowRule(t, "Flow under load")
	begin := time.Now()
	acknowledged := map[sent]bool{}
	for round := 1; round <= 2; round++ {
		l := newLoad(1500)
		ctx, stop := context.WithCancel(t.Context())
		ended := l.start(ctx, t, i, 500)
		select {
		case <-l.enough:
		case <-time.After(patience):
			t.Error("the load is not acknowledged in time")
		}
		if err := i.kill(); err != nil {
			t.Error(err)
		}
		stop()
		<-ended
		maps.Copy(acknowledged, l.acknowledged)

		down := time.Now()
		if i, err = start(dir, "--rate", "0"); err != nil {
			t.Fatal(err)
		}
		up := time.Since(down)
		r := i.recovered(t, rule, begin, acknowledged)
		figure("kill -9 under load, round %d: %d published, %d acknowledged; so far %d acknowledged, %d stored, %d missing, %d duplicates, %d alarm transitions; serves again after %.1f s, all is read back after %.1f s",
			round, l.published, len(l.acknowledged), len(acknowledged), r.stored, r.missing, r.twice, r.transitions, up.Seconds(), time.Since(down).Seconds())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := i.interrupt(ctx); err != nil {
		t.Error(err)
	}
}

type recovery struct{ stored, missing, twice, transitions int }

// recovered compares what is stored with what was acknowledged, and the alarms with
// what is stored.
func (i *instance) recovered(t *testing.T, rule string, since time.Time, acknowledged map[sent]bool) (r recovery) {
	t.Helper()
	token := i.login(t, alpha, "viewer")
	var have map[sent]measured
	var raised, want map[string][]string
	deadline := time.Now().Add(patience)
	for agree := false; !agree && time.Now().Before(deadline); {
		have = i.stored(t, token, since)
		raised, want = i.history(t, token, rule), expected(have)
		delete(raised, "pump-a01-s1") // by which the rule was tried
		r.missing = 0
		for s := range acknowledged {
			if have[s].times == 0 {
				r.missing++
			}
		}
		agree = r.missing == 0 && maps.EqualFunc(raised, want, slices.Equal[[]string])
	}
	if r.missing > 0 {
		t.Errorf("%d of %d acknowledged readings are lost", r.missing, len(acknowledged))
	}
	for sensor, states := range want {
		r.transitions += len(states)
		if !slices.Equal(raised[sensor], states) {
			t.Errorf("alarms of %s: %v, its readings give %v", sensor, raised[sensor], states)
		}
	}
	for s, m := range have {
		if m.times != 1 {
			r.twice++
			t.Errorf("%s at %d is stored %d times", s.sensor, s.at, m.times)
		}
	}
	r.stored = len(have)
	return r
}
