package limit

import (
	"fmt"
	"testing"
	"time"

	"foresight/internal/fault"
)

// clock is a time that passes when it is told to.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// A plan that changes changes its buckets; what was spent stays spent.
func TestBucketsFollowTheirRate(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	b := New(c.Now)
	draw := func(n int, r Rate) (int, time.Duration) {
		levels, wait := b.Draw(n, Bucket{Name: "b", Rate: r})
		return levels[0].Remaining, wait
	}
	small, large := Rate{Capacity: 10, PerSecond: 1}, Rate{Capacity: 100, PerSecond: 10}
	if n, wait := draw(10, small); n != 0 || wait != 0 {
		t.Errorf("%d left, wait %s", n, wait)
	}
	if _, wait := draw(1, small); wait != time.Second {
		t.Errorf("wait %s", wait)
	}
	if n, _ := draw(0, large); n != 0 {
		t.Errorf("%d points out of nothing", n)
	}
	c.now = c.now.Add(5 * time.Second)
	if n, _ := draw(0, large); n != 50 {
		t.Errorf("%d points, want 50", n)
	}
	if n, _ := draw(0, small); n != 10 {
		t.Errorf("%d points, want no more than the bucket holds", n)
	}
}

// One bucket that has too little keeps the others from being drawn from.
func TestAllOrNone(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	b := New(c.Now)
	much, little := Bucket{"much", Rate{10, 1}}, Bucket{"little", Rate{2, 0.5}}
	levels, wait := b.Draw(3, much, little)
	if wait != 2*time.Second || levels[0].Remaining != 10 || levels[1].Remaining != 2 {
		t.Errorf("%v, wait %s", levels, wait)
	}
	levels, wait = b.Draw(2, much, little)
	if wait != 0 || levels[0].Remaining != 8 || levels[1].Remaining != 0 || !levels[1].ResetsAt.Equal(c.now.Add(4*time.Second)) {
		t.Errorf("%v, wait %s", levels, wait)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	l := NewLimiter(Rate{Capacity: 1, PerSecond: 1}, c.Now)
	for i := range maxBuckets + 100 {
		if f := l.Take(fmt.Sprint(i)); f != nil {
			t.Fatalf("%d: %v", i, f)
		}
	}
	if n := len(l.buckets.limiters); n > maxBuckets {
		t.Errorf("%d buckets", n)
	}
	// Buckets that are full again go first.
	c.now = c.now.Add(time.Hour)
	l.Take("kept")
	for i := range maxBuckets {
		l.Take(fmt.Sprint("new", i))
		if len(l.buckets.limiters) < maxBuckets/2 { // the old ones went
			break
		}
	}
	if l.Take("kept") == nil {
		t.Error("a bucket in use went before the full ones")
	}
}

func TestTake(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	l := NewLimiter(Rate{Capacity: 2, PerSecond: 1.0 / 30}, c.Now)
	for range 2 {
		for range 3 {
			if l.Empty("a") {
				t.Error("looking is taking")
			}
		}
		if f := l.Take("a"); f != nil {
			t.Fatal(f)
		}
	}
	if !l.Empty("a") || l.Empty("b") {
		t.Error("an empty bucket is not, or another is")
	}
	if f := l.Take("a"); f == nil || f.Kind != fault.RateLimited || f.Args["Seconds"] != 30 {
		t.Errorf("an empty bucket: %v", f)
	}
	if f := l.Take("b"); f != nil {
		t.Errorf("another key: %v", f)
	}
	c.now = c.now.Add(30 * time.Second)
	if f := l.Take("a"); f != nil {
		t.Errorf("later: %v", f)
	}
}

func TestClient(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8::1": "2001:db8::/64", "2001:db8::ffff:0:0:1": "2001:db8::/64", "2001:db8:0:1::1": "2001:db8:0:1::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := Client(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	l := New(nil)
	r := Rate{Capacity: 1 << 30, PerSecond: 1e9}
	b.ReportAllocs()
	for b.Loop() {
		if _, wait := l.Draw(10, Bucket{Name: "tenant", Rate: r}, Bucket{Name: "credential", Rate: r}); wait > 0 {
			b.Fatal(wait)
		}
	}
}
