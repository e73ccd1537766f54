package bus

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"foresight/internal/testkit"
)

// threeServers are a JetStream cluster in this process; names to servers.
func threeServers(t *testing.T) map[string]*server.Server {
	t.Helper()
	var held []net.Listener
	var ports []int
	var routes []*url.URL // all of them, from the start: JetStream wants to know its peers
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		held = append(held, l)
	}
	for _, l := range held { // all three were taken, so all differ
		_ = l.Close()
	}
	servers := map[string]*server.Server{}
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		servers[s.Name()] = s
	}
	for _, s := range servers {
		if !s.ReadyForConnections(testkit.Patience) {
			t.Fatal("a server of the cluster does not start")
		}
	}
	return servers
}

// A follower that has lost the others answers for the log: that is no log to work with.
func TestLogWithoutALeaderIsUnavailable(t *testing.T) {
	servers := threeServers(t)
	var last string
	for name := range servers {
		last = name
	}
	b := connect(t, Options{URL: servers[last].ClientURL()})
	l, err := OpenLog(t.Context(), b, LogOptions{Partitions: 1, Replicas: 3, MaxBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Info(t.Context()); err != nil {
		t.Errorf("with all three: %v", err)
	}
	for name, s := range servers {
		if name != last {
			s.Shutdown()
		}
	}
	testkit.Eventually(t, testkit.Patience, func() bool { // it answers after some time
		_, err := l.stream.Info(t.Context())
		return err == nil && l.stream.CachedInfo().Cluster.Leader == ""
	})
	if _, err := l.Info(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a majority: %v", err)
	}
}

func TestLogSurvivesTheLossOfItsLeader(t *testing.T) {
	servers := threeServers(t)
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
	b := connect(t, Options{URL: strings.Join(urls, ",")})
	// The cluster has no leader yet.
	l, err := OpenLog(t.Context(), b, LogOptions{Partitions: 1, Replicas: 3, MaxBytes: 16 << 20, AckTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Read(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	var confirmed []uint64
	for i := range n {
		if i == n/2 {
			leader := ""
			testkit.Eventually(t, testkit.Patience, func() bool { // there may be none just now
				info, err := l.stream.Info(t.Context())
				if err == nil {
					leader = info.Cluster.Leader
				}
				return leader != ""
			})
			servers[leader].Shutdown()
		}
		testkit.Eventually(t, testkit.Patience, func() bool {
			seq, err := l.Append(t.Context(), 0, tenantA, sensorA, fmt.Append(nil, i))
			if err != nil && !errors.Is(err, ErrUnavailable) {
				t.Fatal(err)
			}
			if err == nil {
				confirmed = append(confirmed, seq)
			}
			return err == nil
		})
	}
	read := map[uint64]string{}
	last := uint64(0)
	testkit.Eventually(t, testkit.Patience, func() bool {
		es, err := r.Next(t.Context(), 100, 100*time.Millisecond)
		if err != nil && !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		for _, e := range es {
			if e.Seq <= last {
				t.Fatalf("sequence %d after %d", e.Seq, last)
			}
			last = e.Seq
			read[e.Seq] = string(e.Data)
		}
		return last >= confirmed[n-1]
	})
	for i, seq := range confirmed {
		if read[seq] != fmt.Sprint(i) {
			t.Errorf("confirmed record %d at %d reads %q", i, seq, read[seq])
		}
	}
	if s := l.stream.CachedInfo(); s.Config.Storage != jetstream.FileStorage || s.Config.Replicas != 3 {
		t.Errorf("stream %+v", s.Config)
	}
}
