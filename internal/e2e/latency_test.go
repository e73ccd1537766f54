package e2e

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// longEnv makes the measurement longer: 20 s rather than 5 s.
const longEnv = "FORESIGHT_E2E_LONG"

// tooSlow is how a connection ends that alarms have no room on.
const tooSlow = 4410

// The load under which latency is measured, and the flow that is unique to a reading.
const (
	perSecond   = 1000
	connections = 9
	firstFlow   = 1000.0
)

// TestLatency measures, under 1,000 readings a second, how long it takes from the
// publication of a reading to its frame at a subscriber of the whole tenant, and to
// the frame of an alarm that it raises. It asserts only that frames come.
func TestLatency(t *testing.T) {
	i := quiet.get(t)
	span := 5 * time.Second
	if os.Getenv(longEnv) != "" {
		span = 20 * time.Second
	}
	token := i.login(t, alpha, "viewer")
	rule := i.levelRule(t)
	s := i.dial(t, token)
	s.subscribe(t, "t", `subscription { telemetry { reading { sensorId values(parameters: ["flow"]) { value } } snapshot resync } }`, nil)
	follow := func(after *int) *socket {
		alarms := i.dial(t, token)
		alarms.subscribe(t, "a", `subscription($after: Long) { alarms(after: $after) { seq alarm { rule { id } sensor { id } } transition { to } } }`, vars{"after": after})
		return alarms
	}
	alarms := follow(nil)
	var heard []frame // over connections that ended

	for _, live := range []*socket{s, alarms} { // of alarms, that by which the rule was tried
		live.await(t, "a snapshot", func(f frame) bool { return f.Type == "next" })
	}

	cpu := i.metrics(t)["process_cpu_seconds_total"]
	p := i.pulse(t, perSecond, span)

	type item struct {
		Data struct {
			Telemetry *struct {
				Reading *struct {
					SensorID string
					Values   []struct{ Value float64 }
				}
				Resync bool
			}
			Alarms *struct {
				Seq        int
				Transition *struct{ To string }
				Alarm      *struct {
					Rule   struct{ ID string }
					Sensor struct{ ID string }
				}
			}
		}
	}
	var toFrame []time.Duration
	resyncs := 0
	measure := func() {
		toFrame, resyncs = toFrame[:0], 0
		for _, f := range s.received() {
			if f.Type != "next" {
				continue
			}
			d := decode[item](t, f.Payload).Data.Telemetry
			if d.Resync {
				resyncs++
			}
			if d.Reading == nil || len(d.Reading.Values) == 0 {
				continue
			}
			if at, ok := p.published[d.Reading.Values[0].Value]; ok {
				toFrame = append(toFrame, f.at.Sub(at))
			}
		}
	}
	last := p.lastFlow
	s.await(t, "the last reading", func(f frame) bool {
		if f.Type != "next" {
			return false
		}
		d := decode[item](t, f.Payload).Data.Telemetry
		return d.Reading != nil && len(d.Reading.Values) > 0 && d.Reading.Values[0].Value == last
	})
	measure()
	figure("latency of telemetry at %.0f readings/s (%d published in %s, %d failed, over %d connections): %s; %d of %d readings in frames, %d gaps told",
		float64(len(p.published))/span.Seconds(), len(p.published), span, p.failed, connections, spread(toFrame), len(toFrame), len(p.published), resyncs)

	byID := map[string][]time.Time{} // when each sensor rose above the level
	sensors := i.sensors(t, token)
	crossings := 0
	for code, times := range p.crossings {
		byID[sensors[code].ID] = times
		crossings += len(times)
	}
	var toAlarm, toNewAlarm []time.Duration
	opened := map[string]int{}
	defer func() {
		for sensor, times := range byID {
			if t.Failed() && opened[sensor] != len(times) {
				t.Logf("%s rose %d times, %d alarms came", sensor, len(times), opened[sensor])
			}
		}
	}()
	within(t, patience, "all alarms", func() bool {
		toAlarm, toNewAlarm = toAlarm[:0], toNewAlarm[:0]
		clear(opened)
		ended, last := alarms.failure(), 0 // in this order: behind the end nothing comes
		come := slices.Concat(heard, alarms.received())
		for _, f := range come {
			if f.Type != "next" {
				continue
			}
			d := decode[item](t, f.Payload).Data.Alarms
			last = d.Seq
			// The alarm itself may have been cleared again before it was read.
			if d.Transition == nil || d.Transition.To != "OPEN" || d.Alarm.Rule.ID != rule {
				continue
			}
			n := opened[d.Alarm.Sensor.ID]
			opened[d.Alarm.Sensor.ID]++
			if n >= len(byID[d.Alarm.Sensor.ID]) {
				t.Fatalf("an alarm of %s without cause", d.Alarm.Sensor.ID)
			}
			took := f.at.Sub(byID[d.Alarm.Sensor.ID][n])
			toAlarm = append(toAlarm, took)
			if n == 0 {
				toNewAlarm = append(toNewAlarm, took)
			}
		}
		switch {
		case websocket.CloseStatus(ended) == tooSlow: // whoever stood for seconds comes back
			heard, alarms = come, follow(&last)
		case ended != nil:
			t.Fatalf("%d of %d alarms, then the connection ended: %v", len(toAlarm), crossings, ended)
		}
		return len(toAlarm) == crossings
	})
	cpu = i.metrics(t)["process_cpu_seconds_total"] - cpu
	figure("processor time of the product without PostgreSQL, two subscribers watching: %.2f ms a reading", cpu*1000/float64(len(p.published)))
	figure("latency of alarms at the same time: new alarms %s; all that opened %s", spread(toNewAlarm), spread(toAlarm))
	if p.failed > 0 || len(toFrame) == 0 {
		t.Errorf("%d readings failed, %d frames came", p.failed, len(toFrame))
	}
}

