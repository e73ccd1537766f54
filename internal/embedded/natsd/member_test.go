package natsd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// member writes a configuration file and returns its server, not started.
func member(t *testing.T, text string, args ...string) (*Server, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return NewMember(append([]string{"-c", file}, args...), slog.New(slog.DiscardHandler))
}

// Three servers, configured as those of the deployment, keep a stream of three copies;
// one that stops hands over what it leads.
func TestMembers(t *testing.T) {
	t.Setenv("MEMBER_PASSWORD", "psecret")
	var routes []string
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, "nats://"+l.Addr().String())
		_ = l.Close()
	}
	servers := map[string]*Server{}
	for i := range 3 {
		name := fmt.Sprintf("n%d", i)
		s, err := member(t, fmt.Sprintf(`listen: 127.0.0.1:-1
			authorization { user: foresight, password: $MEMBER_PASSWORD }
			jetstream { store_dir: %q }
			cluster { name: test, listen: 127.0.0.1:%d }`, t.TempDir(), ports[i]), "--routes", strings.Join(routes, ","), "--name", name)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Start(ctx); err != nil {
			t.Fatal(err)
		}
		servers[name] = s
	}
	defer func() {
		for _, s := range servers {
			stop(t, s)
		}
	}()
	conn, err := nats.Connect(servers["n0"].ClientURL()+","+servers["n1"].ClientURL()+","+servers["n2"].ClientURL(),
		nats.UserInfo("foresight", "psecret"), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	var str jetstream.Stream
	until(t, "the cluster makes a stream", func() bool {
		str, err = js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "T", Subjects: []string{"t"}, Replicas: 3})
		return err == nil
	})
	publish := func() bool { _, err := js.Publish(t.Context(), "t", nil); return err == nil }
	until(t, "the stream takes a message", publish)
	leader := str.CachedInfo().Cluster.Leader
	stop(t, servers[leader])
	delete(servers, leader)
	until(t, "the stream takes another one", publish)
}

func TestMemberArguments(t *testing.T) {
	for name, text := range map[string]string{"no log": "listen: 127.0.0.1:-1", "no directory": "jetstream: enabled", "no configuration": "listen: {"} {
		if _, err := member(t, text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewMember([]string{"--help"}, slog.New(slog.DiscardHandler)); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
	if _, err := NewMember([]string{"--no-such"}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an unknown argument is taken")
	}
}
