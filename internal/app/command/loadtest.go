package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/loadtest"
)

// loadFlags are what the command is told.
type loadFlags struct {
	embedded, predict       bool
	dir                     string
	url, broker, metrics    string
	email, password, tenant string

	site, username, gatewayPassword string
	sensors                         []string
	provision                       int

	client   string
	conns    int
	window   int
	rate     float64
	messages int
	duration time.Duration
	warmUp   int
	raise    int
	watch    bool
	verify   int
	patience time.Duration
	asJSON   bool
	profile  string
	bare     int
}

func loadTest() *cobra.Command {
	c := &cobra.Command{Use: "loadtest", Short: "Measure throughput, latency and losslessness under load", Args: cobra.NoArgs,
		Long: `Publishes 24-channel readings over MQTT on a schedule, follows the graph's
subscriptions and reads back what was stored. Latency counts from the time at which a
message was due, so that a stall of the product shows in all that was due meanwhile.

With --embedded the product runs in this process on a directory of its own, and the
processor time is divided by part. Otherwise --url, --broker and a sign-in (--email,
--password, --tenant) name a running one; in a tenant of its own when the installation
lets anybody register, else in the one that is named. --provision adds a site with a
gateway and sensors; or --site, --gateway-user, --gateway-password and --sensors name
what is there.`}
	o := loadFlags{}
	f := c.Flags()
	f.BoolVar(&o.embedded, "embedded", false, "run the product in this process, on temporary data")
	f.StringVar(&o.dir, "dir", "", "directory for the temporary data of --embedded (default: a new one below the system's)")
	f.BoolVar(&o.predict, "predict", true, "with --embedded: ask the fault model about every full window")
	f.StringVar(&o.url, "url", "http://127.0.0.1:8080", "address of the graph")
	f.StringVar(&o.broker, "broker", "tcp://127.0.0.1:1883", "address of the MQTT broker")
	f.StringVar(&o.metrics, "metrics", "", "address of the metrics (default: /metrics of --url)")
	f.StringVar(&o.email, "email", "", "sign in as this person (default: register a tenant)")
	f.StringVar(&o.password, "password", "", "password of --email")
	f.StringVar(&o.tenant, "tenant", "", "code of the tenant")
	f.IntVar(&o.provision, "provision", 200, "sensors to add on a site of their own; 0: --sensors names them")
	f.StringVar(&o.site, "site", "", "code of the site of --sensors")
	f.StringVar(&o.username, "gateway-user", "", "MQTT user of the gateway of --site")
	f.StringVar(&o.gatewayPassword, "gateway-password", "", "its password")
	f.StringSliceVar(&o.sensors, "sensors", nil, "codes of the sensors")
	f.StringVar(&o.client, "client", string(loadtest.Paho), "MQTT client: paho, or raw, which costs a fraction of the processor time")
	f.IntVar(&o.conns, "connections", 8, "MQTT connections")
	f.IntVar(&o.window, "window", 1000, "unacknowledged messages of a connection")
	f.Float64Var(&o.rate, "rate", 1000, "messages per second of all sensors; 0: as fast as they are acknowledged")
	f.DurationVar(&o.duration, "for", 10*time.Second, "length of the measurement at a rate")
	f.IntVar(&o.messages, "messages", 0, "messages of the measurement (default: --rate times --for)")
	f.IntVar(&o.warmUp, "warm-up", 14, "messages of each sensor that go before, unmeasured; a window has 14")
	f.IntVar(&o.raise, "raise-every", 0, "every so-many-th message of a sensor raises an alarm; 0: none")
	f.BoolVar(&o.watch, "watch", false, "subscribe, and measure the way to the frame")
	f.IntVar(&o.verify, "verify", 1<<30, "sensors that are read back, message by message")
	f.DurationVar(&o.patience, "patience", 30*time.Second, "give up when nothing moves for so long")
	f.StringVar(&o.profile, "profile", "", "with --embedded: keep the CPU profile in this file")
	f.IntVar(&o.bare, "bare", 0, "also publish so many messages to bare brokers, and tell the ratio")
	f.BoolVar(&o.asJSON, "json", false, "print the report as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c.Context(), c.OutOrStdout()) }
	return c
}

// measured is what is printed.
type measured struct {
	*loadtest.Report
	Sustained bool               `json:"sustained"`
	OK        bool               `json:"ok"`
	Bare      map[string]float64 `json:"bare_brokers_per_second,omitempty"`
}

func (o *loadFlags) run(ctx context.Context, out io.Writer) (err error) {
	at, err := o.place(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	if err := o.measures(&at.options); err != nil {
		return err
	}
	rep, err := loadtest.Run(ctx, at.fleet, at.options)
	if err != nil {
		return err
	}
	m := measured{Report: rep, Sustained: rep.Sustained(), OK: rep.OK()}
	if o.bare > 0 {
		if err := at.close(); err != nil { // the brokers have the machine for themselves
			return err
		}
		if m.Bare, err = bareBrokers(ctx, o.bare, o.conns, o.window); err != nil {
			return err
		}
	}
	if err := m.print(out, o.asJSON); err != nil {
		return err
	}
	if !m.OK {
		return errors.New("messages were lost, doubled or out of order, or the product stalled")
	}
	return nil
}

// measures fills in how to publish and what to look at.
func (o *loadFlags) measures(to *loadtest.Options) error {
	to.Client, to.Connections, to.Window, to.Rate = loadtest.Client(o.client), o.conns, o.window, o.rate
	to.WarmUp, to.RaiseEvery, to.Watch, to.Verify, to.Patience = o.warmUp, o.raise, o.watch, o.verify, o.patience
	if to.Messages = o.messages; to.Messages == 0 {
		to.Messages = int(o.rate * o.duration.Seconds())
	}
	if to.Messages == 0 {
		return errors.New("--rate 0 has no end: name --messages")
	}
	to.Profile = o.profile
	if o.verify == 0 {
		to.Archive = nil
	}
	return nil
}

func (m *measured) print(out io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	if err := m.Text(out); err != nil {
		return err
	}
	for name, rate := range m.Bare {
		fmt.Fprintf(out, "bare %s, paho to paho: %.0f/s; stored/bare %.2f\n", name, rate, m.StoredRate/rate)
	}
	if m.OfferedRate > 0 {
		fmt.Fprintf(out, "sustained: %v\n", m.Sustained)
	}
	return nil
}

// bareBrokers measures mosquitto, where it is installed, and the embedded broker's engine.
func bareBrokers(ctx context.Context, messages, connections, window int) (map[string]float64, error) {
	dir, err := os.MkdirTemp("", "foresight-broker-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // temporary
	out := map[string]float64{}
	if b, err := loadtest.StartMosquitto(ctx, dir); err == nil {
		if err := throughput(ctx, b, messages, connections, window, out); err != nil {
			return nil, err
		}
	}
	b, err := loadtest.StartMochi()
	if err != nil {
		return nil, err
	}
	return out, throughput(ctx, b, messages, connections, window, out)
}

func throughput(ctx context.Context, b *loadtest.Broker, messages, connections, window int, into map[string]float64) error {
	rate, err := b.Throughput(ctx, messages, connections, window)
	into[b.Name] = rate
	return errors.Join(err, b.Stop())
}

// loaded is a product to measure.
type loaded struct {
	fleet   *loadtest.Fleet
	options loadtest.Options
	stop    func() error
}

func (l *loaded) close() error {
	http.DefaultClient.CloseIdleConnections()
	stop := l.stop
	l.stop = nil
	if stop == nil {
		return nil
	}
	return stop()
}

// stampNow tells the tenants, sites and sensors of runs apart.
func stampNow() string { return strconv.FormatInt(time.Now().Unix(), 36) }

func (o *loadFlags) place(ctx context.Context) (*loaded, error) {
	if o.embedded {
		return o.startEmbedded(ctx)
	}
	l := &loaded{options: loadtest.Options{Broker: o.broker, Metrics: o.metrics, Graph: &loadtest.Graph{URL: o.url, HTTP: http.DefaultClient}}}
	if l.options.Metrics == "" {
		l.options.Metrics = o.url + "/metrics"
	}
	l.options.Archive = loadtest.GraphArchive{Graph: l.options.Graph}
	return l, o.populate(ctx, l)
}

// populate signs in and finds or adds the fleet.
func (o *loadFlags) populate(ctx context.Context, l *loaded) (err error) {
	g, stamp := l.options.Graph, stampNow()
	if o.email != "" {
		err = g.Login(ctx, o.email, o.password, o.tenant)
	} else {
		if o.tenant == "" {
			o.tenant = "load-" + stamp
		}
		if err = g.Register(ctx, o.tenant, "admin@"+o.tenant+".example", stamp+rand()); err == nil {
			err = g.RaiseQuota(ctx)
		}
	}
	if err != nil {
		return err
	}
	if o.provision > 0 {
		l.fleet, err = loadtest.Provision(ctx, g, o.provision, stamp)
		return err
	}
	l.fleet = &loadtest.Fleet{Tenant: o.tenant, Site: o.site, Username: o.username, Password: o.gatewayPassword}
	for _, code := range o.sensors {
		l.fleet.Sensors = append(l.fleet.Sensors, loadtest.Sensor{Code: code})
	}
	return l.fleet.Resolve(ctx, g)
}
