package landing

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/blob"
	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func withTenant(tenant id.UUID) context.Context {
	return tenancy.AsSystem(context.Background(), tenant)
}

// What was admitted is read back as it was, in the order of event time, once, and the
// tenant's own alone.
func TestLandedAndReadBack(t *testing.T) {
	for kind, files := range map[string]*blob.Store{"directory": directory(t), "S3": bucket(t, testkit.S3(t))} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t, testkit.NATS(t), files, 2)
			sent := r.feed(600)
			for range 40 { // sent again by their devices
				again := r.message(r.at % 100)
				r.append(&again)
				r.at++
			}
			_, err := r.log.Append(t.Context(), 0, r.keys[0].Tenant, r.keys[0].Sensor, []byte("no envelope"))
			r.ok(err)
			l := r.lander(Options{FileBytes: 20_000, FileAge: 50 * time.Millisecond})
			for p := range 2 {
				c := r.checkpoint(p)
				last := uint64(0)
				for seq := range r.sequences(p) {
					last = max(last, seq)
				}
				r.follow(l, c, last)
			}
			all := Query{Tenant: r.keys[0].Tenant, From: r.start.Add(-time.Hour), To: r.start.Add(time.Hour)}
			got := r.read(all)
			want := r.expected(sent, func(raw *telemetry.Raw) bool { return raw.Tenant == all.Tenant })
			r.compare(got, want)

			narrow := all
			narrow.From, narrow.To = r.start.Add(100*time.Second), r.start.Add(300*time.Second)
			narrow.Sensors = []id.UUID{r.keys[1].Sensor}
			r.compare(r.read(narrow), r.expected(sent, func(raw *telemetry.Raw) bool {
				return raw.Sensor == r.keys[1].Sensor && !raw.Timestamp.Before(narrow.From) && raw.Timestamp.Before(narrow.To)
			}))
			narrow.Sensors, narrow.Sites = nil, []id.UUID{r.keys[2].Site}
			r.compare(r.read(narrow), r.expected(sent, func(raw *telemetry.Raw) bool {
				return raw.Site == r.keys[2].Site && !raw.Timestamp.Before(narrow.From) && raw.Timestamp.Before(narrow.To)
			}))
			if got := r.read(Query{Tenant: id.New(id.Tenant), To: time.Now()}); len(got) != 0 {
				t.Errorf("%d messages of nobody", len(got))
			}
			parts, err := NewReader(files, "").Partitions(t.Context(), all)
			r.ok(err)
			most := 0 // which partitions the sensors come to is for their ids to say
			for _, p := range parts {
				most = max(most, len(p.files))
			}
			if most < 3 {
				t.Errorf("%d partitions, at most %d files in one: nothing was merged", len(parts), most)
			}
			left := 0
			for range NewReader(files, "").Read(t.Context(), all) { // may be left
				if left++; left == 10 {
					break
				}
			}
		})
	}
}

// A batch that was begun is written again with the same bounds, whoever takes over,
// and whatever its settings: no message is there twice, none is missing.
func TestTakenOverInTheMiddle(t *testing.T) {
	r := newRig(t, testkit.NATS(t), directory(t), 1)
	sent := r.feed(300)
	c := r.checkpoint(0)
	// Dies after the files of the third batch, before its checkpoint.
	c.fail = func(save int) error {
		if save == 6 {
			return errLost
		}
		return nil
	}
	first := r.lander(Options{FileBytes: 9_000, FileAge: time.Hour})
	if err := first.Follow(t.Context(), c); err == nil {
		t.Fatal("it goes on")
	}
	if c.intended <= c.done {
		t.Fatalf("done %d, intended %d", c.done, c.intended)
	}
	n := 0
	for _, k := range []int{0, 3} {
		m, _ := r.rows(r.keys[k].Tenant)
		n += m
	}
	if uint64(n) != c.intended {
		t.Fatalf("%d rows are written, want all of the batch up to %d", n, c.intended)
	}
	sent = append(sent, r.feed(50)...)
	c.fail = nil
	second := r.lander(Options{FileBytes: 1 << 20, FileAge: 10 * time.Millisecond})
	r.follow(second, c, 350)
	for _, k := range []int{0, 3} {
		tenant := r.keys[k].Tenant
		rows, of := r.rows(tenant)
		want := r.expected(sent, func(raw *telemetry.Raw) bool { return raw.Tenant == tenant })
		if rows != len(want) || len(of) != len(want) {
			t.Errorf("%d rows of %d messages, want %d", rows, len(of), len(want))
		}
	}
	// One whose lease is over begins nothing.
	r.feed(10)
	before := c.at()
	c.fail = func(int) error { return errLost }
	if err := second.Follow(t.Context(), c); err == nil || c.at() != before {
		t.Errorf("%v at %d", err, c.at())
	}
	rows, _ := r.rows(r.keys[0].Tenant)
	more, _ := r.rows(r.keys[3].Tenant)
	if rows+more != 350 {
		t.Errorf("%d rows: it has written", rows+more)
	}
}

