//go:build race

package testkit

// Race says whether the race detector is on, which makes sync.Pool drop at random: then
// allocations are not counted.
const Race = true
