// Package config is the one documented struct of settings. They come from
// environment variables, each with the prefix FORESIGHT_; there is no second
// source. `foresight config` prints what is in force, without secrets.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Prefix begins the name of every variable.
const Prefix = "FORESIGHT_"

// Config is everything that can be set. The doc tag is its documentation, which
// docs/configuration.md repeats; a test holds the two together.
type Config struct {
	HTTPAddr  string   `env:"HTTP_ADDR" envDefault:":8080" doc:"Address of the graph and the web application."`
	MQTTAddr  string   `env:"MQTT_ADDR" envDefault:":1883" doc:"Address of the embedded MQTT broker; empty turns it off."`
	DataDir   string   `env:"DATA_DIR" doc:"Directory of everything that is kept by the embedded servers. Default: ./data, or /var/lib/foresight for root where ./data cannot be reached by an unprivileged user."`
	PublicURL string   `env:"PUBLIC_URL" envDefault:"http://localhost:8080" doc:"Address under which browsers reach the product; its scheme decides about Secure cookies and HSTS."`
	Roles     []string `env:"ROLES" envDefault:"api,ingest,worker,jobs" doc:"Parts that this process runs: api, ingest, worker, jobs."`

	LogLevel  string `env:"LOG_LEVEL" envDefault:"info" doc:"debug, info, warn or error."`
	LogFormat string `env:"LOG_FORMAT" envDefault:"json" doc:"json or text."`

	Database  Database  `envPrefix:"DATABASE_"`
	NATS      NATS      `envPrefix:"NATS_"`
	MQTT      MQTT      `envPrefix:"MQTT_"`
	Auth      Auth      `envPrefix:"AUTH_"`
	Mail      Mail      `envPrefix:"MAIL_"`
	Graph     Graph     `envPrefix:"GRAPH_"`
	Pipeline  Pipeline  `envPrefix:"PIPELINE_"`
	Telemetry Telemetry `envPrefix:"TELEMETRY_"`
	Bulk      Bulk      `envPrefix:"BULK_"`
	Blob      Blob      `envPrefix:"BLOB_"`
	Training  Training  `envPrefix:"TRAINING_"`
	S3        S3        `envPrefix:"S3_"`
	Landing   Landing   `envPrefix:"LANDING_"`
	Webhook   Webhook   `envPrefix:"WEBHOOK_"`
	Trace     Trace     `envPrefix:"TRACE_"`

	OperatorTenant string `env:"OPERATOR_TENANT" doc:"Code of the tenant whose admins operate the installation: they list, make and lock tenants. Empty: nobody does over the graph."`
	SecretKeyFile  string `env:"SECRET_KEY_FILE" doc:"File with the keys that seal secrets of other systems in the database; made in the data directory when empty. Processes of one installation share it."`

	MaxLoadedModels int `env:"MAX_LOADED_MODELS" envDefault:"10" doc:"Model versions held in memory at once."`
}

// Database are the connections to PostgreSQL, one for each role.
type Database struct {
	OwnerURL    string `env:"OWNER_URL" secret:"true" doc:"Connection of the owner, used for migrations only. Empty together with the others: a private PostgreSQL is started."`
	AppURL      string `env:"APP_URL" secret:"true" doc:"Connection of the role foresight_app, under row-level security."`
	WorkerURL   string `env:"WORKER_URL" secret:"true" doc:"Connection of the role foresight_worker, under row-level security."`
	BinDir      string `env:"BIN_DIR" doc:"Directory of postgres and initdb for the private PostgreSQL; found by itself when empty."`
	MaxConns    int    `env:"MAX_CONNS" envDefault:"16" doc:"Connections of each pool."`
	AutoMigrate bool   `env:"AUTO_MIGRATE" envDefault:"true" doc:"Bring the schema up to date at start; otherwise only check it."`
}

