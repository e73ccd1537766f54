package mqtt

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"sync"
	"time"

	"foresight/ingestion/registry"
	"foresight/internal/limit"
)

// authenticator checks gateways' passwords. A good password hash is slow by design:
// a verified password is remembered for a while (as a keyed hash), so that a storm of
// reconnects is not a storm of hashing; no more hashes run at once than there are
// processors; and a client (limit.Client) that tries wrong passwords is soon not hashed for.
type authenticator struct {
	hashOf   func(context.Context, *registry.Gateway) (string, error)
	verify   func(hash, password string) bool
	lifetime time.Duration
	within   time.Duration  // for a place to hash in, and for the hash itself
	tries    *limit.Limiter // wrong passwords, by client
	key      [sha256.Size]byte
	hashing  chan struct{}

	mu       sync.Mutex
	verified map[[sha256.Size]byte]time.Time // until when
}

// maxRemembered bounds verified; when it is full it begins anew.
const maxRemembered = 50000

func newAuthenticator(o Options) *authenticator {
	a := &authenticator{
		hashOf: o.PasswordHash, verify: o.Verify, lifetime: o.VerifiedFor, within: o.LookupTimeout,
		tries:    limit.NewLimiter(limit.Rate{Capacity: o.FailedTriesBurst, PerSecond: 1 / o.FailedTriesRefill.Seconds()}, nil),
		hashing:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		verified: map[[sha256.Size]byte]time.Time{},
	}
	rand.Read(a.key[:]) // never fails
	return a
}

// verdict of a log-in, a label of the metrics.
type verdict string

const (
	accepted    verdict = "accepted"
	wrong       verdict = "wrong_credential"
	switchedOff verdict = "switched_off"
	tooManyTry  verdict = "too_many_tries"
	tooManyConn verdict = "too_many_connections"
	unavailable verdict = "unavailable" // the database did not give the hash
)

// check looks the gateway up and verifies its password.
func (a *authenticator) check(ctx context.Context, s *registry.Snapshot, username, password, remote string) (*registry.Gateway, verdict) {
	address, _, err := net.SplitHostPort(remote)
	if err != nil {
		address = remote
	}
	g, ok := s.Gateway(username)
	if ok && a.knows(g, password) {
		return active(g)
	}
	client := limit.Client(address)
	if a.tries.Empty(client) {
		return nil, tooManyTry
	}
	if !ok {
		a.tries.Take(client)
		return nil, wrong
	}
	good, err := a.slowly(ctx, g, client, password)
	switch {
	case errors.Is(err, errTries):
		return nil, tooManyTry
	case err != nil:
		return nil, unavailable
	case !good:
		return nil, wrong
	}
	a.remember(g, password)
	return active(g)
}

func active(g *registry.Gateway) (*registry.Gateway, verdict) {
	if !g.Active {
		return nil, switchedOff
	}
	return g, accepted
}

// errTries says that others of the client were wrong while this one waited.
var errTries = errors.New("mqtt: too many wrong passwords")

func (a *authenticator) slowly(ctx context.Context, g *registry.Gateway, client, password string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, a.within)
	defer cancel()
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if a.tries.Empty(client) {
		return false, errTries
	}
	hash, err := a.hashOf(ctx, g)
	if err != nil {
		return false, err
	}
	good := hash != "" && a.verify(hash, password)
	if !good {
		a.tries.Take(client) // before the place is another's
	}
	return good, nil
}

// digest depends on the version of the gateway's row: a password that was changed is
// not known any more.
func (a *authenticator) digest(g *registry.Gateway, password string) (d [sha256.Size]byte) {
	h := hmac.New(sha256.New, a.key[:])
	h.Write(g.ID[:])
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(g.Version)))
	h.Write([]byte(password))
	h.Sum(d[:0])
	return d
}

func (a *authenticator) knows(g *registry.Gateway, password string) bool {
	d := a.digest(g, password)
	a.mu.Lock()
	defer a.mu.Unlock()
	until, ok := a.verified[d]
	if ok && time.Now().After(until) {
		delete(a.verified, d)
		ok = false
	}
	return ok
}

func (a *authenticator) remember(g *registry.Gateway, password string) {
	d := a.digest(g, password)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.verified) >= maxRemembered {
		clear(a.verified)
	}
	a.verified[d] = time.Now().Add(a.lifetime)
}
