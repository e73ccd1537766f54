package natsd

import (
	"time"
	_ "unsafe" // for go:linkname
)

// When the leader of a replicated log dies, a follower stands for election after it has
// heard nothing for a random time. NATS has no setting for it: it takes 4 to 9 s, so that
// of three servers one in six elections begins later than 7 s after the death, and is
// then not over. The servers that this package runs are in one data centre, and take
// 3 to 4.5 s.
//
// It must not be less: what was on its way to the leader that died has to have failed
// before the next leader takes anything, or a message could overtake the one before it.
// Appends fail after 2 s (AckTimeout of package bus); what a follower heard last may be
// one heartbeat older than the death.
const (
	soonestElection = 3 * time.Second
	latestElection  = 4500 * time.Millisecond
	heartbeat       = 500 * time.Millisecond
)

// The server's own variables, which it reads when it begins a term; the linker fails
// when one is no more.
//
//go:linkname minElectionTimeout github.com/nats-io/nats-server/v2/server.minElectionTimeout
var minElectionTimeout time.Duration

//go:linkname maxElectionTimeout github.com/nats-io/nats-server/v2/server.maxElectionTimeout
var maxElectionTimeout time.Duration

//go:linkname hbInterval github.com/nats-io/nats-server/v2/server.hbInterval
var hbInterval time.Duration

func init() {
	minElectionTimeout, maxElectionTimeout, hbInterval = soonestElection, latestElection, heartbeat
}
