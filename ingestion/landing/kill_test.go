package landing

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/pipeline"
	"foresight/internal/alarms"
	"foresight/internal/blob"
	"foresight/internal/bus"
	"foresight/internal/embedded/natsd"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

// A worker process is the test binary itself, told by its environment what to do.
const (
	childNATS   = "FORESIGHT_TEST_LANDING_NATS"
	childWorker = "FORESIGHT_TEST_LANDING_DSN"
	childApp    = "FORESIGHT_TEST_LANDING_APP_DSN"
	childFiles  = "FORESIGHT_TEST_LANDING_FILES"
)

const killPartitions = 2

type silent struct{}

func (silent) Publish(context.Context, ...event.Event) error { return nil }

// workerProcess runs a worker with its landing until it is interrupted or killed.
func workerProcess() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	quiet := slog.New(slog.DiscardHandler)
	worker, err := pgxpool.New(ctx, os.Getenv(childWorker))
	if err != nil {
		return err
	}
	defer worker.Close()
	app, err := pgxpool.New(ctx, os.Getenv(childApp))
	if err != nil {
		return err
	}
	defer app.Close()
	b, err := bus.Connect(ctx, bus.Options{URL: os.Getenv(childNATS), Log: quiet})
	if err != nil {
		return err
	}
	log, err := bus.OpenLog(ctx, b, bus.LogOptions{Partitions: killPartitions})
	if err != nil {
		return err
	}
	files, err := blob.Open(ctx, os.Getenv(childFiles))
	if err != nil {
		return err
	}
	source := alarms.NewRuleSource(alarms.SourceOptions{Pool: worker, Log: quiet})
	if err := source.Start(ctx); err != nil {
		return err
	}
	l := New(Options{Log: log, Files: files, FileBytes: 6_000, FileAge: 20 * time.Millisecond, Logger: quiet})
	w := pipeline.New(pipeline.Parts{Pool: worker, Log: log, Store: pgstore.New(worker, app, pgstore.WithDeferredSync()),
		Alarms: alarms.NewRecorder(source, alarms.NewMetrics(prometheus.NewRegistry())), Dead: pipeline.NewLetters(worker), Events: silent{}, Logger: quiet,
		Beside: []pipeline.Beside{{Name: "landing", Follow: func(ctx context.Context, h *pipeline.Held) error { return l.Follow(ctx, h) }}}},
		pipeline.Options{Lease: 400 * time.Millisecond, Heartbeat: 50 * time.Millisecond, SilenceGrace: time.Hour, PurgeEvery: 30 * time.Millisecond})
	if err := w.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return w.Stop(context.WithoutCancel(ctx))
}

// TestKilled kills worker processes with signal 9 while they land, and purge the log
// behind them: every message is in the zone, in one row.
func TestKilled(t *testing.T) {
	server := natsd.New(natsd.Options{StoreDir: t.TempDir(), MaxStoreBytes: 1 << 30, Listen: "127.0.0.1:0", Log: testLog()})
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	url, err := blob.DirURL(filepath.Join(t.TempDir(), "landing"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, server, open(t, url), killPartitions)
	db := testkit.NewDB(t)
	acme, globex := testkit.TwoTenants(t, db)
	r.keys = []telemetry.Key{acme.Key(0), globex.Key(0), acme.Key(1), globex.Key(1)}
	owner, err := pgx.Connect(t.Context(), db.OwnerDSN)
	r.ok(err)
	defer owner.Close(context.Background())

	const n = 2000
	last := map[int]uint64{}
	more := func() { // so that each process finds something to do, however much the former ones have done
		for _, raw := range r.feed(n / 5) {
			last[r.partition(&raw)] = raw.LogSeq
		}
	}
	landed := func() map[int]uint64 {
		out := map[int]uint64{}
		rows, err := owner.Query(t.Context(), `SELECT number, sequence FROM log_checkpoints WHERE reader = 'landing'`)
		r.ok(err)
		var number int
		var sequence int64
		_, err = pgx.ForEachRow(rows, []any{&number, &sequence}, func() error { out[number] = uint64(sequence); return nil })
		r.ok(err)
		return out
	}
	sum := func() (s uint64) {
		for _, seq := range landed() {
			s += seq
		}
		return s
	}
	spawn := func() *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), childNATS+"="+server.ClientURL(), childWorker+"="+db.WorkerDSN, childApp+"="+db.AppDSN, childFiles+"="+url)
		c.Stderr = os.Stderr
		r.ok(c.Start())
		t.Cleanup(func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		})
		return c
	}
	for range 4 {
		before := sum()
		more()
		c := spawn()
		testkit.Eventually(t, within, func() bool { return sum() > before+100 })
		r.ok(c.Process.Signal(syscall.SIGKILL))
		_ = c.Wait()
	}
	more()
	spawn()
	testkit.Eventually(t, within, func() bool {
		at := landed()
		for p, seq := range last {
			if at[p] < seq {
				return false
			}
		}
		return true
	})
	for _, tenant := range []id.UUID{acme.TenantID, globex.TenantID} {
		rows, of := r.rows(tenant)
		if rows != n/2 || len(of) != n/2 {
			t.Errorf("%d rows of %d messages, want %d", rows, len(of), n/2)
		}
	}
}
