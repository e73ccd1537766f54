package status

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func pool(t *testing.T, dsn string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A process that starts waits for a database that is slow: with an error it would not start.
func TestTheRosterWaitsForTheDatabase(t *testing.T) {
	db := testkit.NewDB(t)
	worker, owner := pool(t, db.WorkerDSN), pool(t, db.OwnerDSN)
	holder, err := owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(context.WithoutCancel(t.Context()))
	if _, err := holder.Exec(t.Context(), `LOCK TABLE processes`); err != nil {
		t.Fatal(err)
	}
	r := NewRoster(worker, Self{Name: "host/7", Roles: []string{"worker"}}, slog.New(slog.DiscardHandler))
	started := make(chan error, 1)
	go func() { started <- r.Start(t.Context()) }()
	select {
	case err := <-started:
		t.Fatalf("started without its row: %v", err)
	case <-time.After(writeWithin + time.Second):
	}
	if err := holder.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestReadTellsWhatIsStored(t *testing.T) {
	db := testkit.NewDB(t)
	worker, owner := pool(t, db.WorkerDSN), pool(t, db.OwnerDSN)
	b, err := bus.Connect(t.Context(), bus.Options{InProcess: testkit.NATS(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	log, err := bus.OpenLog(t.Context(), b, bus.LogOptions{Partitions: 2, MaxBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	self := NewRoster(worker, Self{Name: "host/7", Roles: []string{"worker"}, Version: "v1", Address: "127.0.0.1:8080"}, slog.New(slog.DiscardHandler))
	if err := self.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO processes VALUES ('host/8', '{api,ingest}', 'v0', '', now() - interval '1 hour', now() - interval '1 minute')`,
		`INSERT INTO partitions (number, owner, epoch, expires_at, sequence) VALUES
			(0, 'host/7/abc', 3, now() + interval '1 hour', 1), (1, 'host/8/def', 5, now() - interval '1 second', 0)`,
		`INSERT INTO log_checkpoints (reader, number, sequence) VALUES ('landing', 0, 0), ('landing', 1, 2), ('backfill', 0, 0)`,
	} {
		if _, err := owner.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 { // sequences 1 and 3 in partition 0
		if _, err := log.Append(t.Context(), i%2, id.New(id.Tenant), id.New(id.Sensor), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	r := &Reader{Pool: worker, Bus: b, Log: log}
	var i *Installation
	testkit.Eventually(t, testkit.Patience, func() bool { // a log that is slow now and then is told of as one that fails, a process as gone
		if i, err = r.Read(t.Context()); err != nil || len(i.Processes) != 2 {
			t.Fatalf("%+v, %v", i, err)
		}
		return i.LogFailure == "" && i.Processes[1].Alive
	})
	if p := i.Processes[1]; p.Name != "host/7" || !p.Alive || p.PartitionsHeld != 1 || p.Version != "v1" || p.Roles[0] != "worker" {
		t.Errorf("%+v", p)
	}
	if p := i.Processes[0]; p.Name != "host/8" || p.Alive || p.PartitionsHeld != 0 || p.SilentSeconds < 60 {
		t.Errorf("%+v", p)
	}
	if p := i.Partitions[0]; !p.Leased || p.Process != "host/7" || p.Epoch != 3 || *p.LagMessages != 1 || p.LeaseSeconds < 50*60 {
		t.Errorf("%+v", p)
	}
	if p := i.Partitions[1]; p.Leased || p.LeaseSeconds >= 0 || *p.LagMessages != 2 || *p.LagSeconds < 0 {
		t.Errorf("%+v", p)
	}
	if len(i.Readers) != 2 || i.Readers[0].Name != "backfill" || i.Readers[0].LagMessages != nil {
		t.Errorf("a log that was never made: %+v", i.Readers)
	}
	if f := i.Readers[1]; f.Name != "landing" || *f.LagMessages != 3 || f.LagSeconds == nil { // two of partition 0, one of 1
		t.Errorf("%+v", f)
	}
	if len(i.Streams) != 1 || i.Streams[0].Messages != 4 || i.Streams[0].LimitBytes != 8<<20 {
		t.Errorf("%+v", i.Streams)
	}

	bounded, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	if err := b.Close(bounded); err != nil {
		t.Fatal(err)
	}
	i, err = r.Read(t.Context())
	if err != nil || i.LogFailure == "" || len(i.Partitions) != 2 || i.Partitions[0].LagMessages != nil || i.Readers[1].LagMessages != nil || len(i.Streams) != 0 {
		t.Errorf("without a log: %+v %v", i, err)
	}
	if err := self.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if i, err = r.Read(t.Context()); err != nil || len(i.Processes) != 1 {
		t.Errorf("after the end: %+v %v", i, err)
	}
	worker.Close()
	if _, err := r.Read(t.Context()); err == nil {
		t.Error("a status without a database")
	}
}
