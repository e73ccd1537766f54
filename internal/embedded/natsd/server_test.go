package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"foresight/internal/embedded/dirlock"
	"foresight/internal/testkit/leaks"
)

func TestMain(m *testing.M) { os.Exit(leaks.Run(m, time.Minute)) }

func start(t testing.TB, o Options) *Server {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s := New(o)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

func stream(t testing.TB, url string, opts ...nats.Option) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	nc, err := nats.Connect(url, append(opts, nats.Timeout(time.Minute))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "T", Subjects: []string{"t"}})
	if err != nil {
		t.Fatal(err)
	}
	return js, s
}

// until polls the condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		<-tick.C
	}
}

func TestStreamSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{StoreDir: dir})
	js, _ := stream(t, "", nats.InProcessServer(s))
	for i := range 10 {
		if _, err := js.Publish(t.Context(), "t", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, s)
	s = start(t, Options{StoreDir: dir})
	defer stop(t, s)
	_, str := stream(t, "", nats.InProcessServer(s))
	info, err := str.Info(t.Context())
	if err != nil || info.State.Msgs != 10 {
		t.Errorf("%d messages (%v), want the 10 acknowledged ones", info.State.Msgs, err)
	}
}

func TestListenerAsksForThePassword(t *testing.T) {
	s := start(t, Options{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", User: "foresight", Password: "right"})
	defer stop(t, s)
	if _, err := nats.Connect(s.ClientURL(), nats.UserInfo("foresight", "wrong"), nats.Timeout(time.Minute)); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("got %v, want an authorization error", err)
	}
	stream(t, s.ClientURL(), nats.UserInfo("foresight", "right"))
}

func TestOpenListenerIsRefused(t *testing.T) {
	err := New(Options{StoreDir: t.TempDir(), Listen: "0.0.0.0:0"}).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestOneProcessPerStore(t *testing.T) {
	s := start(t, Options{StoreDir: t.TempDir()})
	defer stop(t, s)
	if err := New(Options{StoreDir: s.opt.StoreDir}).Start(t.Context()); !errors.Is(err, dirlock.ErrHeld) {
		t.Errorf("got %v, want ErrHeld", err)
	}
}

func TestUnusableStoreFailsTheStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := New(Options{StoreDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the server's own error at once", err)
	}
}
