package landing

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/blob"
	"foresight/internal/bus"
	"foresight/internal/embedded/natsd"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

const within = testkit.Patience

// rig is a log with a landing zone.
type rig struct {
	testing.TB
	log   *bus.Log
	files *blob.Store
	start time.Time
	keys  []telemetry.Key
	at    int
}

func newRig(t testing.TB, server *natsd.Server, files *blob.Store, partitions int) *rig {
	t.Helper()
	r := &rig{TB: t, files: files, start: time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	b, err := bus.Connect(ctx, bus.Options{InProcess: server, Log: slog.New(slog.DiscardHandler)})
	r.ok(err)
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	r.log, err = bus.OpenLog(ctx, b, bus.LogOptions{Partitions: partitions, AckTimeout: within})
	r.ok(err)
	for range 2 {
		tenant := id.New(id.Tenant)
		for range 3 {
			r.keys = append(r.keys, telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)})
		}
	}
	return r
}

func directory(t testing.TB) *blob.Store {
	t.Helper()
	u, err := blob.DirURL(filepath.Join(t.TempDir(), "landing"))
	if err != nil {
		t.Fatal(err)
	}
	return open(t, u)
}

func open(t testing.TB, url string, o ...blob.Option) *blob.Store {
	t.Helper()
	s, err := blob.Open(context.Background(), url, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func bucket(t testing.TB, s *testkit.S3Server) *blob.Store {
	t.Helper()
	return open(t, "s3://"+s.Bucket+"/landing", blob.WithS3(blob.S3{Endpoint: s.Endpoint, Region: "us-east-1", PathStyle: true, Plain: true,
		AccessKey: s.AccessKey, SecretKey: s.SecretKey}))
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// message is the n-th, of one of the sensors. Event times run back and forth.
func (r *rig) message(n int) telemetry.Raw {
	k := r.keys[n%len(r.keys)]
	at := r.start.Add(time.Duration(n) * time.Second)
	raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels()},
		ReceivedAt: at.Add(1234567 * time.Microsecond), Topic: fmt.Sprintf("acme/north/sensors/%d", n%len(r.keys)),
		Payload: fmt.Appendf(nil, `{"timestamp":%d,"flow":%d,"unknown":"é"}`, at.UnixMilli(), n)}
	if n%5 == 0 {
		raw.Timestamp = at.Add(-time.Duration(n%1000) * time.Second)
	}
	for c := range raw.Channels {
		if n%7 != 0 && c != n%24 {
			raw.Channels[c] = float64(n) + float64(c)/100
		}
	}
	for i := range n % 3 {
		raw.Values = append(raw.Values, telemetry.Value{Name: string(rune('a' + i)), Value: float64(n)})
	}
	binary.BigEndian.PutUint64(raw.IngestID[:], uint64(n)+1)
	copy(raw.IngestID[8:], k.Sensor[:8])
	return raw
}

// feed appends the next n messages and returns them as they stand in the log.
func (r *rig) feed(n int) []telemetry.Raw {
	r.Helper()
	out := make([]telemetry.Raw, 0, n)
	for range n {
		raw := r.message(r.at)
		r.at++
		r.append(&raw)
		out = append(out, raw)
	}
	return out
}

func (r *rig) append(raw *telemetry.Raw) {
	r.Helper()
	seq, err := r.log.Append(context.Background(), bus.Partition(raw.Tenant, raw.Sensor, r.log.Partitions()), raw.Tenant, raw.Sensor, telemetry.AppendEnvelope(nil, raw))
	r.ok(err)
	raw.LogSeq = seq
}

func (r *rig) lander(o Options) *Lander {
	o.Log, o.Files, o.Metrics, o.Logger = r.log, r.files, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	return New(o)
}

// checkpoint is a partition with its checkpoint in memory, whose holder may be another one by now.
type checkpoint struct {
	mu             sync.Mutex
	number         int
	stream         string
	done, intended uint64
	saves          int
	fail           func(save int) error // what a save answers, before it counts
}

var errLost = errors.New("another one holds the partition")

func (c *checkpoint) Partition() int { return c.number }
func (c *checkpoint) Stream() string { return c.stream }

func (c *checkpoint) Checkpoint(context.Context) (uint64, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done, c.intended, nil
}

func (c *checkpoint) Save(_ context.Context, done, intended uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.saves++; c.fail != nil {
		if err := c.fail(c.saves); err != nil {
			return err
		}
	}
	c.done, c.intended = done, intended
	return nil
}

func (c *checkpoint) at() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

func (r *rig) checkpoint(number int) *checkpoint {
	r.Helper()
	stream, err := r.log.Identity(context.Background())
	r.ok(err)
	return &checkpoint{number: number, stream: stream}
}

// follow lands the partition until its checkpoint has reached the sequence.
func (r *rig) follow(l *Lander, c *checkpoint, until uint64) {
	r.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := l.Follow(ctx, c)
		for errors.Is(err, bus.ErrUnavailable) && ctx.Err() == nil { // as the worker does
			err = l.Follow(ctx, c)
		}
		ended <- err
	}()
	testkit.Eventually(r, within, func() bool {
		select {
		case err := <-ended:
			ended <- err
			r.Fatal(err)
		default:
		}
		return c.at() >= until
	})
	cancel()
	<-ended
}

// rows counts the rows of all files of a tenant as they are, and how often each
// message is among them.
func (r *rig) rows(tenant id.UUID) (n int, of map[telemetry.IngestID]int) {
	r.Helper()
	of = map[telemetry.IngestID]int{}
	reader := NewReader(r.files, r.TempDir())
	parts, err := reader.Partitions(context.Background(), Query{Tenant: tenant, To: time.Now().Add(time.Hour)})
	r.ok(err)
	for _, p := range parts {
		for _, f := range p.files {
			m := &merge{r: reader, ctx: withTenant(tenant), q: Query{Tenant: tenant, To: time.Now().Add(time.Hour)}}
			c, err := reader.openFile(m.ctx, f)
			r.ok(err)
			inFile := 0
			for !c.atEnd {
				of[c.row().IngestID]++
				inFile++
				r.ok(c.advance())
			}
			if inFile != int(f.rows) {
				r.Errorf("%s has %d rows", f.name(), inFile)
			}
			n += inFile
		}
	}
	return n, of
}

func (r *rig) read(q Query) []telemetry.Raw {
	r.Helper()
	var out []telemetry.Raw
	for raw, err := range NewReader(r.files, r.TempDir()).Read(context.Background(), q) {
		r.ok(err)
		out = append(out, *raw)
	}
	return out
}

func same(a, b *telemetry.Raw) bool {
	for c := range a.Channels {
		if a.Channels[c] != b.Channels[c] && !(math.IsNaN(a.Channels[c]) && math.IsNaN(b.Channels[c])) {
			return false
		}
	}
	x, y := *a, *b
	x.Channels, y.Channels = [telemetry.Channels]float64{}, [telemetry.Channels]float64{}
	x.ReceivedAt, y.ReceivedAt = x.ReceivedAt.Truncate(time.Microsecond), y.ReceivedAt.Truncate(time.Microsecond)
	return fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y)
}

func (r *rig) partition(raw *telemetry.Raw) int {
	return bus.Partition(raw.Tenant, raw.Sensor, r.log.Partitions())
}

func testLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
