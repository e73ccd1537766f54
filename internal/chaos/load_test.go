package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"foresight/internal/telemetry"
)

// reading is one by its sensor and time, which no other reading has.
type reading struct {
	sensor string
	at     int64 // Unix ms
}

// message is a reading on its way.
type message struct {
	reading
	topic   string
	payload []byte
}

// ledger knows what was sent and what was acknowledged, of all loads of the run.
type ledger struct {
	mu           sync.Mutex
	published    int // readings; a repetition is none
	repeated     int
	acknowledged map[reading]bool
	acks         []time.Time     // in their order
	took         []time.Duration // of each, since the reading was made
	lost         int             // connections
}

func (l *ledger) acknowledge(r reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[r] = true
	now := time.Now()
	l.acks = append(l.acks, now)
	l.took = append(l.took, now.Sub(time.UnixMilli(r.at)))
}

func (l *ledger) count() (published, acknowledged int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published, len(l.acknowledged)
}

// silence is the longest time without an acknowledgement that touches [from, to].
func (l *ledger) silence(from, to time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 1; i < len(l.acks); i++ {
		if l.acks[i].After(from) && l.acks[i-1].Before(to) {
			longest = max(longest, l.acks[i].Sub(l.acks[i-1]))
		}
	}
	return longest
}

// latest is when the last acknowledgement came.
func (l *ledger) latest() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.acks) == 0 {
		return time.Time{}
	}
	return l.acks[len(l.acks)-1]
}

// after is when the first acknowledgement after the time came, zero when there is none.
func (l *ledger) after(at time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.acks, at.Before); i >= 0 {
		return l.acks[i]
	}
	return time.Time{}
}

// line is a gateway with its sensors and one connection. What was not acknowledged when
// the connection broke is sent again, in order and before anything new, as MQTT has it.
type line struct {
	user, tenant, site string
	sensors            []string
	broker             string
	every              time.Duration // between two messages; 0: as fast as the window allows
	window             int           // unacknowledged messages on the way
	ledger             *ledger

	mu      sync.Mutex
	unacked []*message
	changed chan struct{} // has an element after acknowledgements and the end of a connection
	number  int           // of messages made
	last    time.Time     // of them
}

const reconnectAfter = 100 * time.Millisecond

// run publishes until producing ends, and then until all is acknowledged or ctx ends.
func (l *line) run(ctx, producing context.Context) {
	for ctx.Err() == nil {
		if producing.Err() != nil && l.idle() {
			return
		}
		c := l.connect()
		if c == nil {
			wait(ctx, reconnectAfter)
			continue
		}
		l.publish(ctx, producing, c)
		c.Disconnect(0)
		if ctx.Err() == nil && !(producing.Err() != nil && l.idle()) {
			l.ledger.mu.Lock()
			l.ledger.lost++
			l.ledger.mu.Unlock()
			wait(ctx, reconnectAfter)
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (l *line) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unacked) == 0
}

// connect returns nil when the broker cannot be reached.
func (l *line) connect() mqtt.Client {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + l.broker).SetClientID("chaos-" + l.user).
		SetUsername(l.user).SetPassword(gatewaySecret).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).
		SetKeepAlive(5 * time.Second).SetPingTimeout(3 * time.Second).SetWriteTimeout(5 * time.Second).SetOrderMatters(false).
		SetConnectionLostHandler(func(mqtt.Client, error) { l.wake() }))
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		c.Disconnect(0)
		return nil
	}
	return c
}

