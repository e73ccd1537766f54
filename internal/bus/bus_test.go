package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func connect(t testing.TB, o Options) *Bus {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	connecting, cancel := context.WithTimeout(t.Context(), testkit.Patience) // else it is given two seconds
	defer cancel()
	b, err := Connect(connecting, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own has ended
		defer cancel()
		if err := b.Close(ctx); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			t.Log("close:", err)
		}
	})
	return b
}

func openLog(t testing.TB, o LogOptions) *Log {
	t.Helper()
	return openLogOn(t, connect(t, Options{InProcess: testkit.NATS(t)}), o)
}

func openLogOn(t testing.TB, b *Bus, o LogOptions) *Log {
	t.Helper()
	o.AckTimeout = cmp.Or(o.AckTimeout, testkit.Patience)
	l, err := OpenLog(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func appendTo(t testing.TB, l *Log, partition int, data string) uint64 {
	t.Helper()
	seq, err := l.Append(t.Context(), partition, tenantA, sensorA, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// readN reads n records.
func readN(t testing.TB, r *Reader, n int) []Entry {
	t.Helper()
	var got []Entry
	testkit.Eventually(t, testkit.Patience, func() bool {
		es, err := r.Next(t.Context(), min(100, n-len(got)), 200*time.Millisecond)
		if err != nil && !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		got = append(got, es...)
		return len(got) >= n
	})
	return got
}

var (
	tenantA = id.Derive(id.Tenant, time.UnixMilli(1), []byte("a"))
	tenantB = id.Derive(id.Tenant, time.UnixMilli(1), []byte("b"))
	sensorA = id.Derive(id.Sensor, time.UnixMilli(1), []byte("a"))
	sensorB = id.Derive(id.Sensor, time.UnixMilli(1), []byte("b"))
)

func TestRecordsOfAPartitionAreReadInOrder(t *testing.T) {
	l := openLog(t, LogOptions{Partitions: 2})
	var want []string
	var pending []Pending
	for i := range 3000 {
		text := fmt.Sprint(i)
		p, err := l.AppendAsync(t.Context(), i%2, tenantA, sensorA, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
		if i%2 == 1 {
			want = append(want, text)
		}
	}
	last := uint64(0)
	for i, p := range pending {
		seq, err := p.Wait(t.Context())
		if err != nil || seq <= last {
			t.Fatalf("append %d: sequence %d after %d, %v", i, seq, last, err)
		}
		last = seq
	}
	r, err := l.Read(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range readN(t, r, len(want)) {
		if string(e.Data) != want[i] {
			t.Fatalf("record %d is %q, want %q", i, e.Data, want[i])
		}
		p, tenant, sensor, err := ParseSubject(e.Subject)
		if err != nil || p != 1 || tenant != tenantA || sensor != sensorA {
			t.Fatalf("subject %q: %d %s %s %v", e.Subject, p, tenant, sensor, err)
		}
	}
}

func TestReaderResumesBehindACheckpoint(t *testing.T) {
	l := openLog(t, LogOptions{})
	var seqs []uint64
	for i := range 10 {
		seqs = append(seqs, appendTo(t, l, 3, fmt.Sprint(i)))
	}
	r, err := l.Read(3, seqs[5]+1)
	if err != nil {
		t.Fatal(err)
	}
	if got := readN(t, r, 4); string(got[0].Data) != "6" || got[0].Seq != seqs[6] {
		t.Errorf("first is %q at %d", got[0].Data, got[0].Seq)
	}
	if es, err := r.Next(t.Context(), 10, 20*time.Millisecond); err != nil && !errors.Is(err, ErrUnavailable) || len(es) != 0 {
		t.Errorf("an idle partition gives %d records, %v", len(es), err)
	}
	appendTo(t, l, 3, "next")
	if got := readN(t, r, 1); string(got[0].Data) != "next" {
		t.Errorf("got %q", got[0].Data)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNextEndsWithTheContext(t *testing.T) {
	l := openLog(t, LogOptions{})
	r, err := l.Read(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Hour
	for range 3 { // the machine may stand still for as long as Next would wait
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		begin := time.Now()
		if _, err := r.Next(ctx, 1, 5*time.Second); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if took = min(took, time.Since(begin)); took < 3*time.Second {
			break
		}
	}
	if took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	appendTo(t, l, 0, "x")
	readN(t, r, 1)
}

func TestFullLogRefusesUntilItIsPurged(t *testing.T) {
	l := openLog(t, LogOptions{Partitions: 1, MaxBytes: 64 << 10})
	first := appendTo(t, l, 0, "first")
	var err error
	n := 1
	for ; err == nil && n < 1000; n++ {
		_, err = l.Append(t.Context(), 0, tenantA, sensorA, make([]byte, 1024))
	}
	if !errors.Is(err, ErrFull) || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("after %d records: %v, want ErrFull", n, err)
	}
	r, err := l.Read(0, first)
	if err != nil {
		t.Fatal(err)
	}
	got := readN(t, r, n-1) // nothing that was confirmed is gone
	if _, err := l.Purge(t.Context(), map[int]uint64{0: got[len(got)-1].Seq + 1}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, l, 0, "after")
	readN(t, r, 1)
}

func TestRepeatsAreDroppedByID(t *testing.T) {
	l := openLog(t, LogOptions{Identify: func(data []byte) string { return string(data) }})
	one, again, other := appendTo(t, l, 0, "one"), appendTo(t, l, 0, "one"), appendTo(t, l, 0, "other")
	if one != again || other == one {
		t.Errorf("sequences %d, %d, %d", one, again, other)
	}
}

func TestLogKnowsItself(t *testing.T) {
	b := connect(t, Options{InProcess: testkit.NATS(t)})
	l := openLogOn(t, b, LogOptions{Partitions: 4})
	before, err := l.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if same, err := openLogOn(t, b, LogOptions{Partitions: 4, MaxBytes: 1 << 20}).Identity(t.Context()); err != nil || same != before {
		t.Errorf("opened again with other limits it is %s, was %s: %v", same, before, err)
	}
	if _, err := OpenLog(t.Context(), b, LogOptions{Partitions: 5}); !errors.Is(err, ErrPartitions) {
		t.Errorf("another number of partitions: %v", err)
	}
	if err := b.js.DeleteStream(t.Context(), "READINGS"); err != nil {
		t.Fatal(err)
	}
	if after, err := openLogOn(t, b, LogOptions{Partitions: 5}).Identity(t.Context()); err != nil || after == before {
		t.Errorf("made anew it is still %s: %v", after, err)
	}
}

func TestPartitionsOutOfRange(t *testing.T) {
	l := openLog(t, LogOptions{Partitions: 2})
	for _, p := range []int{-1, 2} {
		if _, err := l.Append(t.Context(), p, tenantA, sensorA, nil); err == nil {
			t.Errorf("append to %d succeeds", p)
		}
		if _, err := l.Read(p, 0); err == nil {
			t.Errorf("read of %d succeeds", p)
		}
	}
}

func TestConnectNeedsOneServer(t *testing.T) {
	for name, o := range map[string]Options{
		"none": {},
		"both": {InProcess: testkit.NATS(t), URL: "nats://127.0.0.1:1"},
		"gone": {URL: "nats://127.0.0.1:1"},
	} {
		if b, err := Connect(t.Context(), o); err == nil {
			b.conn.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