// NATS is the log and the hub.
type NATS struct {
	URL              string `env:"URL" secret:"true" doc:"Addresses of a NATS cluster with JetStream, separated by commas: nats://user:password@host:4222 or tls://host:4222; empty: one runs in the process."`
	CredsFile        string `env:"CREDS_FILE" doc:"Credentials file for the cluster."`
	CAFile           string `env:"CA_FILE" doc:"Certificates in PEM that the cluster's must come from; empty: the system's. The addresses are tls:// then."`
	CertFile         string `env:"CERT_FILE" doc:"Certificate in PEM that this process shows the cluster; with KEY_FILE."`
	KeyFile          string `env:"KEY_FILE" doc:"Key in PEM of the certificate."`
	Replicas         int    `env:"REPLICAS" envDefault:"1" doc:"Copies of the log: 1, or 3 in a cluster."`
	Partitions       int    `env:"PARTITIONS" envDefault:"16" doc:"Partitions of the log; fixed once the log exists."`
	LogMaxBytes      int64  `env:"LOG_MAX_BYTES" envDefault:"8589934592" doc:"Size in bytes at which the log stops taking messages, which stops acknowledgements."`
	BackfillMaxBytes int64  `env:"BACKFILL_MAX_BYTES" envDefault:"268435456" doc:"Size in bytes at which the log of history that is brought in again takes no more until workers have caught up."`
}

// MQTT is an external broker beside or instead of the embedded one.
type MQTT struct {
	BrokerURL      string   `env:"BROKER_URL" secret:"true" doc:"External broker to consume from, tcp:// or ssl://; empty: none."`
	BrokerUser     string   `env:"BROKER_USER" doc:"User at the external broker."`
	BrokerPassword string   `env:"BROKER_PASSWORD" secret:"true" doc:"Password at the external broker."`
	ClientID       string   `env:"CLIENT_ID" envDefault:"foresight-ingest-1" doc:"Client id at the external broker: fixed, and different for each ingesting process."`
	Topics         []string `env:"TOPICS" envDefault:"+/+/sensors/+" doc:"Subscriptions at the external broker; $share/group/… spreads them over processes. Its topics must name the tenant. With spBv1.0/+/+/+ and spBv1.0/+/+/+/+, in one process only, Sparkplug nodes are taken in (docs/sparkplug.md)."`
	MaxPayload     int      `env:"MAX_PAYLOAD" envDefault:"65536" doc:"Largest payload of a message in bytes."`
}

// Auth are credentials and their lifetimes.
type Auth struct {
	AccessTTL  time.Duration `env:"ACCESS_TTL" envDefault:"15m" doc:"Lifetime of an access token."`
	RefreshTTL time.Duration `env:"REFRESH_TTL" envDefault:"720h" doc:"Lifetime of a refresh token, renewed by use."`
	KeyFile    string        `env:"KEY_FILE" doc:"File with the signing keys (JWK set); made in the data directory when empty."`
	HS256Key   string        `env:"HS256_KEY" secret:"true" doc:"Shared secret of at least 32 bytes: sign with HS256 rather than EdDSA."`

	OIDCFile string `env:"OIDC_FILE" doc:"File with the OpenID Connect providers by which people sign in (JSON, see docs/sign-in.md); empty: none."`

	OpenRegistration bool `env:"OPEN_REGISTRATION" envDefault:"false" doc:"Let anybody make a tenant and become its admin."`
}

// Mail is the server that takes letters: invitations and links to set a password. They
// are written by processes of the role api and sent by those of the role jobs.
type Mail struct {
	Host     string `env:"HOST" doc:"SMTP server; empty: no letters are sent, and links are handed over by hand. The same in processes of the roles api and jobs, which send them."`
	Port     int    `env:"PORT" envDefault:"587" doc:"Port of the SMTP server."`
	Security string `env:"SECURITY" envDefault:"starttls" doc:"starttls (mandatory), tls (from the first byte, usually port 465), or none for a server on the same machine."`
	Username string `env:"USERNAME" doc:"User at the SMTP server; empty: no authentication."`
	Password string `env:"PASSWORD" secret:"true" doc:"Password at the SMTP server."`
	From     string `env:"FROM" envDefault:"Foresight <foresight@localhost>" doc:"Sender of letters, an address or a name with an address in angle brackets."`
}

