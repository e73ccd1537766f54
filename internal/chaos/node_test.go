package chaos

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	natsUser     = "foresight"
	natsPassword = "chaos-only"
)

// nodeSpec is one server of the cluster.
type nodeSpec struct {
	Name, Dir, Config string // the last one a file
}

// configuration is that of deploy/nats on one machine, with TLS.
const configuration = `server_name: %s
listen: 127.0.0.1:%d
authorization { user: %s, password: %s }
tls { cert_file: %q, key_file: %q, timeout: 5 }
jetstream { store_dir: %q, max_file_store: 8GB, max_memory_store: 64MB, sync_interval: 1s }
cluster { name: chaos, listen: 127.0.0.1:%d, routes: [%s] }
`

// natsCluster is three servers in processes of their own.
type natsCluster struct {
	specs []nodeSpec
	nodes []*process // nil: killed
	ca    string     // file
	url   string     // all three, with the credential
}

func newNATSCluster(dir string) (*natsCluster, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	c := &natsCluster{ca: filepath.Join(dir, "ca.pem"), nodes: make([]*process, 3)}
	key := filepath.Join(dir, "key.pem")
	if err := writeCertificate(c.ca, key); err != nil {
		return nil, err
	}
	ports, err := freePorts(6)
	if err != nil {
		return nil, err
	}
	var urls, routes []string
	for _, port := range ports[3:] {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	for i := range 3 {
		name := fmt.Sprintf("n%d", i)
		n := nodeSpec{Name: name, Dir: filepath.Join(dir, name), Config: filepath.Join(dir, name+".conf")}
		text := fmt.Sprintf(configuration, name, ports[i], natsUser, natsPassword, c.ca, key, n.Dir, ports[3+i], strings.Join(routes, ", "))
		if err := os.WriteFile(n.Config, []byte(text), 0o600); err != nil {
			return nil, err
		}
		c.specs = append(c.specs, n)
		urls = append(urls, fmt.Sprintf("tls://%s:%s@127.0.0.1:%d", natsUser, natsPassword, ports[i]))
	}
	c.url = strings.Join(urls, ",")
	for i := range 3 {
		if err := c.up(i); err != nil {
			return nil, errors.Join(err, c.end())
		}
	}
	return c, nil
}

func (c *natsCluster) up(i int) error {
	bin, err := binary()
	if err != nil {
		return err
	}
	n := c.specs[i]
	cmd := exec.Command(bin, "nats", "-c", n.Config)
	cmd.Env = environment(n.Dir)
	c.nodes[i], err = launch("nats "+n.Name, cmd)
	return err
}

// whole brings up what is down.
func (c *natsCluster) whole() (err error) {
	for i, p := range c.nodes {
		if p == nil {
			err = errors.Join(err, c.up(i))
		}
	}
	return err
}

func (c *natsCluster) kill(i int) error {
	p := c.nodes[i]
	c.nodes[i] = nil
	return p.kill()
}

func (c *natsCluster) end() (err error) {
	for i, p := range c.nodes {
		if p != nil {
			err = errors.Join(err, c.kill(i))
		}
	}
	return err
}

func (c *natsCluster) connect(t testing.TB) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	var conn *nats.Conn
	within(t, patience, "a NATS server answers", func() (ok bool) { // each try has a few seconds
		var err error
		conn, err = nats.Connect(c.url, nats.RootCAs(c.ca))
		return err == nil
	})
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		t.Fatal(err)
	}
	return conn, js
}

// leader returns the index of the server that leads the log.
func (c *natsCluster) leader(t testing.TB) (at int) {
	t.Helper()
	conn, js := c.connect(t)
	defer conn.Close()
	within(t, patience, "the log has a leader, and all copies are current", func() bool {
		s, err := js.Stream(t.Context(), "READINGS")
		if err != nil {
			return false
		}
		cluster := s.CachedInfo().Cluster
		at = -1
		for i, n := range c.specs {
			if n.Name == cluster.Leader {
				at = i
			}
		}
		for _, r := range cluster.Replicas {
			if !r.Current {
				return false
			}
		}
		return at >= 0 && len(cluster.Replicas) == 2
	})
	return at
}

// freePorts returns n ports that nothing listens on. They are fixed, as a server that
// comes back must be where it was, and none of those that are given to whoever asks for
// any: nobody is given one while its server is away.
func freePorts(n int) (ports []int, err error) {
	for range 1000 {
		l, lerr := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+mathrand.IntN(10000)))
		if lerr != nil {
			continue
		}
		defer func() { err = errors.Join(err, l.Close()) }() // after all were taken, so that they differ
		if ports = append(ports, l.Addr().(*net.TCPAddr).Port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("too few ports are free")
}

// writeCertificate makes one for 127.0.0.1 that vouches for itself.
func writeCertificate(cert, key string) error {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
}
