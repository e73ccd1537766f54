package app

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ingestion/pipeline"
	"foresight/internal/alarms"
	"foresight/internal/id"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
)

// store returns the telemetry store. It is in the cluster of the checkpoints, whose
// commit flushes what the store has written.
func (a *App) store() *pgstore.Store {
	return pgstore.New(a.db.worker, a.db.app, pgstore.WithDeferredSync())
}

func (a *App) startWorker(ctx context.Context) error {
	w := pipeline.New(pipeline.Parts{Pool: a.db.worker, Log: a.bus.log, Store: a.store(), Model: a.models.service,
		Alarms: alarms.NewRecorder(a.alarms.source, a.alarms.metrics), Dead: deadEntries{a.db.worker}, Events: a.bus.hub,
		Metrics: a.metrics, Logger: a.log}, pipeline.Options{MaxBatch: a.cfg.Pipeline.BatchSize})
	if err := a.background(ctx, "deployments", a.watchModels); err != nil {
		return err
	}
	return a.start(ctx, w)
}

// background runs f until the part is stopped.
func (a *App) background(ctx context.Context, name string, f func(context.Context)) error {
	var wait sync.WaitGroup
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return a.part(ctx, name, func(context.Context) error {
		wait.Go(func() { f(run) })
		return nil
	}, func(context.Context) error {
		cancel()
		wait.Wait()
		return nil
	})
}

// deadEntries keeps log entries that could not be processed, among the tenant's
// refused messages.
type deadEntries struct{ pool *pgxpool.Pool }

// longest beginning of a payload that is kept.
const keptPayload = 1024

// Reject implements pipeline.DeadLetters. The id follows from the entry, so that
// repeating it stores it once.
func (d deadEntries) Reject(ctx context.Context, r pipeline.Rejected) error {
	var key [12]byte
	binary.BigEndian.PutUint32(key[:4], uint32(r.Partition))
	binary.BigEndian.PutUint64(key[4:], r.Seq)
	payload, topic := r.Data, "log"
	var tenant *id.UUID
	if r.Reading != nil {
		payload, topic, tenant = r.Reading.Payload, r.Reading.Topic, &r.Reading.Tenant
		ctx = tenancy.AsSystem(ctx, r.Reading.Tenant)
	}
	detail := ""
	if r.Cause != nil {
		detail = r.Cause.Error()
	}
	_, err := d.pool.Exec(ctx, `INSERT INTO rejected_readings (tenant_id, id, reason, detail, topic, payload, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		tenant, id.Derive(id.RejectedReading, time.UnixMilli(0), key[:]), r.Reason, detail, topic, payload[:min(len(payload), keptPayload)], time.Now())
	if err != nil {
		return fmt.Errorf("app: keep refused entry: %w", err)
	}
	return nil
}
