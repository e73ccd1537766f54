//go:build !linux

package loadtest

import "time"

// cpuOf is known on Linux only.
func cpuOf(int) (time.Duration, bool) { return 0, false }

// FlushDisks is done on Linux only.
func FlushDisks() {}
