package loadtest

import (
	"context"
	"crypto/tls"
	"fmt"
)

// Client is which implementation of MQTT sends.
type Client string

// The clients.
const (
	// Paho is the library that the product itself uses.
	Paho Client = "paho"
	// Raw writes packets that are gathered, and spends about a tenth of paho's
	// processor time: for a generator on the machine of what it measures.
	Raw Client = "raw"
)

// sender is one connection that publishes with QoS 1. One goroutine uses it; acked is
// called on another with the message's number, in the order of the acknowledgements.
type sender interface {
	// publish waits while the window of unacknowledged messages is full.
	publish(ctx context.Context, i int, topic string, payload []byte) error
	flush() error // sends what is gathered
	// settle waits until all is acknowledged, or the connection ends.
	settle(ctx context.Context) error
	close()
}

// target is where and as whom to publish.
type target struct {
	broker             string // tcp://host:port, ssl://host:port
	username, password string
	tls                *tls.Config
	window             int
}

func (c Client) dial(ctx context.Context, t target, clientID string, acked func(i int)) (sender, error) {
	switch c {
	case Paho:
		return dialPaho(ctx, t, clientID, acked)
	case Raw:
		return dialRaw(ctx, t, clientID, acked)
	}
	return nil, fmt.Errorf("loadtest: no client %q: there are %s and %s", c, Paho, Raw)
}
