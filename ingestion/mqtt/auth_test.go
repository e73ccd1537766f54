package mqtt_test

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"foresight/ingestion/mqtt"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

// code tries to log in and returns the code of the CONNACK.
func (r *rig) code(t testing.TB, client, user, pass string) byte {
	t.Helper()
	w := dial(t, r.addr())
	defer w.Close()
	return w.logIn(t, 4, client, user, pass)
}

func TestLogInNeedsAGatewaysPassword(t *testing.T) {
	r := newRig(t, setup{options: func(o *mqtt.Options) { o.FailedTriesBurst = 100 }})
	r.exec(t, `INSERT INTO gateways (id, tenant_id, site_id, gateway_code, mqtt_username, mqtt_password_hash, is_active)
		VALUES (gen_random_uuid(), $1, $2, 'gw-off', 'gw-off', 'hash:s3cret', false)`, r.a.TenantID, r.a.SiteID)
	r.exec(t, `INSERT INTO gateways (id, tenant_id, site_id, gateway_code, mqtt_username)
		VALUES (gen_random_uuid(), $1, $2, 'gw-none', 'gw-none')`, r.a.TenantID, r.a.SiteID)
	r.registry.Refresh()
	testkit.Eventually(t, within, func() bool { _, ok := r.registry.Snapshot().Gateway("gw-none"); return ok })
	for name, c := range map[string]struct {
		user, pass string
		good       bool
	}{
		"right":              {userA, password, true},
		"wrong password":     {userA, "wrong", false},
		"no password":        {userA, "", false},
		"unknown user":       {"nobody", password, false},
		"no user":            {"", "", false},
		"switched off":       {"gw-off", password, false},
		"no password issued": {"gw-none", password, false},
		"user in upper case": {"GW-ACME", password, false},
	} {
		if code := r.code(t, "x", c.user, c.pass); (code == 0) != c.good {
			t.Errorf("%s: code %d", name, code)
		}
	}
	if r.broker.Connections() > 1 {
		t.Error("a refused client is connected")
	}
}

func TestReconnectStormHashesOnce(t *testing.T) {
	r := newRig(t, setup{})
	for i := range 50 {
		if code := r.code(t, fmt.Sprint("c", i), userA, password); code != 0 {
			t.Fatal(code)
		}
	}
	if n := r.verified.Load(); n != 1 {
		t.Errorf("%d hashes for 50 log-ins", n)
	}
	if code := r.code(t, "c", userA, "other"); code == 0 || r.verified.Load() != 2 {
		t.Errorf("another password was not verified: code %d", code)
	}
}

func TestVerifiedPasswordIsForgotten(t *testing.T) {
	r := newRig(t, setup{options: func(o *mqtt.Options) { o.VerifiedFor = time.Nanosecond }})
	for range 3 {
		if code := r.code(t, "c", userA, password); code != 0 {
			t.Fatal(code)
		}
	}
	if n := r.verified.Load(); n != 3 {
		t.Errorf("%d hashes for 3 log-ins after the time", n)
	}
}

func TestWrongPasswordsAreSlowedDown(t *testing.T) {
	r := newRig(t, setup{options: func(o *mqtt.Options) { o.FailedTriesBurst, o.FailedTriesRefill = 3, time.Hour }})
	if code := r.code(t, "good", userA, password); code != 0 {
		t.Fatal(code)
	}
	for i := range 20 {
		if code := r.code(t, "bad", userA, fmt.Sprint("guess-", i)); code == 0 {
			t.Fatal("a guess was taken")
		}
	}
	if n := r.verified.Load(); n != 1+3 {
		t.Errorf("%d hashes, want one and three guesses", n)
	}
	if code := r.code(t, "bad", userB, password); code == 0 {
		t.Error("an address with many wrong passwords still has its tries")
	}
	if code := r.code(t, "good", userA, password); code != 0 {
		t.Error("a gateway behind the same address that is known is locked out")
	}
}

