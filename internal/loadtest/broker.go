package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// Broker is a bare MQTT broker with nothing behind it.
type Broker struct {
	Name    string // mosquitto, mochi
	Address string
	stop    func() error
}

// Stop ends it.
func (b *Broker) Stop() error { return b.stop() }

// mosquittoConfig lets everything through that comes: no limit of its own drops messages.
const mosquittoConfig = `listener %d 127.0.0.1
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0
`

// StartMosquitto starts the one that is installed; an error says that there is none.
func StartMosquitto(ctx context.Context, dir string) (*Broker, error) {
	binary, err := exec.LookPath("mosquitto")
	if err != nil {
		if binary, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil { // where Debian keeps it
			return nil, err
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, mosquittoConfig, port), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "-c", file)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &Broker{Name: "mosquitto", Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), stop: func() error {
		killed := cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		return killed
	}}
	if err := b.answers(ctx); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

// StartMochi starts the engine of the product's embedded broker, without the product.
func StartMochi() (*Broker, error) {
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	s.Options.Capabilities.MaximumInflight = 1<<16 - 1
	s.Options.Capabilities.MaximumClientWritesPending = 1 << 20
	l := listeners.NewTCP(listeners.Config{ID: "bare", Address: "127.0.0.1:0"})
	if err := errors.Join(s.AddHook(new(auth.AllowHook), nil), s.AddListener(l), s.Serve()); err != nil {
		return nil, err
	}
	return &Broker{Name: "mochi", Address: l.Address(), stop: s.Close}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func (b *Broker) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", b.Address)
		if err == nil {
			return c.Close()
		}
		if err := pause(ctx, drainPoll); err != nil {
			return err
		}
	}
}

// bareTopic is where the bare measurement publishes.
const bareTopic = "bare/north/sensors/"

// Throughput publishes messages with paho over connections, QoS 1, as fast as the
// window lets, to one paho subscriber of QoS 1, and returns how many a second arrived.
func (b *Broker) Throughput(ctx context.Context, messages, connections, window int) (float64, error) {
	words, err := newPayloads()
	if err != nil {
		return 0, err
	}
	t := target{broker: "tcp://" + b.Address, window: window}
	var arrived atomic.Int64
	all := make(chan struct{})
	sub := mqtt.NewClient(pahoOptions(t, "bare-subscriber"))
	if err := await(ctx, sub.Connect()); err != nil {
		return 0, err
	}
	defer sub.Disconnect(quiesce)
	if err := await(ctx, sub.Subscribe(bareTopic+"+", 1, func(mqtt.Client, mqtt.Message) {
		if arrived.Add(1) == int64(messages) {
			close(all)
		}
	})); err != nil {
		return 0, err
	}
	f := &Fleet{Tenant: "bare", Site: "north"}
	for i := range connections * perMachine {
		f.Sensors = append(f.Sensors, Sensor{Code: fmt.Sprintf("s%d", i)})
	}
	r := &run{opt: Options{Broker: t.broker, Client: Paho, Connections: connections, Window: window, Patience: longest}, fleet: f, words: words,
		acked: make([]atomic.Bool, messages), toAck: newHistogram()}
	if err := f.place(); err != nil {
		return 0, err
	}
	if r.plan, err = newSchedule(time.Now(), 0, len(f.Sensors), messages); err != nil {
		return 0, err
	}
	senders, err := r.connect(ctx)
	defer func() {
		for _, s := range senders {
			s.close()
		}
	}()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := r.publishAll(ctx, senders); err != nil {
		return 0, err
	}
	select {
	case <-all:
		return float64(messages) / time.Since(begin).Seconds(), nil
	case <-time.After(longest):
		return 0, fmt.Errorf("loadtest: %s delivered %d of %d messages", b.Name, arrived.Load(), messages)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
