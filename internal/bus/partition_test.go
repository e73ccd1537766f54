package bus

import (
	"encoding/binary"
	"math"
	"testing"

	"foresight/internal/id"
)

// Checkpoints are kept by partition: these never change.
func TestPartitionIsFixed(t *testing.T) {
	for _, c := range []struct {
		tenant, sensor id.UUID
		n, want        int
	}{
		{tenantA, sensorA, 16, 4},
		{tenantA, sensorB, 16, 5},
		{tenantB, sensorA, 16, 13},
		{tenantB, sensorB, 16, 5},
		{tenantA, sensorA, 1, 0},
		{id.Nil, id.Nil, 16, 15},
	} {
		if got := Partition(c.tenant, c.sensor, c.n); got != c.want {
			t.Errorf("Partition(%s, %s, %d) = %d, want %d", c.tenant, c.sensor, c.n, got, c.want)
		}
	}
}

func TestPartitionsAreEven(t *testing.T) {
	const sensors, n = 16000, 16
	var count [n]int
	var s id.UUID
	for i := range sensors {
		binary.BigEndian.PutUint32(s[12:], uint32(i))
		count[Partition(tenantA, s, n)]++
	}
	mean := float64(sensors) / n
	for p, c := range count { // 6 standard deviations of a fair draw
		if math.Abs(float64(c)-mean) > 6*math.Sqrt(mean) {
			t.Errorf("partition %d has %d of %d sensors", p, c, sensors)
		}
	}
}

func FuzzParseSubject(f *testing.F) {
	f.Add("readings.3." + tenantA.String() + "." + sensorA.String())
	f.Add("readings...")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, tenant, sensor, err := ParseSubject(s)
		if err != nil {
			return
		}
		l := &Log{opt: LogOptions{Prefix: "x"}}
		p2, tenant2, sensor2, err := ParseSubject(l.subject(p, tenant, sensor))
		if err != nil || p2 != p || tenant2 != tenant || sensor2 != sensor {
			t.Errorf("%q does not survive a round trip: %v", s, err)
		}
	})
}
