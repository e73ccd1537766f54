package landing

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/blob"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// land lands all of the log in small files.
func (r *rig) land(c *checkpoint) {
	r.Helper()
	info, err := r.log.Info(r.Context())
	r.ok(err)
	r.follow(r.lander(Options{FileBytes: 9_000, FileAge: 50 * time.Millisecond}), c, info.LastSeq)
}

func (r *rig) compactor() *Compactor {
	return NewCompactor(CompactorOptions{Files: r.files, After: time.Hour, Dir: r.TempDir(), Metrics: prometheus.NewRegistry(), Logger: testLog()})
}

// names are those of a tenant's files, by whether they were put together.
func (r *rig) names(tenant id.UUID) (small, large []string) {
	r.Helper()
	for f, err := range r.files.List(withTenant(tenant), "") {
		r.ok(err)
		g, ok := parseName(f.Name)
		if !ok {
			r.Errorf("%s is there", f.Name)
		}
		if g.through == 0 {
			small = append(small, f.Name)
		} else {
			large = append(large, f.Name)
		}
	}
	return small, large
}

// all is everything of the first tenant.
func (r *rig) all() Query {
	return Query{Tenant: r.keys[0].Tenant, From: r.start.Add(-time.Hour), To: r.start.Add(2 * time.Hour)}
}

func (r *rig) wanted(sent []telemetry.Raw) []telemetry.Raw {
	return r.expected(sent, func(raw *telemetry.Raw) bool { return raw.Tenant == r.keys[0].Tenant })
}

// later is when files that were replaced just now are deleted.
func later() time.Time { return time.Now().Add(superseded + time.Minute) }

// Before, between and after: readers find every message once, and in the end so does
// whoever counts rows.
func TestCompaction(t *testing.T) {
	for kind, files := range map[string]*blob.Store{"directory": directory(t), "S3": bucket(t, testkit.S3(t))} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t, testkit.NATS(t), files, 1)
			sent := r.feed(600)
			c := r.checkpoint(0)
			r.land(c)
			tenant := r.keys[0].Tenant
			before, _ := r.names(tenant)
			if len(before) < 10 {
				t.Fatalf("%d files are not many", len(before))
			}
			co := r.compactor()
			r.ok(co.Pass(t.Context(), r.start.Add(time.Hour))) // the hour has ended just now
			if _, large := r.names(tenant); len(large) > 0 {
				t.Error("compacted before everything can have landed")
			}
			r.ok(co.Pass(t.Context(), time.Now()))
			small, large := r.names(tenant)
			if len(small) != len(before) || len(large) != 1 {
				t.Fatalf("%d small and %d large files, want %d and 1", len(small), len(large), len(before))
			}
			r.compare(r.read(r.all()), r.wanted(sent))
			r.ok(co.Pass(t.Context(), time.Now()))
			if small, large := r.names(tenant); len(small) != len(before) || len(large) != 1 {
				t.Errorf("a second look makes %d small and %d large files", len(small), len(large))
			}
			r.ok(co.Pass(t.Context(), later()))
			if small, large := r.names(tenant); len(small) != 0 || len(large) != 1 {
				t.Errorf("%d small and %d large files are left", len(small), len(large))
			}
			r.compare(r.read(r.all()), r.wanted(sent))
			if rows, of := r.rows(tenant); rows != len(r.wanted(sent)) || len(of) != rows {
				t.Errorf("%d rows of %d messages, want %d", rows, len(of), len(r.wanted(sent)))
			}

			// What was landed later for the same hour, as the storage was down, is put to it.
			sent = append(sent, r.feed(300)...)
			r.land(c)
			r.compare(r.read(r.all()), r.wanted(sent))
			r.ok(co.Pass(t.Context(), later()))
			r.ok(r.compactor().Pass(t.Context(), later()))
			r.compare(r.read(r.all()), r.wanted(sent))
			if small, large := r.names(tenant); len(small) != 0 || len(large) != 1 {
				t.Errorf("%d small and %d large files are left", len(small), len(large))
			}
		})
	}
}