// Graph are the limits of the API.
type Graph struct {
	MaxDepth       int      `env:"MAX_DEPTH" envDefault:"12" doc:"Deepest nesting of a query."`
	MaxCost        int      `env:"MAX_COST" envDefault:"5000" doc:"Largest cost of a query, counted with page sizes."`
	MaxBody        int64    `env:"MAX_BODY" envDefault:"1048576" doc:"Largest request body in bytes."`
	Introspection  bool     `env:"INTROSPECTION" envDefault:"false" doc:"Answer introspection to everybody, as the demo does; otherwise it needs the permission schema:read."`
	Locked         bool     `env:"LOCKED" envDefault:"false" doc:"Execute the trusted documents only."`
	Documents      string   `env:"DOCUMENTS" doc:"Trusted documents: a directory of *.graphql files, or a JSON file with an object of documents by their SHA-256 in hexadecimal."`
	AllowedOrigins []string `env:"ALLOWED_ORIGINS" doc:"Other origins that browsers may call from."`
	RatePerSecond  float64  `env:"RATE_PER_SECOND" envDefault:"100" doc:"Requests per second of one credential."`
	RateBurst      int      `env:"RATE_BURST" envDefault:"200" doc:"Requests that one credential may send at once."`
}

// Pipeline is the way of a reading.
type Pipeline struct {
	Retention         time.Duration `env:"RETENTION" envDefault:"720h" doc:"How long raw readings are kept; older ones are refused."`
	QuotaPerSecond    float64       `env:"QUOTA_PER_SECOND" envDefault:"20000" doc:"Messages per second of one tenant; above it senders are slowed."`
	QuotaBurst        int           `env:"QUOTA_BURST" envDefault:"40000" doc:"Messages that one tenant may send at once."`
	DeferredMaxBytes  int64         `env:"DEFERRED_MAX_BYTES" envDefault:"2147483648" doc:"Size in bytes of the log of messages that came over quota from an external broker, of all tenants."`
	DeferredPerTenant uint64        `env:"DEFERRED_PER_TENANT" envDefault:"1000000" doc:"Messages of one tenant that may wait there; those beyond it are rejected."`
	RegistryRefresh   time.Duration `env:"REGISTRY_REFRESH" envDefault:"60s" doc:"Full reload of sensors, rules and deployments, besides change notices."`
	BatchSize         int           `env:"BATCH_SIZE" envDefault:"500" doc:"Readings of one transaction."`
	Predict           bool          `env:"PREDICT" envDefault:"true" doc:"Ask the fault model about every full window; without it readings are stored and judged by the other rules."`
	PredictTimeout    time.Duration `env:"PREDICT_TIMEOUT" envDefault:"250ms" doc:"Longest time of one prediction; those of a batch may take eight times as long together."`
}

// Bulk are imports, exports and the jobs that do them.
type Bulk struct {
	MaxUpload int64         `env:"MAX_UPLOAD" envDefault:"16777216" doc:"Largest file to import in bytes."`
	MaxModel  int64         `env:"MAX_MODEL" envDefault:"67108864" doc:"Largest file of a model to upload in bytes."`
	MaxRows   int           `env:"MAX_ROWS" envDefault:"50000" doc:"Most rows of a file to import."`
	MaxExport int64         `env:"MAX_EXPORT" envDefault:"4294967296" doc:"Largest exported file in bytes."`
	Keep      time.Duration `env:"KEEP" envDefault:"24h" doc:"How long uploads wait for their import and exported files for their download."`
	AtOnce    int           `env:"AT_ONCE" envDefault:"4" doc:"Jobs that one process works at a time."`
	Timeout   time.Duration `env:"TIMEOUT" envDefault:"10m" doc:"Longest time of one job; one whose process died is taken up again a little later than this."`
}

// Blob is where files are kept: pictures of machines, exports.
type Blob struct {
	URL     string `env:"URL" secret:"true" doc:"Bucket of pictures, exports and models, file:///directory or s3://bucket/prefix; empty: the directory blobs in the data directory. Processes that predict, train or answer must see the same."`
	LinkKey string `env:"LINK_KEY" secret:"true" doc:"Secret of at least 32 bytes that signs links to files, the same in all processes; made in the data directory when empty."`
}

