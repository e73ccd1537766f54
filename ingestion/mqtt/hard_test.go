package mqtt_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"foresight/ingestion/decode"
	"foresight/internal/testkit"
)

// What was acknowledged is in the log although the log's server died and came back in
// the middle; what it did not confirm was sent again by the client.
func TestNothingAcknowledgedIsLostWhenTheLogDies(t *testing.T) {
	r := newRig(t, setup{})
	const n = 6000
	c := pahoClient(t, r.addr(), "c1", userA, password, func(o *paho.ClientOptions) {
		o.SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond).SetCleanSession(false)
	})
	if err := done(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	window := make(chan struct{}, 200)
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := map[int]bool{}
	died := make(chan struct{})
	at := time.Now().Add(-time.Hour).UnixMilli()
	for i := range n {
		if i == n/3 {
			go func() {
				defer close(died)
				if err := r.nats.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				if err := r.nats.Start(t.Context()); err != nil {
					t.Error(err)
				}
			}()
		}
		window <- struct{}{}
		payload := fmt.Sprintf(`{"flow":%d,"timestamp":%d}`, i, at+int64(i))
		token := c.Publish(topicA, 1, false, payload)
		wg.Go(func() {
			defer func() { <-window }()
			for give := time.Now().Add(4 * within); time.Now().Before(give); token = c.Publish(topicA, 1, false, payload) {
				if token.WaitTimeout(within) && token.Error() == nil {
					mu.Lock()
					acked[i] = true
					mu.Unlock()
					return
				} // the client gave it up while it was not connected
			}
		})
	}
	wg.Wait()
	<-died
	_, times := r.flows(t)
	lost, again := 0, 0
	for i := range acked {
		if times[i] == 0 {
			lost++
		}
		if times[i] > 1 {
			again++
		}
	}
	t.Logf("%d of %d acknowledged, %d stand in the log more than once (one ingest id each), %d unconfirmed", len(acked), n, again,
		r.admitter.Counters().Rejected("acme", decode.LogFull))
	if lost > 0 {
		t.Errorf("%d acknowledged messages are not in the log", lost)
	}
	if len(acked) != n {
		t.Errorf("%d of %d were acknowledged in the end", len(acked), n)
	}
}

// 100,000 messages of rubbish: none crashes, each is counted, each is acknowledged.
func TestGarbageStorm(t *testing.T) {
	r := newRig(t, setup{})
	const senders, each = 4, 25000
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			w := dial(t, r.addr())
			if code := w.logIn(t, 4, fmt.Sprint("s", s), userA, password); code != 0 {
				t.Errorf("log-in: %d", code)
				return
			}
			rnd := rand.New(rand.NewPCG(uint64(s), 1))
			acks := make(chan int)
			go func() {
				n := 0
				for ; n < each; n++ {
					if kind, _, err := w.next(); err != nil || kind != puback {
						break
					}
				}
				acks <- n
			}()
			for i := range each {
				if _, err := w.Write(w.publish(garbageTopic(rnd), 1, uint16(i%65000+1), garbage(rnd))); err != nil {
					t.Errorf("message %d: %v", i, err)
					break
				}
			}
			if n := <-acks; n != each {
				t.Errorf("%d of %d acknowledged", n, each)
			}
		})
	}
	wg.Wait()
	counted := r.admitter.Counters().Accepted("acme")
	seen := map[decode.Reason]uint64{}
	for _, reason := range decode.Reasons() {
		if n := r.admitter.Counters().Rejected("acme", reason); n > 0 {
			seen[reason] = n
			counted += n
		}
	}
	t.Logf("accepted %d, rejected %v", r.admitter.Counters().Accepted("acme"), seen)
	if counted != senders*each {
		t.Errorf("%d counted of %d", counted, senders*each)
	}
	for _, reason := range []decode.Reason{decode.BadTopic, decode.UnknownSensor, decode.WrongTenant, decode.BadJSON, decode.NotANumber,
		decode.Implausible, decode.DuplicateKey, decode.BadTimestamp, decode.TooDeep, decode.NoValues, decode.SensorMismatch} {
		if seen[reason] == 0 {
			t.Errorf("the storm has no %s: it is too tame", reason)
		}
	}
	w := logged(t, r.addr(), 4, userA)
	w.send(t, w.publish(topicA, 1, 1, flow(1)))
	w.ack(t, puback)
	testkit.Eventually(t, within, func() bool { return r.broker.Connections() <= 5 })
}

func garbageTopic(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return garbageText(r, 1+r.IntN(60))
	case 1:
		return "globex/north/sensors/pump-1-a"
	case 2:
		return "acme/north/sensors/" + fmt.Sprint("x-", r.IntN(1000))
	case 3:
		return "$" + garbageText(r, r.IntN(20))
	default:
		return topicA
	}
}

// garbageText has no wildcards, which would end the connection, and no zero.
func garbageText(r *rand.Rand, n int) string {
	out := []rune{}
	for range n {
		c := rune(1 + r.IntN(0x2fff))
		if c == '+' || c == '#' {
			c = '/'
		}
		out = append(out, c)
	}
	return string(out)
}

var seeds = []string{
	`{"flow":1,"timestamp":"2026-01-01T00:00:00Z"}`, `{"motor_data":{"DE":{"vib_band_1":1.5}}}`, `{"parameters":{"flow":1}}`,
	`{"flow":"1"}`, `{"flow":1e9}`, `{"flow":1,"flow":2}`, `{"x":1}`, `{"flow":1,"timestamp":"now"}`,
	`{"flow":1,"x":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}`, `{"flow":1,"sensor_code":"pump-1-b"}`, `{"flow":null}`, ``, `null`,
}

// garbage is a seed, a broken seed, or bytes.
func garbage(r *rand.Rand) string {
	b := []byte(seeds[r.IntN(len(seeds))])
	switch r.IntN(3) {
	case 0:
		for range 1 + r.IntN(4) {
			if len(b) > 0 {
				b[r.IntN(len(b))] = byte(r.IntN(256))
			}
		}
	case 1:
		b = make([]byte, r.IntN(200))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
	}
	return string(b)
}
