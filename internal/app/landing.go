package app

import (
	"context"
	"iter"
	"path/filepath"
	"strconv"
	"time"

	"foresight/ingestion/admit"
	"foresight/ingestion/landing"
	"foresight/ingestion/pipeline"
	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// landingZone is where every admitted message is kept, and the log by which history
// comes in again.
type landingZone struct {
	files    *blob.Store // nil when there is none
	backfill *bus.Log
	gate     *admit.Admitter // to the backfill log
	lander   *landing.Lander // nil in processes that land nothing
}

// startLanding opens the landing zone and the backfill log.
func (a *App) startLanding(ctx context.Context) error {
	z := &a.landing
	return a.part(ctx, "landing zone", func(ctx context.Context) (err error) {
		z.backfill, err = bus.OpenLog(ctx, a.bus.conn, bus.LogOptions{Name: "BACKFILL", Prefix: "backfill", Partitions: a.cfg.NATS.Partitions,
			Replicas: a.cfg.NATS.Replicas, MaxBytes: a.cfg.NATS.BackfillMaxBytes})
		if err != nil || !a.cfg.Landing.Enabled {
			return err
		}
		z.files, err = a.openBucket(ctx, a.cfg.Landing.URL, "landing")
		return err
	}, func(context.Context) error {
		if z.files == nil {
			return nil
		}
		return z.files.Close()
	})
}

// openBucket opens a bucket, or the directory in the data directory when there is no URL.
func (a *App) openBucket(ctx context.Context, url, dir string) (_ *blob.Store, err error) {
	if url == "" {
		if url, err = blob.DirURL(filepath.Join(a.cfg.DataDir, dir)); err != nil {
			return nil, err
		}
	}
	c := a.cfg.S3
	return blob.Open(ctx, url, blob.WithS3(blob.S3{Endpoint: c.Endpoint, Region: c.Region, PathStyle: c.PathStyle, Plain: c.Plain, CAFile: c.CAFile,
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, CredentialsFile: c.CredentialsFile}))
}

// beside is what reads the log beside the worker.
func (a *App) beside() []pipeline.Beside {
	if a.landing.files == nil {
		return nil
	}
	a.landing.lander = landing.New(landing.Options{Log: a.bus.log, Files: a.landing.files, FileBytes: a.cfg.Landing.FileBytes, FileAge: a.cfg.Landing.FileAge,
		Metrics: a.metrics, Logger: a.log})
	return []pipeline.Beside{{Name: "landing", Follow: func(ctx context.Context, h *pipeline.Held) error { return a.landing.lander.Follow(ctx, h) }}}
}

// keepLanding deletes old days.
func (a *App) keepLanding(ctx context.Context) error {
	if a.landing.files == nil || a.cfg.Landing.Keep == 0 {
		return nil
	}
	return a.start(ctx, landing.NewKeeper(a.landing.files, a.cfg.Landing.Keep, a.log))
}

// history is the landing zone as replays read it, nil when there is none.
func (a *App) history() bulk.History {
	if a.landing.files == nil {
		return nil
	}
	return landed{landing.NewReader(a.landing.files, "")}
}

// landed reads the landing zone for package bulk.
type landed struct{ reader *landing.Reader }

// Parts implements bulk.History.
func (l landed) Parts(ctx context.Context, s bulk.Stretch) ([]bulk.HistoryPart, error) {
	q := landing.Query{Tenant: s.Tenant, From: s.From, To: s.To, Sensors: s.Sensors, Sites: s.Sites}
	parts, err := l.reader.Partitions(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]bulk.HistoryPart, len(parts))
	for i, p := range parts {
		out[i] = bulk.HistoryPart{Name: strconv.Itoa(p.Number) + "/" + strconv.Itoa(p.Of), Rows: p.Rows,
			Read: func(ctx context.Context, from time.Time) iter.Seq2[*telemetry.Raw, error] {
				q := q
				q.From = from
				return l.reader.ReadPartition(ctx, q, p)
			}}
	}
	return out, nil
}

// backfillGate lets history in by the backfill log.
type backfillGate struct{ a *App }

// Retention implements bulk.Gate.
func (g backfillGate) Retention(tenant id.UUID) (time.Duration, bool) {
	return g.a.retention(tenant)
}

// retention is how long the readings of a tenant are kept; false for one that is not
// known, and in processes that admit nothing.
func (a *App) retention(tenant id.UUID) (time.Duration, bool) {
	if a.ingest.registry == nil {
		return 0, false
	}
	t, ok := a.ingest.registry.Snapshot().Tenant(tenant)
	if !ok {
		return 0, false
	}
	return t.Retention, true
}

// Readmit implements bulk.Gate.
func (g backfillGate) Readmit(ctx context.Context, tenant id.UUID, sites []id.UUID, messages []*telemetry.Raw) ([]bulk.Readmitted, error) {
	tickets := make([]admit.Ticket, len(messages))
	c := admit.Credential{Tenant: tenant, Sites: sites}
	for i, m := range messages {
		tickets[i] = g.a.landing.gate.Readmit(ctx, c, m)
	}
	out := make([]bulk.Readmitted, len(messages))
	var failed error
	for i := range tickets {
		t := &tickets[i]
		seq, err := t.Wait(ctx)
		if err != nil {
			failed = err
			continue
		}
		if t.Rejection != nil {
			out[i].Reason = string(t.Rejection.Reason)
			continue
		}
		out[i].Partition, out[i].Seq = bus.Partition(t.Key.Tenant, t.Key.Sensor, g.a.landing.backfill.Partitions()), seq
	}
	return out, failed
}

// noLetters is for messages that were admitted once: what became of them is told in
// the replay.
type noLetters struct{}

func (noLetters) Put(admit.DeadLetter) {}

// startReadmission opens the gate of history beside that of devices.
func (a *App) startReadmission() {
	a.landing.gate = admit.New(admit.Options{Snapshot: a.ingest.registry.Snapshot, Log: admit.BusLog(a.landing.backfill), Partition: bus.Partition,
		DeadLetters: noLetters{}})
}

// gate is that of history, nil in processes that admit nothing.
func (a *App) gate() bulk.Gate {
	if a.landing.gate == nil {
		return nil
	}
	return backfillGate{a}
}
