package natsd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// The disk fills up, a stream cannot write, there is room again: the server tells of it
// and goes on by itself, at the same address, with all that it acknowledged.
func TestRoomAgain(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a disk of its own is a mounted tmpfs, which takes root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=40m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := start(t, Options{StoreDir: filepath.Join(dir, "store"), MaxStoreBytes: 1 << 30, Listen: "127.0.0.1:0"})
	defer stop(t, s)
	js, str := stream(t, s.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	acknowledged := 0
	publish := func() error {
		_, err := js.Publish(t.Context(), "t", bytes.Repeat([]byte("x"), 64<<10))
		if err == nil {
			acknowledged++
		}
		return err
	}
	if err := errors.Join(publish(), s.Check()); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 34<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "Check tells that there is no room", func() bool { return errors.Is(s.Check(), ErrNoRoom) })
	until(t, "the stream cannot write", func() bool { return publish() != nil })
	until(t, "the server knows of it", func() bool { return writeFailure(s.current()) != nil })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	until(t, "Check tells that all is well", func() bool { return s.Check() == nil })
	until(t, "the stream takes more", func() bool { return publish() == nil })
	info, err := str.Info(t.Context())
	if err != nil || info.State.Msgs < uint64(acknowledged) {
		t.Errorf("%+v %v, want the %d acknowledged messages", info, err, acknowledged)
	}
	for seq := range info.State.LastSeq {
		if _, err := str.GetMsg(t.Context(), seq+1); err != nil {
			t.Error(fmt.Errorf("message %d: %w", seq+1, err))
		}
	}
}
