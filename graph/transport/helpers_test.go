package transport_test

import (
	"testing"
	"time"

	"foresight/internal/testkit"
)

// eventually polls until the condition holds, for at most ten seconds.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(testkit.Patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("not within ten seconds")
		}
	}
}
