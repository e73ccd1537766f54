package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"

	"foresight/internal/auth"
)

// revocationSubject carries ended sessions and changed rights to the other processes.
// A process whose connection was cut may miss some: when it is back, it checks each
// older token against the database. Refreshing is decided by the database in any case.
const revocationSubject = "control.revocations"

// resubscribeWithin bounds the wait for the answer of a server that is back.
const resubscribeWithin = 5 * time.Second

// announceRevocation tells the other processes.
func (a *App) announceRevocation(v auth.Revocation) {
	data, err := json.Marshal(v)
	if err == nil {
		err = a.bus.conn.Conn().Publish(revocationSubject, data)
	}
	if err != nil {
		a.log.Warn("revocation not announced", "error", err)
	}
}

// followRevocations applies what other processes announce.
func (a *App) followRevocations(ctx context.Context, sessions *auth.Service) error {
	conn := a.bus.conn.Conn()
	var sub *nats.Subscription
	var back chan nats.Status
	done := make(chan struct{})
	return a.part(ctx, "revocations", func(context.Context) (err error) {
		sub, err = conn.Subscribe(revocationSubject, func(m *nats.Msg) {
			var v auth.Revocation
			if err := json.Unmarshal(m.Data, &v); err != nil {
				a.log.Warn("unreadable revocation", "error", err)
				return
			}
			sessions.Apply(v)
		})
		if err != nil {
			return err
		}
		back = conn.StatusChanged(nats.CONNECTED)
		go func() {
			defer close(done)
			for range back {
				// The server has the subscription again once it answers.
				if err := conn.FlushTimeout(resubscribeWithin); err != nil {
					a.log.Warn("revocations may be missed for longer", "error", err)
				}
				sessions.Doubt()
			}
		}()
		return nil
	}, func(context.Context) error {
		conn.RemoveStatusListener(back)
		<-done
		return sub.Unsubscribe()
	})
}
