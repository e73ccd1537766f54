package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Malformed messages in great number, between good ones: nothing crashes, each is
// acknowledged and counted with its reason, and the good ones are stored.
func TestMalformedMessages(t *testing.T) {
	in := settled(t)
	total := either(20_000, 1_000_000)
	good := in.start(t, alpha, 50, 16)
	counted := in.rejected(t)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + in.broker).SetClientID("malformed").SetUsername(beta + ".gw-jubail").
		SetPassword(gatewaySecret).SetAutoReconnect(false).SetOrderMatters(false))
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(100)
	begin := time.Now()
	g := rand.New(rand.NewPCG(7, 11))
	want := map[string]int{}
	window := make(chan mqtt.Token, 500)
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for token := range window {
			if !token.WaitTimeout(patience) || token.Error() != nil {
				failed <- fmt.Errorf("not acknowledged: %w", token.Error())
				return
			}
		}
	}()
	for range total {
		bad := malformed[g.IntN(len(malformed))]
		want[bad.reason]++
		window <- c.Publish(bad.topic, 1, false, bad.payload)
	}
	close(window)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	within(t, patience, "every message is counted", func() bool {
		n := 0
		for reason, after := range in.rejected(t) {
			n += int(after - counted[reason])
		}
		return n >= total
	})
	got := in.rejected(t)
	for reason, n := range want {
		if have := int(got[reason] - counted[reason]); have != n {
			t.Errorf("%s: %d counted, %d sent", reason, have, n)
		}
	}
	in.ingest.alive(t)
	figure("%d malformed messages in %.1f s: all acknowledged, counted by reason %v", total, took.Seconds(), want)
	good.flows(t, 50)
	good.finish(t)
	good.judge(t, alpha, "malformed messages, the good ones between")
}

const someSensor = beta + "/jubail-plant/sensors/pump-d01-s1"

// malformed messages with the reasons that they are rejected for.
var malformed = []struct{ topic, payload, reason string }{
	{someSensor, `{"flow": `, "bad_json"},
	{someSensor, "\x00\xff\xfe", "bad_json"},
	{someSensor, `[1, 2]`, "bad_json"},
	{someSensor, strings.Repeat("[", 2000), "bad_json"},
	{someSensor, `{"flow": "fast"}`, "not_a_number"},
	{someSensor, `{"flow": 1, "flow": 2}`, "duplicate_key"},
	{someSensor, `{"flow": 1e300}`, "implausible_value"},
	{someSensor, `{"flow": 1, "timestamp": "yesterday"}`, "bad_timestamp"},
	{someSensor, `{"flow": 1, "timestamp": "2199-01-01T00:00:00Z"}`, "timestamp_in_future"},
	{someSensor, `{"flow": 1, "timestamp": "1999-01-01T00:00:00Z"}`, "timestamp_too_old"},
	{someSensor, `{"colour": 7}`, "no_values"},
	{beta + "/jubail-plant/sensors/no-such-s1", `{"flow": 1}`, "unknown_sensor"},
	{beta + "/yanbu-plant/sensors/comp-e01-s1", `{"flow": 1}`, "wrong_site"},
	{alpha + "/north-station/sensors/pump-a01-s1", `{"flow": 1}`, "wrong_tenant"},
	{"nonsense", `{"flow": 1}`, "bad_topic"},
}

// rejected is the count of rejected messages by reason at the door of devices.
func (in *installation) rejected(t testing.TB) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, m := range in.scrape(t, in.ingest)["foresight_ingest_rejected_total"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "reason" {
				out[l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	}
	return out
}
