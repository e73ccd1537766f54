package chaos

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// alone is everything in one process, of which a directory of the data is a disk of its
// own: a tmpfs, to mount which takes root.
func alone(t *testing.T, name, dir string, size int, settings ...string) (in *installation, disk string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not tested: a disk of its own is a mounted tmpfs, which takes root")
	}
	data := filepath.Join(work, name, "data")
	disk = filepath.Join(data, dir)
	if err := os.MkdirAll(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	broker := fmt.Sprintf("127.0.0.1:%d", ports[0])
	m, err := begin("everything", data, append(settings, "FORESIGHT_MQTT_ADDR="+broker), "demo", "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = m.kill()
		} else if err := m.terminate(); err != nil {
			t.Error(err)
		}
	})
	in = &installation{broker: broker, api: m, ingest: m, begin: time.Now(), single: data}
	if err := in.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.db.Close() })
	return in, disk
}

// The disk of the log is full: acknowledgements stop, the process says why and does not
// end. When there is room, it goes on by itself, and everything acknowledged is there.
func TestDiskFull(t *testing.T) {
	in, disk := alone(t, "full", "nats", 48<<20, "FORESIGHT_NATS_LOG_MAX_BYTES=33554432", "FORESIGHT_NATS_BACKFILL_MAX_BYTES=1048576")
	l := in.start(t, alpha, moderate, 64)
	for round := range either(1, 5) {
		l.flows(t, 200)
		ballast := filepath.Join(disk, "ballast")
		full := time.Now()
		if err := fill(ballast); err != nil {
			t.Fatal(err)
		}
		in.says(t, in.api, "log", "down", http.StatusOK) // it is the API's readiness
		said := time.Since(full)
		// At first it may be that no answer came in time.
		within(t, patience, "the reason is told", func() bool { return in.api.ready(t).Checks["log"].Reason == "full" })
		in.systemSays(t, "log", "DOWN")
		within(t, patience, "acknowledgements stop", func() bool { return time.Since(l.ledger.latest()) > time.Second })
		stopped := l.ledger.latest().Sub(full)
		lasting(t, either(time.Second, 20*time.Second))
		in.api.alive(t)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		room := time.Now()
		l.flows(t, 1)
		again := time.Since(room)
		in.says(t, in.api, "log", "up", http.StatusOK)
		in.systemSays(t, "log", "UP")
		figure("the log's disk full, round %d: said after %.1f s, the last acknowledgement %.1f s after there was no room, the first %.1f s after there is room again, without a restart",
			round+1, said.Seconds(), max(0, stopped.Seconds()), again.Seconds())
	}
	l.flows(t, 100)
	l.finish(t)
	l.judge(t, alpha, "the log's disk full")
}

// The disk of PostgreSQL is full: it refuses writes, or dies of it and is started again.
// The log takes readings meanwhile, and when there is room everything goes on by itself.
func TestDatabaseDiskFull(t *testing.T) {
	in, disk := alone(t, "dbfull", "postgres", 400<<20)
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, 200)
	full := time.Now()
	ballast := filepath.Join(disk, "ballast")
	if err := fill(ballast); err != nil {
		t.Fatal(err)
	}
	in.says(t, in.api, "postgresql", "down", http.StatusServiceUnavailable)
	said := time.Since(full)
	l.flows(t, either(500, 5000)) // acknowledged without it
	_, acknowledged := l.ledger.count()
	lasting(t, either(time.Second, 30*time.Second))
	in.api.alive(t)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	room := time.Now()
	in.says(t, in.api, "postgresql", "up", http.StatusOK)
	up := time.Since(room)
	in.db.Reset() // of connections that broke
	within(t, patience, "what was acknowledged is stored", func() bool { return len(in.stored(t, alpha)) >= acknowledged })
	figure("PostgreSQL's disk full: said after %.1f s, %d readings acknowledged by its end, up %.1f s and caught up %.1f s after there is room again, without a restart",
		said.Seconds(), acknowledged, up.Seconds(), time.Since(room).Seconds())
	l.finish(t)
	l.judge(t, alpha, "PostgreSQL's disk full")
}

// systemSays waits until the graph tells so of the part.
func (in *installation) systemSays(t testing.TB, part, state string) {
	t.Helper()
	token, err := in.login(t.Context(), alpha, "viewer")
	if err != nil {
		t.Fatal(err)
	}
	type data struct {
		SystemStatus struct {
			Parts []struct{ Name, State, Reason, Message string }
		}
	}
	within(t, patience, "the graph says of "+part+" that it is "+state, func() bool {
		d, err := ask[data](t.Context(), in.api, token, `{ systemStatus { parts { name state reason message } } }`, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.SystemStatus.Parts {
			if p.Name == part {
				return p.State == state && (p.Message != "") == (state == "DOWN")
			}
		}
		return false
	})
}

// fill writes until there is no room.
func fill(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	block := make([]byte, 64<<10)
	for {
		switch _, err := f.Write(block); {
		case errors.Is(err, syscall.ENOSPC):
			if len(block) == 1 {
				return nil
			}
			block = block[:max(1, len(block)/16)]
		case err != nil && !errors.Is(err, io.ErrShortWrite):
			return err
		}
	}
}