// Webhook is what tenants' addresses may be.
type Webhook struct {
	AllowedNetworks []netip.Prefix `env:"ALLOWED_NETWORKS" doc:"Networks that webhooks may call although they are not public, such as 10.1.0.0/16; http is spoken there, too."`
}

// Trace is where spans of single messages and requests go.
type Trace struct {
	Endpoint string            `env:"ENDPOINT" doc:"Collector that takes spans by OTLP over HTTP, http://host:4318; empty: nothing is followed."`
	Headers  map[string]string `env:"HEADERS" secret:"true" doc:"Headers of requests to the collector, such as its credential: name:value,name:value."`
	Ratio    float64           `env:"RATIO" envDefault:"0.001" doc:"Share of messages and requests that are followed, 0 to 1. Requests whose traceparent asks for it are followed besides, up to 10 a second."`
}

// Load reads and verifies the environment. The error names every variable that is wrong.
func Load() (*Config, error) {
	c, err := env.ParseAsWithOptions[Config](env.Options{Prefix: Prefix})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	// The library takes an empty variable for one that is not set.
	if addr, set := os.LookupEnv(Prefix + "MQTT_ADDR"); set {
		c.MQTTAddr = addr
	}
	return &c, c.Verify()
}

// Verify says what does not fit together.
func (c *Config) Verify() error {
	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s%s: %s", Prefix, name, fmt.Sprintf(format, args...)))
	}
	if err := checkAddr(c.HTTPAddr); err != nil {
		bad("HTTP_ADDR", "%v", err)
	}
	if c.MQTTAddr != "" {
		if err := checkAddr(c.MQTTAddr); err != nil {
			bad("MQTT_ADDR", "%v", err)
		}
	}
	if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		bad("PUBLIC_URL", "want http://host or https://host")
	}
	for _, r := range c.Roles {
		if !slices.Contains(AllRoles, r) {
			bad("ROLES", "%q is no role; there are %s", r, strings.Join(AllRoles, ", "))
		}
	}
	if _, err := c.Level(); err != nil {
		bad("LOG_LEVEL", "%v", err)
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		bad("LOG_FORMAT", "want json or text")
	}
	d := c.Database
	if n := count(d.OwnerURL != "", d.AppURL != "", d.WorkerURL != ""); n != 0 && n != 3 {
		bad("DATABASE_OWNER_URL, _APP_URL, _WORKER_URL", "set all three, or none for a private PostgreSQL")
	}
	if d.MaxConns < 4 {
		bad("DATABASE_MAX_CONNS", "want at least 4")
	}
	if c.NATS.Partitions < 1 || c.NATS.Partitions > 1024 {
		bad("NATS_PARTITIONS", "want 1-1024")
	}
	if c.NATS.Replicas != 1 && c.NATS.Replicas != 3 && c.NATS.Replicas != 5 {
		bad("NATS_REPLICAS", "want 1, 3 or 5")
	}
	if (c.NATS.CertFile == "") != (c.NATS.KeyFile == "") {
		bad("NATS_CERT_FILE, _KEY_FILE", "set both, or none")
	}
	for name, v := range map[string]int64{"NATS_LOG_MAX_BYTES": c.NATS.LogMaxBytes, "NATS_BACKFILL_MAX_BYTES": c.NATS.BackfillMaxBytes, "PIPELINE_DEFERRED_MAX_BYTES": c.Pipeline.DeferredMaxBytes} {
		if v < 1<<20 {
			bad(name, "want at least 1 MiB")
		}
	}
	if t := c.Trace; t.Endpoint != "" {
		if u, err := url.Parse(t.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("TRACE_ENDPOINT", "want http://host:port or https://host:port")
		}
	}
	if r := c.Trace.Ratio; !(r >= 0 && r <= 1) {
		bad("TRACE_RATIO", "want 0-1")
	}
	if (c.S3.AccessKey == "") != (c.S3.SecretKey == "") {
		bad("S3_ACCESS_KEY, _SECRET_KEY", "set both, or none")
	}
	if c.Landing.FileBytes < 1<<16 {
		bad("LANDING_FILE_BYTES", "want at least 64 KiB")
	}
	if c.Landing.FileAge <= 0 || c.Landing.Keep < 0 || c.Landing.CompactAfter < 0 {
		bad("LANDING_FILE_AGE, _KEEP, _COMPACT_AFTER", "want a duration above 0, such as 5m")
	}
	c.Telemetry.verify(bad)
	c.Training.verify(bad)
	if c.Graph.Locked && c.Graph.Documents == "" {
		bad("GRAPH_LOCKED", "name the trusted documents by FORESIGHT_GRAPH_DOCUMENTS")
	}
	if c.Bulk.MaxUpload < 1 || c.Bulk.MaxModel < 1 || c.Bulk.MaxExport < 1 {
		bad("BULK_MAX_UPLOAD, _MAX_MODEL, _MAX_EXPORT", "want at least 1")
	}
	if k := c.Auth.HS256Key; k != "" && len(k) < 32 {
		bad("AUTH_HS256_KEY", "want at least 32 bytes")
	}
	if k := c.Blob.LinkKey; k != "" && len(k) < 32 {
		bad("BLOB_LINK_KEY", "want at least 32 bytes")
	}
	if m := c.Mail.Security; m != "starttls" && m != "tls" && m != "none" {
		bad("MAIL_SECURITY", "want starttls, tls or none")
	}
	if p := c.Mail.Port; p < 1 || p > 65535 {
		bad("MAIL_PORT", "want 1-65535")
	}
	for name, v := range map[string]time.Duration{"AUTH_ACCESS_TTL": c.Auth.AccessTTL, "AUTH_REFRESH_TTL": c.Auth.RefreshTTL,
		"BULK_KEEP": c.Bulk.Keep, "BULK_TIMEOUT": c.Bulk.Timeout, "PIPELINE_RETENTION": c.Pipeline.Retention, "PIPELINE_REGISTRY_REFRESH": c.Pipeline.RegistryRefresh, "PIPELINE_PREDICT_TIMEOUT": c.Pipeline.PredictTimeout} {
		if v <= 0 {
			bad(name, "want a duration above 0, such as 15m")
		}
	}
	for name, v := range map[string]int{"GRAPH_MAX_DEPTH": c.Graph.MaxDepth, "GRAPH_MAX_COST": c.Graph.MaxCost, "GRAPH_RATE_BURST": c.Graph.RateBurst,
		"PIPELINE_BATCH_SIZE": c.Pipeline.BatchSize, "PIPELINE_QUOTA_BURST": c.Pipeline.QuotaBurst, "MQTT_MAX_PAYLOAD": c.MQTT.MaxPayload, "BULK_MAX_ROWS": c.Bulk.MaxRows, "BULK_AT_ONCE": c.Bulk.AtOnce, "MAX_LOADED_MODELS": c.MaxLoadedModels} {
		if v < 1 {
			bad(name, "want at least 1")
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("configuration:\n%w", errors.Join(errs...))
	}
	return nil
}

// The parts that a process can run.
const (
	RoleAPI    = "api"
	RoleIngest = "ingest"
	RoleWorker = "worker"
	RoleJobs   = "jobs" // imports and exports
)

// AllRoles lists the parts.
var AllRoles = []string{RoleAPI, RoleIngest, RoleWorker, RoleJobs}

// Runs reports whether the process runs the part.
func (c *Config) Runs(role string) bool { return slices.Contains(c.Roles, role) }

// Level returns the log level.
func (c *Config) Level() (slog.Level, error) {
	var l slog.Level
	err := l.UnmarshalText([]byte(c.LogLevel))
	return l, err
}

// EmbeddedDatabase reports whether the process starts its own PostgreSQL.
func (c *Config) EmbeddedDatabase() bool { return c.Database.OwnerURL == "" }

// Secure reports whether browsers reach the product over TLS.
func (c *Config) Secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }

func checkAddr(a string) error {
	_, _, err := net.SplitHostPort(a)
	return err
}

func count(bs ...bool) (n int) {
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}
