package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"foresight/internal/app/demo"
	"foresight/internal/auth"
)

// StartDemo seeds the demo's tenants and starts the simulator over MQTT. rate is
// readings per second of a machine; 0 leaves the simulator off.
func (a *App) StartDemo(ctx context.Context, rate float64) error {
	tenants, err := a.access(nobody{}, nil)
	if err != nil {
		return err
	}
	seeder := &demo.Seeder{Tenants: tenants, Hasher: a.hasher, HashSecret: auth.HashSecret,
		Exists: func(ctx context.Context, code string) (there bool, err error) {
			err = a.db.worker.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM tenants WHERE code = $1)`, code).Scan(&there)
			return there, err
		},
	}
	if err := a.part(ctx, "demo tenants", seeder.Seed, nil); err != nil {
		return err
	}
	if rate <= 0 {
		return nil
	}
	publishers, err := demo.Publishers("tcp://"+loopback(a.MQTTAddr), rate, a.log)
	if err != nil {
		return err
	}
	for _, p := range publishers {
		if err := a.start(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// URL is where a browser on this machine finds the product.
func (a *App) URL() string { return "http://" + loopback(a.Addr) }

// loopback turns a bound address into one that this machine can connect to.
func loopback(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// Announce logs where the process serves.
func Announce(a *App, log *slog.Logger) func(context.Context) error {
	begin := time.Now()
	return func(context.Context) error {
		log.Info("ready", "http", a.Addr, "mqtt", a.MQTTAddr, "took", time.Since(begin))
		return nil
	}
}

// DataDir returns the directory to keep data in: the one that is set, else ./data,
// or /var/lib/foresight where this is root and ./data cannot be reached by the
// unprivileged user that PostgreSQL must run as.
func DataDir(set string) (string, error) {
	dir := set
	if dir == "" {
		dir = "data"
		if os.Geteuid() == 0 && !passable(dir) {
			dir = "/var/lib/foresight"
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("FORESIGHT_DATA_DIR: %w", err)
	}
	return dir, nil
}

// passable reports whether everybody may enter the parents of a path.
func passable(path string) bool {
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil || fi.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
