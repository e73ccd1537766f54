package mqtt

import (
	"fmt"
	"testing"
	"time"

	"foresight/ingestion/registry"
)

// Who guesses from one address after the other of an IPv6 network guesses as one client;
// neighbours are others.
func TestGuessesOfANetworkCountTogether(t *testing.T) {
	a := newAuthenticator(Options{FailedTriesBurst: 3, FailedTriesRefill: time.Hour}.withDefaults())
	guess := func(remote string) verdict {
		_, v := a.check(t.Context(), &registry.Snapshot{}, "gw-acme", "guess", remote)
		return v
	}
	for i := range 20 {
		want := wrong
		if i >= 3 {
			want = tooManyTry
		}
		if got := guess(fmt.Sprintf("[2001:db8::%x]:%d", i+1, 50000+i)); got != want {
			t.Errorf("guess %d from another address of the network: %s, want %s", i+1, got, want)
		}
	}
	for _, remote := range []string{"[2001:db8:0:1::1]:50000", "192.0.2.1:50000", "192.0.2.2:50000"} {
		for i := range 4 {
			if got := guess(remote); (got == tooManyTry) != (i == 3) {
				t.Errorf("%s, guess %d: %s", remote, i+1, got)
			}
		}
	}
}
