package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	connectTimeout = 10 * time.Second
	keepAlive      = 30 * time.Second
	quiesce        = 100 // ms
)

type pahoSender struct {
	client mqtt.Client
	slots  chan pahoSent // as many as the window has
	lost   chan struct{}
	why    error
	last   sync.Once     // closes slots
	done   chan struct{} // the acknowledgements are all in
}

type pahoSent struct {
	i     int
	token mqtt.Token
}

func pahoOptions(t target, clientID string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker(t.broker).SetClientID(clientID).SetUsername(t.username).SetPassword(t.password).
		SetTLSConfig(t.tls).SetAutoReconnect(false).SetConnectTimeout(connectTimeout).SetKeepAlive(keepAlive).SetOrderMatters(false)
}

func dialPaho(ctx context.Context, t target, clientID string, acked func(i int)) (sender, error) {
	p := &pahoSender{slots: make(chan pahoSent, t.window), lost: make(chan struct{}), done: make(chan struct{})}
	o := pahoOptions(t, clientID).SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		p.why = err
		close(p.lost)
	})
	p.client = mqtt.NewClient(o)
	if err := await(ctx, p.client.Connect()); err != nil {
		return nil, fmt.Errorf("loadtest: connect to %s: %w", t.broker, err)
	}
	go func() {
		defer close(p.done)
		for sent := range p.slots { // the broker acknowledges in order
			<-sent.token.Done()
			if sent.token.Error() == nil {
				acked(sent.i)
			}
		}
	}()
	return p, nil
}

func (p *pahoSender) publish(ctx context.Context, i int, topic string, payload []byte) error {
	sent := pahoSent{i, p.client.Publish(topic, 1, false, payload)}
	select {
	case p.slots <- sent:
		return nil
	case <-p.lost:
		return fmt.Errorf("loadtest: connection lost: %w", p.why)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pahoSender) flush() error { return nil }

func (p *pahoSender) settle(ctx context.Context) error {
	p.last.Do(func() { close(p.slots) })
	select {
	case <-p.done:
		return nil
	case <-p.lost:
		return fmt.Errorf("loadtest: connection lost: %w", p.why)
	case <-ctx.Done():
		return errors.New("loadtest: not all messages were acknowledged")
	}
}

func (p *pahoSender) close() {
	p.client.Disconnect(quiesce) // which ends every wait for an acknowledgement
	p.last.Do(func() { close(p.slots) })
	<-p.done
}

func await(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}
