package bus

import (
	"fmt"
	"strconv"
	"strings"

	"foresight/internal/id"
)

// subject returns `{prefix}.{partition}.{tenant}.{sensor}`.
func (l *Log) subject(partition int, tenant, sensor id.UUID) string {
	b := make([]byte, 0, len(l.opt.Prefix)+5+2*37)
	b = append(b, l.opt.Prefix...)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(partition), 10)
	b = append(b, '.')
	b = appendID(b, tenant)
	b = append(b, '.')
	b = appendID(b, sensor)
	return string(b)
}

func appendID(b []byte, u id.UUID) []byte {
	text, _ := u.MarshalText() // never fails
	return append(b, text...)
}

// ofPartition is the filter of one partition.
func (l *Log) ofPartition(p int) string { return l.opt.Prefix + "." + strconv.Itoa(p) + ".>" }

// ofTenant is the filter of one tenant, in all partitions.
func (l *Log) ofTenant(tenant id.UUID) string {
	return string(appendID([]byte(l.opt.Prefix+".*."), tenant)) + ".*"
}

// ParseSubject returns the parts of a record's subject.
func ParseSubject(subject string) (partition int, tenant, sensor id.UUID, err error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 4 {
		return 0, id.Nil, id.Nil, fmt.Errorf("bus: subject %q has %d parts, want 4", subject, len(parts))
	}
	if partition, err = strconv.Atoi(parts[1]); err != nil {
		return 0, id.Nil, id.Nil, fmt.Errorf("bus: subject %q: %w", subject, err)
	}
	if tenant, err = id.Parse(parts[2]); err != nil {
		return 0, id.Nil, id.Nil, fmt.Errorf("bus: subject %q: %w", subject, err)
	}
	if sensor, err = id.Parse(parts[3]); err != nil {
		return 0, id.Nil, id.Nil, fmt.Errorf("bus: subject %q: %w", subject, err)
	}
	return partition, tenant, sensor, nil
}
