package command

import (
	"context"
	crand "crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"foresight/internal/app"
	"foresight/internal/config"
	"foresight/internal/id"
	"foresight/internal/loadtest"
	"foresight/internal/telemetry"
)

// rand is a password that nobody needs to know.
func rand() string { return crand.Text() }

// shares divide the processor time of a process that generates and runs the product.
var shares = []loadtest.Share{
	{Name: "generator", Prefixes: []string{"foresight/internal/loadtest", "github.com/eclipse/paho"}},
	{Name: "MQTT broker", Prefixes: []string{"github.com/mochi-mqtt", "foresight/ingestion/mqtt", "foresight/ingestion/presence"}},
	{Name: "admission", Prefixes: []string{"foresight/ingestion/admit", "foresight/ingestion/decode", "foresight/ingestion/registry", "github.com/go-json-experiment"}},
	{Name: "log", Prefixes: []string{"github.com/nats-io", "foresight/internal/bus", "github.com/minio/highwayhash"}},
	{Name: "model", Prefixes: []string{"foresight/inference", "github.com/dmitryikh/leaves"}},
	{Name: "rules and alarms", Prefixes: []string{"foresight/internal/rules", "foresight/internal/alarms"}},
	{Name: "database client", Prefixes: []string{"github.com/jackc", "foresight/internal/telemetry/pgstore", "foresight/internal/postgres"}},
	{Name: "pipeline", Prefixes: []string{"foresight/ingestion/pipeline", "foresight/internal/telemetry"}},
	{Name: "fan-out", Prefixes: []string{"foresight/internal/hub", "foresight/graph", "github.com/99designs", "github.com/coder/websocket", "github.com/vektah"}},
}

// startEmbedded runs the product in this process.
func (o *loadFlags) startEmbedded(ctx context.Context) (*loaded, error) {
	cfg, err := config.Load()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.dir, "foresight-load-")
	if err != nil {
		return nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL may run as another user
		return nil, errors.Join(err, remove())
	}
	cfg.DataDir, cfg.HTTPAddr, cfg.MQTTAddr, cfg.PublicURL = dir, "127.0.0.1:0", "127.0.0.1:0", "http://127.0.0.1"
	cfg.Auth.OpenRegistration = true
	cfg.Auth.AccessTTL = 24 * time.Hour // one token for the run
	cfg.Graph.RatePerSecond, cfg.Graph.RateBurst = 1e5, 1e5
	cfg.Pipeline.QuotaPerSecond, cfg.Pipeline.QuotaBurst = 1e6, 1e6 // what the machine can is measured, not what a tenant may
	cfg.Pipeline.Predict = o.predict
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a := app.New(cfg, log, nil)
	if err := a.Start(ctx); err != nil {
		return nil, errors.Join(err, remove())
	}
	l := &loaded{
		stop: func() error { return errors.Join(a.Stop(context.WithoutCancel(ctx)), remove()) },
		options: loadtest.Options{Broker: "tcp://" + a.MQTTAddr, Metrics: a.MetricsURL(), Graph: &loadtest.Graph{URL: a.URL(), HTTP: http.DefaultClient},
			Shares: shares, Database: a.DatabasePID()},
	}
	if err := o.populate(ctx, l); err != nil {
		return nil, errors.Join(err, l.close())
	}
	loadtest.FlushDisks() // the database and the fleet are new
	l.options.Archive = storeArchive{a.Telemetry(), l.fleet.TenantID}
	return l, nil
}

// storeArchive reads back from the telemetry store.
type storeArchive struct {
	store  telemetry.Store
	tenant id.UUID
}

// Each implements loadtest.Archive.
func (s storeArchive) Each(ctx context.Context, sensor id.UUID, from, to time.Time, f func(at time.Time, late bool)) error {
	q := telemetry.RangeQuery{Tenant: s.tenant, Scope: telemetry.Scope{Sensor: sensor}, From: from, To: to, Limit: telemetry.MaxLimit}
	for {
		page, err := s.store.Readings(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			f(page[i].Timestamp, page[i].Late)
		}
		if len(page) < q.Limit {
			return nil
		}
		last := &page[len(page)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
}
