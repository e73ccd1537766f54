package mqtt_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"foresight/ingestion/decode"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// The log fills, as nobody takes from it: acknowledgements stop and memory does not
// grow. When somebody does, it clears by itself, and nothing acknowledged is missing.
func TestFullLogStopsAcknowledgementsUntilThereIsRoom(t *testing.T) {
	const n, window = 1500, 200
	r := newRig(t, setup{capacity: 512 << 10})
	counters := r.admitter.Counters()
	unacknowledged := paho.NewMemoryStore()
	c := pahoClient(t, r.addr(), "c1", userA, password, func(o *paho.ClientOptions) {
		o.SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond).SetCleanSession(false).SetStore(unacknowledged)
	})
	if err := done(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	pad := strings.Repeat("x", 1000)
	at := time.Now().Add(-time.Hour).UnixMilli()
	var wg sync.WaitGroup
	slots := make(chan struct{}, window)
	acknowledged := make(chan int, n)
	wg.Go(func() {
		for i := range n {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				payload := fmt.Sprintf(`{"flow":%d,"timestamp":%d,"pad":"%s"}`, i, at+int64(i), pad)
				for end := time.Now().Add(4 * within); time.Now().Before(end); {
					if token := c.Publish(topicA, 1, false, payload); token.WaitTimeout(within) && token.Error() == nil {
						acknowledged <- i
						return
					} // the client gave it up while it was not connected
				}
			})
		}
	})
	full := func() uint64 { return counters.Rejected("acme", decode.LogFull) }
	testkit.Eventually(t, within, func() bool { return full() >= 3 })
	taken, heap := counters.Accepted("acme"), heapInUse()
	was := full()
	testkit.Eventually(t, within, func() bool { return full() >= was+5 })
	if now := counters.Accepted("acme"); now != taken || int(now) >= n {
		t.Errorf("%d accepted, then %d, by a full log", taken, now)
	}
	if grown := heapInUse() - heap; grown > 16<<20 {
		t.Errorf("%d bytes of memory more while nothing is taken", grown)
	}

	ctx, cancel := context.WithCancel(t.Context())
	seen := make(map[int]bool)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		r.consume(ctx, t, func(raw *telemetry.Raw) {
			v, _ := raw.Parameter("flow")
			seen[int(v)] = true
		})
	}()
	wg.Wait()
	// The client lets go of a message that it sends again after a reconnection: that it
	// is acknowledged shows in its store.
	testkit.Eventually(t, 8*within, func() bool { return len(unacknowledged.All()) == 0 })
	cancel()
	<-reading
	r.each(t, func(raw *telemetry.Raw) {
		v, _ := raw.Parameter("flow")
		seen[int(v)] = true
	})
	close(acknowledged)
	got := 0
	for i := range acknowledged {
		if got++; !seen[i] {
			t.Fatalf("message %d was acknowledged, and the log never had it", i)
		}
	}
	if got != n {
		t.Errorf("%d of %d acknowledged in the end", got, n)
	}
}

// A gateway offers ten times and more of what its tenant may send: its connection is
// read at the pace of the quota, and everything arrives; the other tenant's gateway is
// through at once.
func TestTenantOverItsQuotaIsSlowed(t *testing.T) {
	const n, perSecond, burst = 1500, 300, 100
	r := newRig(t, setup{sql: fmt.Sprintf(`UPDATE tenants SET settings = '{"messages_per_second": %d, "message_burst": %d}' WHERE code = 'acme'`, perSecond, burst)})
	counters := r.admitter.Counters()
	begin := time.Now()
	send := func(user, topic string, from int) error {
		c := pahoClient(t, r.addr(), user, user, password)
		if err := done(t, c.Connect()); err != nil {
			return err
		}
		tokens := make([]paho.Token, n)
		for i := range tokens {
			tokens[i] = c.Publish(topic, 1, false, flow(from+i))
		}
		for _, token := range tokens {
			if err := done(t, token); err != nil {
				return err
			}
		}
		return nil
	}
	slow := make(chan error, 1)
	go func() { slow <- send(userA, topicA, 0) }()
	if err := send(userB, "globex/north/sensors/pump-1-a", n); err != nil {
		t.Fatal(err)
	}
	if taken, due := counters.Accepted("acme"), burst+perSecond*time.Since(begin).Seconds()+1; float64(taken) > due {
		t.Errorf("%d messages over quota were taken when the other tenant was through, %.0f are its due", taken, due)
	}
	if k := counters.Slowed("globex"); k != 0 {
		t.Errorf("%d messages of the other tenant had to wait", k)
	}
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	if took, least := time.Since(begin), time.Second*(n-burst)/perSecond; took < least*9/10 {
		t.Errorf("took %s, the quota allows it in %s", took, least)
	}
	if missing, repeats := r.all(t, 2*n); missing != 0 || repeats != 0 || counters.Slowed("acme") == 0 {
		t.Errorf("%d missing, %d repeated, %d slowed", missing, repeats, counters.Slowed("acme"))
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// consume reads both partitions and purges what it has read, until ctx ends.
func (r *rig) consume(ctx context.Context, t *testing.T, do func(*telemetry.Raw)) {
	needed := map[int]uint64{0: 1, 1: 1}
	for ctx.Err() == nil {
		for p := range r.log.Partitions() {
			reader, err := r.log.Read(p, needed[p])
			if err != nil {
				t.Error(err)
				return
			}
			entries, _ := reader.Next(ctx, 500, 20*time.Millisecond) // tried again
			for _, e := range entries {
				var raw telemetry.Raw
				if err := telemetry.DecodeEnvelope(e.Data, &raw); err != nil {
					t.Error(err)
				}
				do(&raw)
				needed[p] = e.Seq + 1
			}
			_ = reader.Close(context.WithoutCancel(ctx))
		}
		_, _ = r.log.Purge(ctx, needed)
	}
}
