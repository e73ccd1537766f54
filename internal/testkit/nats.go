package testkit

import (
	"context"
	"log/slog"
	"testing"

	"foresight/internal/embedded/natsd"
)

// NATS starts JetStream in the process with an empty store, stopped after the
// test. Connect by nats.InProcessServer or bus.Options.InProcess.
func NATS(t testing.TB) *natsd.Server {
	t.Helper()
	s := natsd.New(natsd.Options{StoreDir: t.TempDir(), MaxStoreBytes: 4 << 30, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience) // the test's own has ended
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}
