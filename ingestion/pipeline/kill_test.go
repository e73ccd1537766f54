package pipeline

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/alarms"
	"foresight/internal/bus"
	"foresight/internal/embedded/natsd"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

// A worker process is the test binary itself, told by its environment what to do.
const (
	childNATS   = "FORESIGHT_TEST_WORKER_NATS"
	childWorker = "FORESIGHT_TEST_WORKER_DSN"
	childApp    = "FORESIGHT_TEST_WORKER_APP_DSN"
)

func TestMain(m *testing.M) {
	if os.Getenv(childNATS) != "" {
		if err := workerProcess(); err != nil {
			slog.Error("worker process", "error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testkit.Main(m)
}

// workerProcess runs a worker until it is interrupted or killed.
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
	log, err := bus.OpenLog(ctx, b, bus.LogOptions{Partitions: 2})
	if err != nil {
		return err
	}
	source := alarms.NewRuleSource(alarms.SourceOptions{Pool: worker, Log: quiet})
	if err := source.Start(ctx); err != nil {
		return err
	}
	o := quick("child")
	o.MaxBatch = 6
	w := New(Parts{
		Pool: worker, Log: log, Store: pgstore.New(worker, app, pgstore.WithDeferredSync()), Model: &fingerprint{},
		Alarms: alarms.NewRecorder(source, alarms.NewMetrics(prometheus.NewRegistry())),
		Dead:   NewLetters(worker), Events: &recorder{}, Logger: quiet,
	}, o)
	if err := w.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return w.Stop(context.WithoutCancel(ctx))
}

func (r *rig) spawn(nats string) *exec.Cmd {
	r.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childNATS+"="+nats, childWorker+"="+r.db.WorkerDSN, childApp+"="+r.db.AppDSN)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

func (r *rig) signal(c *exec.Cmd, s syscall.Signal) {
	r.Helper()
	if err := c.Process.Signal(s); err != nil {
		r.Fatal(err)
	}
}

// TestProcessesKilledAndPaused kills worker processes with signal 9 while they write,
// and pauses one until another has taken over.
func TestProcessesKilledAndPaused(t *testing.T) {
	server := natsd.New(natsd.Options{StoreDir: t.TempDir(), MaxStoreBytes: 1 << 30, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
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
	r := newRigOn(t, server, 2)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	const part = 30
	const n = 6 * part
	// Each process finds something to do, however much the former ones have done.
	fed := 0
	more := func() {
		r.feedPart(n, fed, fed+part)
		fed += part
	}
	url := server.ClientURL()
	stored := func() int { return r.ask(`SELECT count(*) FROM telemetry_raw`) }

	for range 4 {
		before := stored()
		more()
		c := r.spawn(url)
		r.eventually("it writes", func() bool { return stored() > before+20 })
		r.signal(c, syscall.SIGKILL)
		_ = c.Wait()
	}
	before := stored()
	more()
	paused := r.spawn(url)
	r.eventually("it writes", func() bool { return stored() > before+20 })
	r.signal(paused, syscall.SIGSTOP)
	more()
	stop := time.Now()
	r.spawn(url)
	r.caughtUp()
	t.Logf("taken over and done within %s", time.Since(stop).Round(time.Millisecond))
	r.sameAs(r.expected(n))
	sequences := r.ask(`SELECT sum(sequence) FROM partitions`)

	r.signal(paused, syscall.SIGCONT)
	r.eventually("the paused one is awake and has its share", func() bool {
		return r.ask(`SELECT count(DISTINCT owner) FROM partitions WHERE owner <> ''`) == 2
	})
	r.sameAs(r.expected(n))
	if now := r.ask(`SELECT sum(sequence) FROM partitions`); now != sequences {
		t.Errorf("checkpoints moved from %d to %d", sequences, now)
	}
}
