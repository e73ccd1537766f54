package bus

import (
	"github.com/cespare/xxhash/v2"

	"foresight/internal/id"
)

// Partition returns the partition (0 to n-1) of a sensor: XXH64, seed 0, of the 16
// bytes of the tenant's id and the 16 of the sensor's, mapped to n by
// multiplication (Lemire, "Fast random integer generation in an interval", 2019).
// Never change it: checkpoints are kept by partition.
func Partition(tenant, sensor id.UUID, n int) int {
	var b [32]byte
	copy(b[:16], tenant[:])
	copy(b[16:], sensor[:])
	return int((xxhash.Sum64(b[:]) >> 32) * uint64(n) >> 32)
}
