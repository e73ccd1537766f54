package loadtest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// Options say what to publish, where, and what to measure.
type Options struct {
	Broker      string // tcp://host:1883, ssl://host:8883
	TLS         *tls.Config
	Client      Client
	Connections int
	Window      int // unacknowledged messages of one connection

	Rate     float64 // messages per second of all connections; 0: as fast as they are acknowledged
	Messages int     // of the measurement
	// WarmUp messages of each sensor go before, and are not measured: a window is full,
	// and predictions begin, after 14.
	WarmUp int
	// RaiseEvery makes every so-many-th message of a sensor raise an alarm, which the
	// next one clears; 0: none does.
	RaiseEvery int

	Watch    bool   // subscribe, and measure the way to the frame
	Graph    *Graph // of a member of the fleet's tenant; needed to watch
	Metrics  string // URL of the product's metrics; empty: nothing is known of storing
	Patience time.Duration

	Archive Archive // nil: nothing is verified
	Verify  int     // sensors that are read back

	// Shares divide this process's CPU profile, in which the product runs as well; nil:
	// it is elsewhere.
	Shares  []Share
	Profile string // file for that profile; empty: it is not kept
	// Database is the process of a PostgreSQL on this machine whose CPU is measured, 0 for none.
	Database int
}

func (o *Options) check(sensors int) error {
	switch {
	case o.Broker == "":
		return errors.New("loadtest: which broker?")
	case o.Connections < 1 || o.Window < 1:
		return fmt.Errorf("loadtest: %d connections with %d messages each", o.Connections, o.Window)
	case o.Messages < 1 || o.WarmUp < 0 || o.RaiseEvery < 0:
		return fmt.Errorf("loadtest: %d messages after %d of each sensor", o.Messages, o.WarmUp)
	case o.RaiseEvery == 1:
		return errors.New("loadtest: an alarm that every message raises is never cleared")
	case o.Watch && o.Graph == nil:
		return errors.New("loadtest: to watch takes a graph")
	case sensors < o.Connections:
		return fmt.Errorf("loadtest: %d sensors for %d connections", sensors, o.Connections)
	}
	return nil
}
