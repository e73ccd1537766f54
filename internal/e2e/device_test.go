package e2e

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"foresight/internal/simulate"
)

var deviceNumber atomic.Int64

// device connects to the broker as a gateway of the demo, `alpha-grid.gw-north`.
func (i *instance) device(t testing.TB, gateway string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + i.mqtt).SetClientID(fmt.Sprintf("e2e-%d", deviceNumber.Add(1))).
		SetUsername(gateway).SetPassword(gatewaySecret).SetAutoReconnect(false).SetConnectTimeout(time.Minute).
		SetPingTimeout(time.Minute).SetWriteTimeout(time.Minute).SetOrderMatters(false))
	if token := c.Connect(); !token.WaitTimeout(time.Minute) || token.Error() != nil {
		t.Fatalf("%s cannot connect: %v", gateway, token.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

// publish sends a payload with QoS 1 and waits for its acknowledgement.
func publish(t testing.TB, c mqtt.Client, topic string, payload any) {
	t.Helper()
	b, ok := payload.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(payload); err != nil {
			t.Fatal(err)
		}
	}
	if token := c.Publish(topic, 1, false, b); !token.WaitTimeout(time.Minute) || token.Error() != nil {
		t.Fatalf("%s not acknowledged: %v", topic, token.Error())
	}
}

// feed publishes n readings of a machine with the fault, a second apart, the last
// one now: enough for predictions and alarms.
func feed(t testing.TB, c mqtt.Client, topic, faultCode string, n int) {
	t.Helper()
	m := simulate.NewMachine(7, simulate.Profile{RatedKW: 75, NominalRPM: 2960, Mount: simulate.Rigid, Complete: true})
	if faultCode != "" {
		if err := m.SetFault(faultCode, 0.9); err != nil {
			t.Fatal(err)
		}
		m.Settle()
	}
	begin := time.Now().Add(-time.Duration(n-1) * time.Second)
	for k := range n {
		s := m.Next(begin.Add(time.Duration(k) * time.Second))
		b, err := s.Payload(simulate.Flat)
		if err != nil {
			t.Fatal(err)
		}
		publish(t, c, topic, b)
	}
}

// listen hands topics of messages to the channel.
func listen(heard chan<- string) mqtt.MessageHandler {
	return func(_ mqtt.Client, m mqtt.Message) {
		select {
		case heard <- m.Topic():
		default: // one is enough
		}
	}
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
