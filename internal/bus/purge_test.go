package bus

import (
	"testing"
)

func TestPurgeCutsBelowWhatIsNeeded(t *testing.T) {
	l := openLog(t, LogOptions{Partitions: 3})
	var seqs []uint64
	for i := range 12 { // partitions 0, 1, 0, 1, …; partition 2 stays empty
		seqs = append(seqs, appendTo(t, l, i%2, "x"))
	}
	for _, c := range []struct {
		name   string
		needed map[int]uint64
		first  uint64
	}{
		{"nothing processed", map[int]uint64{0: 0, 1: 0, 2: 0}, seqs[0]},
		{"the slower one counts", map[int]uint64{0: seqs[8] + 1, 1: seqs[3] + 1, 2: 0}, seqs[5]},
		{"it does not go back", map[int]uint64{0: 0, 1: 0, 2: 0}, seqs[5]},
		{"one has caught up", map[int]uint64{0: seqs[8] + 1, 1: seqs[11] + 1, 2: 0}, seqs[10]},
		{"all have", map[int]uint64{0: seqs[11] + 1, 1: seqs[11] + 1, 2: 0}, seqs[11] + 1},
	} {
		first, err := l.Purge(t.Context(), c.needed)
		if err != nil || first != c.first {
			t.Errorf("%s: first %d, want %d (%v)", c.name, first, c.first, err)
		}
		if info, err := l.Info(t.Context()); err != nil || info.FirstSeq != c.first || info.LastSeq != seqs[11] {
			t.Errorf("%s: log from %d to %d, want %d to %d (%v)", c.name, info.FirstSeq, info.LastSeq, c.first, seqs[11], err)
		}
	}
	if seq := appendTo(t, l, 2, "x"); seq != seqs[11]+1 {
		t.Errorf("a purged log goes on at %d, want %d", seq, seqs[11]+1)
	}
}

func TestPurgeWantsToHearOfEveryPartition(t *testing.T) {
	l := openLog(t, LogOptions{Partitions: 2})
	seq := appendTo(t, l, 1, "x")
	if _, err := l.Purge(t.Context(), map[int]uint64{0: seq + 1}); err == nil {
		t.Fatal("purged what may be needed")
	}
	if info, err := l.Info(t.Context()); err != nil || info.Messages != 1 {
		t.Errorf("%d records are left (%v)", info.Messages, err)
	}
}
