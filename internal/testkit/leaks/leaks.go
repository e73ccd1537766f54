// Package leaks looks for goroutines that do not end. It imports nothing of the product,
// so that every package's tests may use it.
package leaks

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Find returns an error that tells of the goroutines that are still there after the time.
// goleak by itself waits less than half a second for those that are about to end, as those
// of closed connections are.
func Find(within time.Duration, options ...goleak.Option) error {
	for end := time.Now().Add(within); ; {
		if err := goleak.Find(options...); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// Run runs the tests of a package, and returns the code to exit with: also of a failure
// when they leave goroutines behind for so long.
func Run(m *testing.M, within time.Duration) int {
	code := m.Run()
	if code == 0 { // after a failure leaks are a consequence
		if err := Find(within); err != nil {
			fmt.Fprintln(os.Stderr, "leaks:", err)
			return 1
		}
	}
	return code
}