// fedAlone are the sensors that other tests feed with the readings of the last seconds:
// had they said something newer before, those would be late and not judged.
var fedAlone = []string{garbageFed, thereFed, liveFed}

// spread is median, p99 and largest of durations.
func spread(ds []time.Duration) string {
	if len(ds) == 0 {
		return "none"
	}
	slices.Sort(ds)
	at := func(q float64) float64 { return float64(ds[int(q*float64(len(ds)-1))].Microseconds()) / 1000 }
	return fmt.Sprintf("median %.1f ms, p99 %.1f ms, max %.1f ms (n=%d)", at(0.5), at(0.99), at(1), len(ds))
}

// levelRule adds a rule over the pressure, which nothing else here sends.
func (i *instance) levelRule(t testing.TB) string {
	t.Helper()
	type payload struct {
		CreateAlarmRule struct{ Rule struct{ ID string } }
	}
	rule := get[payload](t, i, i.login(t, alpha, "engineer"), `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id } } }`,
		vars{"in": vars{"name": "Pressure " + stamp(time.Now()), "parameter": "pressure", "operator": "GT", "threshold": 1000, "severity": "LOW"}}).CreateAlarmRule.Rule.ID
	d := i.device(t, alpha+".gw-north")
	within(t, patience, "the new rule fires", func() bool {
		publish(t, d, alpha+"/north-station/sensors/pump-a01-s1", []byte(`{"pressure":2000}`))
		return len(i.history(t, i.login(t, alpha, "viewer"), rule)) > 0
	})
	return rule
}

// flows counts the readings of all pulses.
var flows atomic.Int64

// nextFlow returns a flow that no other reading has.
func nextFlow() float64 { return firstFlow + float64(flows.Add(1))/4 }

// pulse is what was published and when.
type pulse struct {
	mu        sync.Mutex
	published map[float64]time.Time  // by flow
	crossings map[string][]time.Time // by sensor: pressure above the level, then below
	lastFlow  float64
	failed    int
}

// pulseGrain is for how long a pulse may stand and make up for it.
const pulseGrain = 100 * time.Millisecond

// pulse publishes at the rate for the span, evenly, over several connections. Every twentieth
// reading changes the side of the level on which its sensor's pressure is.
func (i *instance) pulse(t testing.TB, perSecond float64, span time.Duration) *pulse {
	t.Helper()
	type target struct {
		client mqtt.Client
		topic  string
		code   string
		above  bool
		last   time.Time // of its readings
	}
	var targets []*target
	for user, g := range gateways {
		clients := make([]mqtt.Client, connections/len(gateways))
		for k := range clients {
			clients[k] = i.device(t, user)
		}
		for n, code := range g.sensors {
			if slices.Contains(fedAlone, code) {
				continue
			}
			targets = append(targets, &target{client: clients[n%len(clients)], topic: alpha + "/" + g.site + "/sensors/" + code, code: code})
		}
	}
	p := &pulse{published: map[float64]time.Time{}, crossings: map[string][]time.Time{}}
	var wait sync.WaitGroup
	begin := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; time.Since(begin) < span; {
		<-tick.C
		// What was due while this stood is sent later: all of it at once is another load.
		if behind := time.Since(begin) - time.Duration(float64(n)/perSecond*float64(time.Second)); behind > pulseGrain {
			begin = begin.Add(behind - pulseGrain)
		}
		for due := int(time.Since(begin).Seconds() * perSecond); n < due; n++ {
			to := targets[n%len(targets)]
			if n%20 == n/len(targets)%20 {
				to.above = !to.above
				if to.above {
					p.crossings[to.code] = append(p.crossings[to.code], time.Now())
				}
			}
			pressure := 1.0
			if to.above {
				pressure = 2000
			}
			p.lastFlow = nextFlow()
			now := time.Now()
			p.published[p.lastFlow] = now
			at := now.Truncate(time.Millisecond)
			if !at.After(to.last) { // no two readings of a sensor have one time
				at = to.last.Add(time.Millisecond)
			}
			to.last = at
			token := to.client.Publish(to.topic, 1, false, fmt.Appendf(nil, `{"timestamp":%q,"flow":%g,"pressure":%g}`, stamp(at), p.lastFlow, pressure))
			wait.Go(func() {
				if !token.WaitTimeout(patience) || token.Error() != nil {
					p.mu.Lock()
					p.failed++
					p.mu.Unlock()
				}
			})
		}
	}
	wait.Wait()
	return p
}
