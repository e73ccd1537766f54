package bus

import (
	"errors"
	"slices"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/testkit"
)

func TestRecordsOfOneTenant(t *testing.T) {
	l := openLog(t, LogOptions{Name: "SIDE", Prefix: "side", Partitions: 2, MaxBytes: 1 << 20})
	if got, err := l.Backlog(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("an empty log: %v, %v", got, err)
	}
	other := id.New(id.Tenant)
	var mine []string
	var last uint64
	for i := range 20 {
		data := string(rune('a' + i))
		if i%4 == 3 {
			if _, err := l.Append(t.Context(), i%2, other, sensorA, []byte(data)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		last = appendTo(t, l, i%2, data)
		mine = append(mine, data)
	}
	if got, err := l.Backlog(t.Context()); err != nil || got[tenantA][sensorA] != 15 || got[other][sensorA] != 5 || len(got) != 2 {
		t.Fatalf("backlog %v, %v", got, err)
	}
	r := l.ReadTenant(tenantA, 1)
	defer r.Close(t.Context())
	var read []string
	for len(read) < len(mine) {
		var entries []Entry
		testkit.Eventually(t, testkit.Patience, func() bool {
			var err error
			if entries, err = r.Next(t.Context(), 4, time.Second); err != nil && !errors.Is(err, ErrUnavailable) {
				t.Fatalf("after %v: %v", read, err)
			}
			return len(entries) > 0
		})
		for _, e := range entries {
			read = append(read, string(e.Data))
		}
	}
	if !slices.Equal(read, mine) {
		t.Errorf("read %v, want %v", read, mine)
	}
	if err := l.RemoveTenant(t.Context(), tenantA, last); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Backlog(t.Context()); err != nil || got[tenantA][sensorA] != 1 || got[other][sensorA] != 5 {
		t.Errorf("backlog %v, %v; want the last of one tenant and all of the other", got, err)
	}
}
