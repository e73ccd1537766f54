package app

import (
	"context"
	"encoding/json"

	"github.com/nats-io/nats.go"

	"foresight/internal/auth"
)

// revocationSubject carries ended sessions to the other processes. A process that
// misses one (its connection was cut) goes on taking the access token until it
// expires; refreshing is refused in any case, as that is decided by the database.
const revocationSubject = "control.revocations"

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
	var sub *nats.Subscription
	return a.part(ctx, "revocations", func(context.Context) (err error) {
		sub, err = a.bus.conn.Conn().Subscribe(revocationSubject, func(m *nats.Msg) {
			var v auth.Revocation
			if err := json.Unmarshal(m.Data, &v); err != nil {
				a.log.Warn("unreadable revocation", "error", err)
				return
			}
			sessions.Apply(v)
		})
		return err
	}, func(context.Context) error { return sub.Unsubscribe() })
}
