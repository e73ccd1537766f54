package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

const (
	// probeMessages is more than mosquitto keeps of a session that is away unless it is
	// told to keep all (1000), and than may be under way at once.
	probeMessages = 1500
	probeTopics   = "foresight/probe/"
	probeQuiet    = 3 * time.Second // without a message: an end is sent behind them
	probeWithin   = time.Minute
)

// errNotProbed says that the broker does not let the bridge find out.
var errNotProbed = errors.New("the broker does not allow topics foresight/probe/+")

// probe finds out whether the broker keeps the messages of a session that is away, as
// the bridge's is whenever the product restarts: it leaves a session behind, publishes
// for it, comes back and counts. What cannot be found out so is whether the broker keeps
// them over its own death.
func (b *Bridge) probe(ctx context.Context) (kept int, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	name := strings.NewReplacer("/", "_", "+", "_", "#", "_").Replace(b.opt.ClientID)
	topic, session := probeTopics+name, b.opt.ClientID+"-probe"
	// A session that a former probe has left would answer for this one.
	if err := b.with(ctx, session, true, nil, nil); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.with(context.WithoutCancel(ctx), session, true, nil, nil)) }()
	err = b.with(ctx, session, false, nil, func(c paho.Client) error {
		token := c.Subscribe(topic, 1, nil)
		if err := await(ctx, token); err != nil {
			return err
		}
		if answer, ok := token.(*paho.SubscribeToken); !ok || answer.Result()[topic] == subscribeFails {
			return errNotProbed
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = b.with(ctx, session+"-sender", true, nil, func(c paho.Client) error {
		tokens := make([]paho.Token, probeMessages)
		for i := range tokens {
			tokens[i] = c.Publish(topic, 1, false, []byte{byte(i), byte(i >> 8)})
		}
		for _, t := range tokens {
			if err := await(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	came := make(chan []byte, probeMessages)
	err = b.with(ctx, session, false, func(_ paho.Client, m paho.Message) {
		select {
		case came <- m.Payload():
		default:
		}
		m.Ack()
	}, func(c paho.Client) error {
		kept, err = count(ctx, came, func() paho.Token { return c.Publish(topic, 1, false, probeEnd) })
		return err
	})
	return kept, err
}

// probeEnd is the payload of the end: it goes the way of the messages, behind them.
var probeEnd = []byte("end")

// count returns how many different messages come until all have, or an end does. An end
// may be dropped as they are, and is sent again.
func count(ctx context.Context, came <-chan []byte, sendEnd func() paho.Token) (int, error) {
	seen := map[[2]byte]bool{}
	var end paho.Token // nil: none was sent
	for len(seen) < probeMessages {
		quiet := time.NewTimer(probeQuiet)
		select {
		case m := <-came:
			if bytes.Equal(m, probeEnd) {
				quiet.Stop()
				return len(seen), nil
			}
			if len(m) == 2 {
				seen[[2]byte(m)] = true
			}
		case <-quiet.C:
			if len(seen) == 0 && end != nil && acknowledged(end) {
				return 0, errNotProbed // it drops what is published, as it is not allowed
			}
			end = sendEnd()
		case <-ctx.Done():
			quiet.Stop()
			return len(seen), ctx.Err()
		}
		quiet.Stop()
	}
	return len(seen), nil
}

func acknowledged(t paho.Token) bool {
	select {
	case <-t.Done():
		return t.Error() == nil
	default:
		return false
	}
}

// with connects as a client, does something, and leaves.
func (b *Bridge) with(ctx context.Context, client string, clean bool, take paho.MessageHandler, do func(paho.Client) error) error {
	o := b.clientOptions(take, nil).SetClientID(client).SetCleanSession(clean).SetConnectionLostHandler(nil)
	c := paho.NewClient(o)
	defer c.Disconnect(quiesce)
	if err := await(ctx, c.Connect()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if do == nil {
		return nil
	}
	return do(c)
}

// inspect probes the broker once, and says what it has found.
func (b *Bridge) inspect(ctx context.Context) {
	defer b.known.Store(true)
	kept, err := b.probe(ctx)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, errNotProbed):
		b.log.InfoContext(ctx, "whether the external broker keeps messages while the product is away is not known", "reason", err)
	case err != nil:
		b.log.WarnContext(ctx, "whether the external broker keeps messages while the product is away is not known", "error", err)
	case kept < probeMessages:
		b.drops.Set(1)
		b.log.WarnContext(ctx, "the external broker DROPS messages while the product is away or behind: set max_queued_messages 0, "+
			"max_inflight_messages above 1024 and persistence true, as deploy/mosquitto/mosquitto.conf does", "sent", probeMessages, "kept", kept)
	default:
		b.drops.Set(0)
	}
}