// While the storage is down nothing is lost and nothing passed.
func TestStorageDown(t *testing.T) {
	server := testkit.S3(t)
	r := newRig(t, testkit.NATS(t), bucket(t, server), 1)
	sent := r.feed(100)
	c := r.checkpoint(0)
	var denied atomic.Int64
	server.Between(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			denied.Add(1)
			w.WriteHeader(http.StatusForbidden)
		})
	})
	l := r.lander(Options{FileBytes: 10_000, FileAge: time.Millisecond})
	for range 3 {
		if err := l.Follow(t.Context(), c); err == nil {
			t.Fatal("landed while the storage is down")
		}
	}
	if c.at() != 0 || denied.Load() < 3 {
		t.Fatalf("at %d after %d refusals", c.at(), denied.Load())
	}
	server.Between(nil)
	r.follow(l, c, 100)
	for _, k := range []int{0, 3} {
		tenant := r.keys[k].Tenant
		r.compare(r.read(Query{Tenant: tenant, To: time.Now()}), r.expected(sent, func(raw *telemetry.Raw) bool { return raw.Tenant == tenant }))
	}
}

func TestOldDaysAreDeleted(t *testing.T) {
	r := newRig(t, testkit.NATS(t), directory(t), 1)
	now := time.Date(2026, 5, 10, 12, 0, 0, 0, time.UTC)
	for day := range 5 {
		r.start = now.AddDate(0, 0, -day)
		r.feed(6)
	}
	r.follow(r.lander(Options{FileAge: time.Millisecond}), r.checkpoint(0), 30)
	// A slow reader closes files before they have all of a day: there may be more than one.
	files := func(tenant id.UUID, days ...string) (n int) {
		for _, day := range days {
			before := n
			for _, err := range r.files.List(withTenant(tenant), day+"/") {
				r.ok(err)
				n++
			}
			if n == before {
				t.Errorf("no files of %s", day)
			}
		}
		return n
	}
	old := []string{"2026-05-06", "2026-05-07"}
	want := files(r.keys[0].Tenant, old...) + files(r.keys[3].Tenant, old...)
	k := NewKeeper(r.files, 48*time.Hour, testLog())
	// The 7th ended 60 h ago, the 8th 36 h ago.
	if n, err := k.Sweep(t.Context(), now); err != nil || n != want {
		t.Errorf("%d files of 2 days and 2 tenants, want %d, %v", n, want, err)
	}
	days, err := r.files.Levels(withTenant(r.keys[0].Tenant), "")
	if r.ok(err); !slices.Equal(days, []string{"2026-05-08", "2026-05-09", "2026-05-10"}) {
		t.Errorf("left: %v", days)
	}
	want = files(r.keys[0].Tenant, days...)
	if n, err := Forget(t.Context(), r.files, r.keys[0].Tenant); err != nil || n != want {
		t.Errorf("%d files of 3 days, want %d, %v", n, want, err)
	}
	if left, err := r.files.Tenants(t.Context()); err != nil || !slices.Equal(left, []id.UUID{r.keys[3].Tenant}) {
		t.Errorf("%v, %v", left, err)
	}
}

func TestNames(t *testing.T) {
	f := file{hour: time.Date(2026, 1, 2, 23, 0, 0, 0, time.UTC), partition: 3, partitions: 16, log: logName("x"), first: 1 << 40,
		oldest: time.UnixMilli(5).UTC(), newest: time.UnixMilli(1_700_000_000_123).UTC(), rows: 12_345_678}
	for _, f.through = range []uint64{0, 1<<40 + 7} {
		if got, ok := parseName(f.name()); !ok || got != f {
			t.Errorf("%+v from %s", got, f.name())
		}
	}
	for _, bad := range []string{"", "2026-01-02/23/x.parquet", "images/a.png", "2026-13-02/23/p0003of0016-00000000-00000000000000000001-0000000000001-0000000000001-0000001.parquet",
		"2026-01-02/23/p0016of0016-00000000-00000000000000000001-0000000000001-0000000000001-0000001.parquet",
		"2026-01-02/23/p0003of0016-00000000-99999999999999999999-0000000000001-0000000000001-0000001.parquet",
		"2026-01-02/23/p0003of0016-00000000-00000000000000000005-0000000000001-0000000000001-0000001-0000000000.parquet",
		"2026-01-02/23/p0003of0016-00000000-18446744073709551615-0000000000001-0000000000001-0000001-0000000001.parquet"} {
		if f, ok := parseName(bad); ok {
			t.Errorf("%q is %+v", bad, f)
		}
	}
}

// sequences gives those of a partition.
func (r *rig) sequences(partition int) map[uint64]bool {
	r.Helper()
	out := map[uint64]bool{}
	reader, err := r.log.Read(partition, 1)
	r.ok(err)
	defer func() { _ = reader.Close(context.Background()) }()
	for {
		entries, err := reader.Next(context.Background(), 500, 50*time.Millisecond)
		if errors.Is(err, bus.ErrUnavailable) {
			continue // nothing is lost
		}
		r.ok(err)
		for _, e := range entries {
			out[e.Seq] = true
		}
		if reader.Pending() == 0 { // as the server said, however long it took
			return out
		}
	}
}

// expected is what a reader gives of messages: in order, partition by partition.
func (r *rig) expected(sent []telemetry.Raw, which func(*telemetry.Raw) bool) []telemetry.Raw {
	var out []telemetry.Raw
	for i := range sent {
		if which(&sent[i]) {
			out = append(out, sent[i])
		}
	}
	slices.SortStableFunc(out, func(a, b telemetry.Raw) int {
		return cmp.Or(cmp.Compare(r.partition(&a), r.partition(&b)), a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.LogSeq, b.LogSeq))
	})
	return out
}

func (r *rig) compare(got, want []telemetry.Raw) {
	r.Helper()
	if len(got) != len(want) || len(want) == 0 {
		r.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range got {
		if !same(&got[i], &want[i]) {
			r.Fatalf("message %d:\n%+v\nwant\n%+v", i, got[i], want[i])
		}
	}
}
