package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"foresight/internal/bus"
	"foresight/internal/config"
	"foresight/internal/embedded/natsd"
	"foresight/internal/hub"
)

// messaging is the log and the hub.
type messaging struct {
	server *natsd.Server // nil: outside
	conn   *bus.Bus
	log    *bus.Log
	hub    *hub.Hub
}

func (a *App) startBus(ctx context.Context) error {
	m := &a.bus
	encrypted, err := clusterTLS(a.cfg.NATS)
	if err != nil {
		return err
	}
	o := bus.Options{URL: a.cfg.NATS.URL, CredentialsFile: a.cfg.NATS.CredsFile, TLS: encrypted, Name: "foresight " + a.name, Log: a.log}
	if o.URL == "" {
		m.server = natsd.New(natsd.Options{StoreDir: filepath.Join(a.cfg.DataDir, "nats"), Log: a.log})
		if err := a.start(ctx, m.server); err != nil {
			return err
		}
		o.InProcess = m.server
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

// clusterTLS says whom the process trusts to be the cluster and what it shows it; nil:
// the system's roots and nothing.
func clusterTLS(n config.NATS) (*tls.Config, error) {
	if n.CAFile == "" && n.CertFile == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if n.CAFile != "" {
		pem, err := os.ReadFile(n.CAFile)
		if err != nil {
			return nil, fmt.Errorf("FORESIGHT_NATS_CA_FILE: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("FORESIGHT_NATS_CA_FILE: no certificate in %s", n.CAFile)
		}
	}
	if n.CertFile != "" {
		own, err := tls.LoadX509KeyPair(n.CertFile, n.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("FORESIGHT_NATS_CERT_FILE: %w", err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}
