package mqtt_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"foresight/ingestion/mqtt"
	"foresight/internal/telemetry"
)

// BenchmarkAcknowledged publishes 24-channel messages of QoS 1 with paho over four
// connections, 100 unacknowledged each, and counts those that the broker has
// acknowledged. The rival appends one message of a connection at a time.
func BenchmarkAcknowledged(b *testing.B) {
	for _, c := range []struct {
		name   string
		window int
	}{{"synchronous", 1}, {"pipelined", 256}} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b, setup{options: func(o *mqtt.Options) { o.Window = c.window }})
			const conns = 4
			var clients [conns]paho.Client
			for i := range clients {
				clients[i] = pahoClient(b, r.addr(), fmt.Sprint("c", i), userA, password)
				if err := done(b, clients[i].Connect()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i, client := range clients {
				wg.Go(func() {
					tokens := make(chan paho.Token, 100)
					var acked sync.WaitGroup
					acked.Go(func() {
						for token := range tokens {
							if !token.WaitTimeout(within) || token.Error() != nil {
								b.Error("not acknowledged: ", token.Error())
							}
						}
					})
					for k := i; k < b.N; k += conns {
						tokens <- client.Publish(topicA, 1, false, message24(k))
					}
					close(tokens)
					acked.Wait()
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acknowledged/s")
		})
	}
}

var began = time.Now().Add(-time.Hour).UnixMilli()

func message24(n int) []byte {
	out := fmt.Appendf(nil, `{"timestamp":%d`, began+int64(n))
	for c := range telemetry.Channel(telemetry.Channels) {
		out = fmt.Appendf(out, `,"%s":%d.25`, c, 10+int(c))
	}
	return append(out, '}')
}
