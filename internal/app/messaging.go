package app

import (
	"context"
	"errors"
	"path/filepath"

	"foresight/internal/bus"
	"foresight/internal/embedded/natsd"
	"foresight/internal/hub"
)

// messaging is the log and the hub.
type messaging struct {
	conn *bus.Bus
	log  *bus.Log
	hub  *hub.Hub
}

func (a *App) startBus(ctx context.Context) error {
	m := &a.bus
	o := bus.Options{URL: a.cfg.NATS.URL, CredentialsFile: a.cfg.NATS.CredsFile, Name: "foresight", Log: a.log}
	if o.URL == "" {
		server := natsd.New(natsd.Options{StoreDir: filepath.Join(a.cfg.DataDir, "nats"), Log: a.log})
		if err := a.start(ctx, server); err != nil {
			return err
		}
		o.InProcess = server
	}
	return a.part(ctx, "log and hub", func(ctx context.Context) (err error) {
		if m.conn, err = bus.Connect(ctx, o); err != nil {
			return err
		}
		m.log, err = bus.OpenLog(ctx, m.conn, bus.LogOptions{Partitions: a.cfg.NATS.Partitions, Replicas: a.cfg.NATS.Replicas, MaxBytes: a.cfg.NATS.LogMaxBytes})
		if err != nil {
			return errors.Join(err, m.conn.Close(ctx))
		}
		m.hub = hub.New(m.conn.Conn(), hub.Options{Registerer: a.metrics, Log: a.log})
		return nil
	}, func(ctx context.Context) error {
		if err := m.hub.Close(); err != nil {
			a.log.Warn("close hub", "error", err)
		}
		return m.conn.Close(ctx)
	})
}