// Guesses that come at once wait for a place to be hashed in: those behind the wrong ones
// are not hashed.
func TestWrongPasswordsInARushAreSlowedDown(t *testing.T) {
	const burst = 3
	places := runtime.GOMAXPROCS(0)
	r := newRig(t, setup{options: func(o *mqtt.Options) {
		o.FailedTriesBurst, o.FailedTriesRefill = burst, time.Hour
		verify := o.Verify
		o.Verify = func(hash, password string) bool {
			time.Sleep(50 * time.Millisecond) // as a good hash does
			return verify(hash, password)
		}
	}})
	var guesses []*wire
	for range burst + 4*places {
		guesses = append(guesses, dial(t, r.addr()))
	}
	for i, w := range guesses {
		w.connect(t, 4, fmt.Sprint("c", i), userA, fmt.Sprint("guess-", i))
	}
	for _, w := range guesses {
		if w.connected(t) == 0 {
			t.Error("a guess was taken")
		}
	}
	if n, most := int(r.verified.Load()), burst+places-1; n > most {
		t.Errorf("%d hashes, want %d at most", n, most)
	}
}

func TestChangedGatewayMustLogInAgain(t *testing.T) {
	r := newRig(t, setup{})
	w, other := logged(t, r.addr(), 4, userA), logged(t, r.addr(), 4, userB)
	r.exec(t, `UPDATE gateways SET mqtt_password_hash = 'hash:new', version = version + 1 WHERE id = $1`, r.a.GatewayID)
	before := r.registry.Snapshot()
	r.registry.Refresh()
	testkit.Eventually(t, within, func() bool { return r.registry.Snapshot() != before })

	w.send(t, w.publish(topicA, 1, 1, flow(1)))
	if kinds := w.closed(t); len(kinds) != 0 {
		t.Errorf("packets %v", kinds)
	}
	if _, times := r.flows(t); len(times) != 0 {
		t.Error("a message was taken")
	}
	if r.code(t, "c", userA, password) == 0 {
		t.Error("the old password still works, as it was remembered")
	}
	if code := r.code(t, "c", userA, "new"); code != 0 {
		t.Errorf("the new password: %d", code)
	}
	other.send(t, other.publish("globex/north/sensors/pump-1-a", 1, 1, flow(1)))
	other.ack(t, puback)
}

// presenceBook keeps who is there.
type presenceBook struct {
	mu    sync.Mutex
	there map[id.UUID]int
}

func (b *presenceBook) Came(_, _, gateway id.UUID, address string) func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if net.ParseIP(address) == nil {
		panic("no address: " + address)
	}
	b.there[gateway]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.there[gateway]--
	}
}

func (b *presenceBook) of(gateway id.UUID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.there[gateway]
}

// A gateway that has changed is disconnected at once, also one that says nothing; the
// others stay.
func TestChangedGatewayIsDisconnected(t *testing.T) {
	book := &presenceBook{there: map[id.UUID]int{}}
	r := newRig(t, setup{options: func(o *mqtt.Options) {
		o.Presence = book
	}, watch: true})
	w, other := logged(t, r.addr(), 4, userA), logged(t, r.addr(), 4, userB)
	testkit.Eventually(t, within, func() bool { return book.of(r.a.GatewayID) == 1 && book.of(r.b.GatewayID) == 1 })
	r.exec(t, `UPDATE gateways SET mqtt_password_hash = 'hash:new', version = version + 1 WHERE id = $1`, r.a.GatewayID)
	r.registry.Refresh()
	if kinds := w.closed(t); len(kinds) != 0 {
		t.Errorf("packets %v", kinds)
	}
	testkit.Eventually(t, within, func() bool { return book.of(r.a.GatewayID) == 0 })
	other.send(t, other.publish("globex/north/sensors/pump-1-a", 1, 1, flow(1)))
	other.ack(t, puback)
	if book.of(r.b.GatewayID) != 1 {
		t.Error("the other gateway went, too")
	}
	again := dial(t, r.addr())
	if code := again.logIn(t, 4, "another connection", userB, password); code != 0 {
		t.Fatalf("log-in refused: %d", code)
	}
	testkit.Eventually(t, within, func() bool { return book.of(r.b.GatewayID) == 2 })
	again.send(t, []byte{0xe0, 0}) // DISCONNECT
	testkit.Eventually(t, within, func() bool { return book.of(r.b.GatewayID) == 1 })
}
