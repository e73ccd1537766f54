package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// garbageFed is the sensor that the garbage is about. A reading whose time was broken
// may be some minutes ahead, and what follows is late then.
const garbageFed = "pump-a07-s1"

// garbage is a source of messages that are wrong in every way, always the same ones.
type garbage struct{ *rand.Rand }

func newGarbage(seed uint64) garbage { return garbage{rand.New(rand.NewPCG(seed, 20260301))} }

func (g garbage) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g garbage) bytes(most int) []byte {
	b := make([]byte, g.IntN(most+1))
	for k := range b {
		b[k] = byte(g.Uint32())
	}
	return b
}

// topic is anything that a client may publish to: no wildcards and no NUL, which end
// the connection before anything is looked at.
func (g garbage) topic() string {
	good := alpha + "/north-station/sensors/" + garbageFed
	switch g.IntN(6) {
	case 0, 1:
		return good
	case 2:
		return strings.Replace(good, g.pick(alpha, "north-station", "sensors", garbageFed), g.pick("", "x", "BETA", beta, "jubail-plant", "ü", "../..", "%00", strings.Repeat("y", 300)), 1)
	case 3:
		return g.pick("sensors", "sensors/"+garbageFed, "sensors/pump-d02-s1", "sensors/", "/", "//", "$SYS/broker", "spBv1.0/g/DDATA/n/d", good+"/more")
	}
	text := strings.NewReplacer("#", "h", "+", "p", "\x00", "0").Replace(strings.ToValidUTF8(string(g.bytes(40)), "?"))
	if text == "" || text[0] == '$' {
		return "t" + text
	}
	return text
}

func (g garbage) payload() []byte {
	good := fmt.Sprintf(`{"timestamp":%q,"flow":%d}`, stamp(time.Now()), g.IntN(90))
	switch g.IntN(8) {
	case 0:
		return g.bytes(200)
	case 1: // a good one with some bytes changed
		b := []byte(good)
		for range 1 + g.IntN(3) {
			b[g.IntN(len(b))] = byte(g.Uint32())
		}
		return b
	case 2:
		return []byte(good[:g.IntN(len(good))])
	case 3:
		return []byte(g.pick(`null`, `[]`, `"text"`, `{}`, `{"flow":null}`, `{"flow":"12"}`, `{"flow":1e999}`, `{"flow":-5}`, `{"flow":1,"flow":2}`,
			`{"flow":NaN}`, `{"unknown":1}`, `{"flow":{"flow":1}}`, `{"parameters":[1]}`, `{"motor_data":{"DE":{"vib_band_1":99999}}}`, `{"sensor_code":7,"flow":1}`))
	case 4:
		return fmt.Appendf(nil, `{"timestamp":%s,"flow":1}`, g.pick(`"yesterday"`, `-1`, `1e30`, `"2199-01-01T00:00:00Z"`, `"1999-01-01T00:00:00Z"`, `true`, `[]`, `""`))
	case 5:
		n := 1 + g.IntN(60)
		return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `,"flow":1}`)
	case 6:
		return fmt.Appendf(nil, `{"%s":%s}`, strings.Repeat("k", g.IntN(500)), strings.Repeat("9", 1+g.IntN(400)))
	}
	return []byte(good)
}

// TestGarbageOverMQTT sends 20,000 messages of a good credential that are wrong in
// every way. Each is acknowledged and either taken or counted with its reason, and
// the last ones can be read in the graph.
func TestGarbageOverMQTT(t *testing.T) {
	i := quiet.get(t)
	token := i.login(t, alpha, "engineer")
	before := i.metrics(t)
	const messages, clients = 20_000, 4
	var acknowledged, failed atomic.Int64
	t.Run("clients", func(t *testing.T) {
		for c := range clients {
			t.Run(fmt.Sprint(c), func(t *testing.T) {
				t.Parallel()
				g, d := newGarbage(uint64(c)), i.device(t, alpha+".gw-north")
				var waiting []mqtt.Token
				settle := func() {
					for _, w := range waiting {
						if w.WaitTimeout(patience) && w.Error() == nil {
							acknowledged.Add(1)
						} else {
							failed.Add(1)
						}
					}
					waiting = waiting[:0]
				}
				for range messages / clients {
					waiting = append(waiting, d.Publish(g.topic(), 1, false, g.payload()))
					if len(waiting) == 200 {
						settle()
					}
				}
				settle()
			})
		}
	})
	i.alive(t)
	if failed.Load() > 0 {
		t.Errorf("%d messages were not acknowledged", failed.Load())
	}
	var taken, refused float64
	within(t, patience, "every acknowledged message is counted", func() bool {
		after := i.metrics(t)
		count := func(parts ...string) float64 { return sum(after, parts...) - sum(before, parts...) }
		taken = count("foresight_ingest_messages_total")
		refused = count("foresight_ingest_rejected_total")
		return int64(taken+refused) == acknowledged.Load()
	})
	reasons := map[string]bool{}
	for name := range i.metrics(t) {
		if rest, ok := strings.CutPrefix(name, `foresight_ingest_rejected_total{reason="`); ok {
			reasons[rest[:strings.IndexByte(rest, '"')]] = true
		}
	}
	for _, want := range []string{"bad_topic", "bad_json", "duplicate_key", "implausible_value", "not_a_number", "bad_timestamp", "timestamp_in_future",
		"timestamp_too_old", "no_values", "too_deep", "unknown_sensor", "wrong_tenant", "wrong_site", "bad_field"} {
		if !reasons[want] {
			t.Errorf("no message was refused as %s", want)
		}
	}
	type list struct {
		RejectedReadings []struct{ Reason, Message, Topic, Payload string }
	}
	var shown []struct{ Reason, Message, Topic, Payload string }
	within(t, patience, "refused messages in the graph", func() bool {
		shown = get[list](t, i, token, `{ rejectedReadings(first: 100) { reason message topic payload } }`, nil).RejectedReadings
		return len(shown) == 100
	})
	for _, r := range shown {
		if !reasons[r.Reason] || r.Message == "" || strings.Contains(r.Message, "error.") || !utf8.ValidString(r.Payload) {
			t.Errorf("shown as %+v", r)
		}
	}
	figure("garbage over MQTT: %d messages acknowledged, %.0f taken, %.0f refused for %d reasons %v", acknowledged.Load(), taken, refused,
		len(reasons), slices.Sorted(maps.Keys(reasons)))
	i.stillWorks(t)
}

// stillWorks shows that a good reading goes all the way.
func (i *instance) stillWorks(t testing.TB) {
	t.Helper()
	i.alive(t)
	token := i.login(t, alpha, "viewer")
	sensor := i.sensors(t, token)["motor-a08-s1"]
	at := stamp(time.Now())
	publish(t, i.device(t, alpha+".gw-north"), alpha+"/north-station/sensors/motor-a08-s1", fmt.Appendf(nil, `{"timestamp":%q,"flow":7.5}`, at))
	type latest struct{ LatestReadings []struct{ Timestamp string } }
	within(t, patience, "a good reading", func() bool {
		p := get[latest](t, i, token, `query($s: UUID) { latestReadings(scope: {sensorId: $s}) { timestamp } }`, vars{"s": sensor.ID})
		return len(p.LatestReadings) == 1 && p.LatestReadings[0].Timestamp == at
	})
}