func (l *line) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// publish sends over one connection until it breaks or everything is done.
func (l *line) publish(ctx, producing context.Context, c mqtt.Client) {
	var waiting sync.WaitGroup
	defer waiting.Wait() // the tokens of a lost connection fail
	defer c.Disconnect(0)
	l.mu.Lock()
	again := slices.Clone(l.unacked)
	l.mu.Unlock()
	l.ledger.mu.Lock()
	l.ledger.repeated += len(again)
	l.ledger.mu.Unlock()
	for i, m := range again {
		token := l.send(c, &waiting, m)
		if refused(token) {
			return
		}
		if i > 0 {
			continue
		}
		// The first one tells whether the door takes anything. A client that pushes on
		// while its connection is being ended blocks for its write timeout.
		select {
		case <-token.Done():
		case <-ctx.Done():
		}
		if token.Error() != nil {
			return
		}
	}
	tick := time.NewTicker(max(l.every, time.Millisecond))
	defer tick.Stop()
	for c.IsConnectionOpen() && ctx.Err() == nil {
		full := false
		if producing.Err() == nil {
			l.mu.Lock()
			full = len(l.unacked) >= l.window
			l.mu.Unlock()
			if !full && refused(l.send(c, &waiting, l.next())) {
				return // it is sent again, before anything new, over the next connection
			}
		} else if l.idle() {
			return
		}
		if l.every == 0 && !full && producing.Err() == nil {
			continue
		}
		select {
		case <-l.changed:
			if full || producing.Err() != nil {
				continue
			}
			select { // keep the pace
			case <-tick.C:
			case <-ctx.Done():
			}
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// channels are the members of a reading that the model looks at, of a machine at rest.
var channels = func() (text string) {
	values := [telemetry.Quantities]float64{0.8, 0.6, 0.4, 0.2, 18, 42}
	for c := range telemetry.Channel(telemetry.Channels) {
		text += fmt.Sprintf(",%q:%g", c, values[c.Quantity()])
	}
	return text
}()

// next makes the next reading, which is predicted as soon as the window is full. Each
// sensor's flow rises above the threshold for some time and again.
func (l *line) next() *message {
	at := time.Now().Truncate(time.Millisecond)
	if !at.After(l.last) {
		at = l.last.Add(time.Millisecond)
	}
	l.last = at
	sensor, round := l.sensors[l.number%len(l.sensors)], l.number/len(l.sensors)
	l.number++
	m := &message{reading{sensor, at.UnixMilli()}, fmt.Sprintf("%s/%s/sensors/%s", l.tenant, l.site, sensor),
		fmt.Appendf(nil, `{"timestamp":%q,"flow":%g%s}`, at.UTC().Format("2006-01-02T15:04:05.000Z"), float64(round%5)*threshold/2, channels)}
	l.mu.Lock()
	l.unacked = append(l.unacked, m)
	l.mu.Unlock()
	l.ledger.mu.Lock()
	l.ledger.published++
	l.ledger.mu.Unlock()
	return m
}

func (l *line) send(c mqtt.Client, waiting *sync.WaitGroup, m *message) mqtt.Token {
	token := c.Publish(m.topic, 1, false, m.payload)
	waiting.Go(func() {
		<-token.Done()
		if token.Error() != nil {
			return
		}
		l.mu.Lock()
		if i := slices.Index(l.unacked, m); i >= 0 {
			l.unacked = slices.Delete(l.unacked, i, i+1)
			l.ledger.acknowledge(m.reading)
		}
		l.mu.Unlock()
		l.wake()
	})
	return token
}

// refused reports whether the client has given a message up already: one that a busy
// door does not take in time fails, and the connection goes on without it.
func refused(token mqtt.Token) bool {
	select {
	case <-token.Done():
		return token.Error() != nil
	default:
		return false
	}
}

// plant are the gateways of the demo with the sensors behind them.
var plant = []struct {
	tenant, gateway, site string
	sensors               []string
}{
	{alpha, "gw-north", "north-station", numbered("pump-a", 8, "motor-a", 8, "fan-a", 4)},
	{alpha, "gw-river", "river-works", numbered("pump-b", 8, "fan-b", 6)},
	{alpha, "gw-gas", "gas-hub", numbered("comp-c", 8, "motor-c", 8)},
	{beta, "gw-jubail", "jubail-plant", numbered("pump-d", 12, "motor-d", 10)},
}

func numbered(spec ...any) (out []string) {
	for ; len(spec) > 0; spec = spec[2:] {
		for n := 1; n <= spec[1].(int); n++ {
			out = append(out, fmt.Sprintf("%s%02d-s1", spec[0], n))
		}
	}
	return out
}

// load is gateways that publish.
type load struct {
	in     *installation
	ledger *ledger
	cancel context.CancelFunc // of producing
	giveUp context.CancelFunc
	ended  chan struct{}
}

// start has the gateways of the tenant publish, perSecond readings a second together
// (0: as fast as they are taken), each with the window of messages on their way.
func (in *installation) start(t testing.TB, tenant string, perSecond, window int) *load {
	t.Helper()
	l := &load{in: in, ledger: &ledger{acknowledged: map[reading]bool{}}, ended: make(chan struct{})}
	ctx, giveUp := context.WithCancel(context.WithoutCancel(t.Context()))
	producing, cancel := context.WithCancel(ctx)
	l.cancel, l.giveUp = cancel, giveUp
	var lines []*line
	for _, g := range plant {
		if g.tenant == tenant {
			lines = append(lines, &line{user: g.tenant + "." + g.gateway, tenant: g.tenant, site: g.site, sensors: g.sensors,
				broker: in.broker, window: window, ledger: l.ledger, changed: make(chan struct{}, 1)})
		}
	}
	var running sync.WaitGroup
	for _, x := range lines {
		if perSecond > 0 {
			x.every = time.Second * time.Duration(len(lines)) / time.Duration(perSecond)
		}
		running.Go(func() { x.run(ctx, producing) })
	}
	go func() {
		defer close(l.ended)
		running.Wait()
	}()
	t.Cleanup(func() {
		giveUp()
		<-l.ended
	})
	return l
}

// flows waits until n more readings are acknowledged than now.
func (l *load) flows(t testing.TB, n int) time.Duration {
	t.Helper()
	_, before := l.ledger.count()
	return within(t, patience, fmt.Sprintf("%d readings more are acknowledged", n), func() bool {
		_, now := l.ledger.count()
		return now >= before+n
	})
}

// finish stops producing and waits until everything sent is acknowledged.
func (l *load) finish(t testing.TB) {
	t.Helper()
	l.cancel()
	select {
	case <-l.ended:
	case <-time.After(patience):
		published, acknowledged := l.ledger.count()
		t.Fatalf("%d of %d readings are acknowledged", acknowledged, published)
	}
}
