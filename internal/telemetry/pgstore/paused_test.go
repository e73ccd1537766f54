package pgstore

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// pausing is a connection whose process is paused amid, or right after, a large write
// (of rows; what prepares the statements is smaller).
type pausing struct {
	net.Conn
	armed  *atomic.Bool
	after  func(size int) int // bytes of the write that still go
	paused chan<- struct{}
	resume <-chan struct{}
}

func (p *pausing) Write(b []byte) (int, error) {
	if len(b) < 8<<10 || !p.armed.CompareAndSwap(true, false) {
		return p.Conn.Write(b)
	}
	n, err := p.Conn.Write(b[:p.after(len(b))])
	p.paused <- struct{}{}
	<-p.resume
	if err != nil {
		return n, err
	}
	more, err := p.Conn.Write(b[n:])
	return n + more, err
}

// TestPausedWriterHoldsNobodyUp pauses a writer; a second one writes the same document.
func TestPausedWriterHoldsNobodyUp(t *testing.T) {
	for name, c := range map[string]struct {
		after func(size int) int
		first uint64 // whose document stays
	}{
		"before all is sent": {func(size int) int { return size / 2 }, 2},
		"after all is sent":  {func(size int) int { return size }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := testkit.NewDB(t)
			var armed atomic.Bool
			paused, resume := make(chan struct{}), make(chan struct{})
			config, err := pgxpool.ParseConfig(db.WorkerDSN)
			if err != nil {
				t.Fatal(err)
			}
			dial := config.ConnConfig.DialFunc
			config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				return &pausing{conn, &armed, c.after, paused, resume}, err
			}
			worker, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(worker.Close)
			a, b := New(worker, pool(t, db.AppDSN)), open(t, db)
			r := sample(id.New(id.Tenant), time.Now().UTC(), 1)
			r.Payload = make([]byte, 32<<10)
			if err := a.EnsureDays(t.Context(), r.Timestamp, r.Timestamp); err != nil {
				t.Fatal(err)
			}
			armed.Store(true)
			ended := make(chan error, 1)
			go func() {
				first, err := a.WriteReadings(context.Background(), []telemetry.Raw{r})
				if err == nil && first[0] != c.first {
					t.Errorf("the paused writer takes %d for the first, want %d", first[0], c.first)
				}
				ended <- err
			}()
			<-paused
			again := r
			again.LogSeq = 2
			ctx, cancel := context.WithTimeout(t.Context(), 2*testkit.Patience)
			defer cancel()
			if c.first == 1 {
				testkit.Eventually(t, testkit.Patience, func() bool {
					got, err := b.Readings(ctx, telemetry.RangeQuery{Tenant: r.Tenant, Limit: 1})
					return err == nil && len(got) == 1
				})
			}
			first, err := b.WriteReadings(ctx, []telemetry.Raw{again})
			close(resume)
			if err != nil || first[0] != c.first {
				t.Errorf("the second writer: %v, %v", first, err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
