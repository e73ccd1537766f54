//go:build linux || darwin || freebsd

package natsd

import (
	"math"
	"syscall"
)

// roomLeft returns the bytes that may be written to the directory's disk, the most there
// can be when nobody says.
func roomLeft(dir string) uint64 {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return math.MaxUint64
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize)
}
