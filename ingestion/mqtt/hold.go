package mqtt

import "time"

// While the log takes nothing, a client that was disconnected for it would come back,
// send, and be disconnected again, some hundred times a second. Those that log in within
// holdAfter of a failure are answered holdFor later: short against the election of
// another leader of the log, and long against what a connection costs.
const (
	holdAfter = time.Second
	holdFor   = 250 * time.Millisecond
)

// failed notes that the log did not confirm.
func (b *Broker) failed() {
	b.metrics.unconfirmed.Inc()
	b.failedAt.Store(time.Now().UnixNano())
}

// hold waits when the log has just failed.
func (b *Broker) hold() {
	if time.Since(time.Unix(0, b.failedAt.Load())) > holdAfter {
		return
	}
	select {
	case <-time.After(holdFor):
	case <-b.ctx.Done():
	}
}