// Whoever has listed the files before they are replaced, or is in the middle of them,
// reads on in what replaces them.
func TestReadersOutliveCompaction(t *testing.T) {
	for _, at := range []int{0, 1, 50, 150, 299} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			r := newRig(t, testkit.NATS(t), directory(t), 1)
			sent := r.feed(600)
			r.land(r.checkpoint(0))
			reader := NewReader(r.files, t.TempDir())
			parts, err := reader.Partitions(t.Context(), r.all())
			r.ok(err)
			for range 2 { // a replay that is tried again has the same list
				compacted := false
				var got []telemetry.Raw
				for _, p := range parts {
					for raw, err := range reader.ReadPartition(t.Context(), r.all(), p) {
						r.ok(err)
						got = append(got, *raw)
						if len(got) > at && !compacted {
							compacted = true
							r.ok(r.compactor().Pass(t.Context(), time.Now()))
							r.ok(r.compactor().Pass(t.Context(), later()))
						}
					}
				}
				if small, _ := r.names(r.keys[0].Tenant); len(small) > 0 {
					t.Fatalf("%d files were not replaced", len(small))
				}
				r.compare(got, r.wanted(sent))
			}
		})
	}
}

// A process that dies leaves some of the replaced files, and an owner of a partition that
// takes over writes some again: readers see no difference, and the next look clears up.
func TestCompactionAfterDeath(t *testing.T) {
	r := newRig(t, testkit.NATS(t), directory(t), 1)
	sent := r.feed(600)
	r.land(r.checkpoint(0))
	tenant := r.keys[0].Tenant
	ctx := withTenant(tenant)
	small, _ := r.names(tenant)
	kept := map[string][]byte{}
	for _, name := range small {
		f, err := r.files.Get(ctx, name)
		r.ok(err)
		var b bytes.Buffer
		_, err = b.ReadFrom(f)
		r.ok(err)
		r.ok(f.Close())
		kept[name] = b.Bytes()
	}
	r.ok(r.compactor().Pass(t.Context(), time.Now()))
	for i, name := range small { // dies while it deletes
		if i%2 == 0 {
			r.ok(r.files.Delete(ctx, name))
		}
	}
	r.compare(r.read(r.all()), r.wanted(sent))
	last := small[len(small)-1]
	r.ok(r.files.Put(ctx, last, contentType, bytes.NewReader(kept[last]), maxFile)) // written again
	r.compare(r.read(r.all()), r.wanted(sent))
	r.ok(r.compactor().Pass(t.Context(), later()))
	if small, large := r.names(tenant); len(small) != 0 || len(large) != 1 {
		t.Errorf("%d small and %d large files are left", len(small), len(large))
	}
	r.compare(r.read(r.all()), r.wanted(sent))
	if rows, of := r.rows(tenant); rows != len(of) {
		t.Errorf("%d rows of %d messages", rows, len(of))
	}
}

// A file that cannot be read keeps its hour from being compacted, and nothing is lost.
func TestUnreadableFilesAreLeftAlone(t *testing.T) {
	r := newRig(t, testkit.NATS(t), directory(t), 1)
	r.feed(600)
	r.land(r.checkpoint(0))
	tenant := r.keys[0].Tenant
	small, _ := r.names(tenant)
	r.ok(r.files.Put(withTenant(tenant), small[3], contentType, bytes.NewReader([]byte("PAR1 no more PAR1")), maxFile))
	if err := r.compactor().Pass(t.Context(), later()); err == nil {
		t.Error("nothing is said")
	}
	left, large := r.names(tenant)
	if len(left) != len(small) || len(large) != 0 {
		t.Errorf("%d small and %d large files are left of %d", len(left), len(large), len(small))
	}
	if _, other := r.names(r.keys[3].Tenant); len(other) != 1 {
		t.Error("the other tenant's hour was not compacted")
	}
}
