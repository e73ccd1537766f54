package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/embedded/pg"
)

// The demo's tenants and public secrets.
const (
	alpha         = "alpha-grid"
	beta          = "beta-process"
	password      = "foresight-demo"
	gatewaySecret = "demo-gateway"
)

// threshold of the flow in m³/h, above which the rule of these tests alarms.
const threshold = 100

// quota of each tenant in messages a second: above all loads but the overload.
const quota = 1000

// installation is the product in many processes.
type installation struct {
	postgres *pg.Server
	nats     *natsCluster
	db       *pgxpool.Pool // of the owner, who sees through row-level security

	api     *member
	ingest  *member
	workers []*member
	broker  string // where the embedded broker of the ingest process always is

	settings []string
	rule     string    // on the flow of alpha's sensors
	begin    time.Time // before any load
	number   int       // of processes begun
	frames   *alarmFrames
	single   string // data directory of a single process with everything in it, "" for many
}

// connect opens the database of a single process, as its owner.
func (in *installation) connect(ctx context.Context) (err error) {
	q := url.Values{"host": {filepath.Join(in.single, "postgres", "socket")}, "port": {"5432"}, "sslmode": {"disable"}}
	in.db, err = pgxpool.New(ctx, "postgres://"+pg.Owner+"@/foresight?"+q.Encode())
	return err
}

// shared is the installation of all tests.
var shared sharedInstallation

type sharedInstallation struct {
	once sync.Once
	in   *installation
	err  error
}

func (s *sharedInstallation) get(t testing.TB) *installation {
	t.Helper()
	s.once.Do(func() {
		begin := time.Now()
		if s.in, s.err = install(filepath.Join(work, "shared")); s.err == nil {
			figure("installation: PostgreSQL, 3 NATS servers, api, ingest and 2 workers as 7 processes serve after %.1f s", time.Since(begin).Seconds())
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.in
}

func (s *sharedInstallation) end() error {
	if s.in == nil {
		return nil
	}
	return s.in.end()
}

func install(dir string) (in *installation, err error) {
	in = &installation{}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.end())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if in.nats, err = newNATSCluster(filepath.Join(dir, "nats")); err != nil {
		return in, err
	}
	server := pg.New(pg.Options{Dir: filepath.Join(dir, "postgres"), Log: slog.New(slog.DiscardHandler)}) // durable: it will be killed
	if err := server.Start(ctx); err != nil {
		return in, err
	}
	in.postgres = server
	const name = "foresight"
	if err := server.EnsureDatabase(ctx, name); err != nil {
		return in, err
	}
	if in.db, err = pgxpool.New(ctx, server.DSN(pg.Owner, name)); err != nil {
		return in, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return in, err
	}
	in.broker = fmt.Sprintf("127.0.0.1:%d", ports[0])
	in.settings = []string{
		"FORESIGHT_DATABASE_OWNER_URL=" + server.DSN(pg.Owner, name),
		"FORESIGHT_DATABASE_APP_URL=" + server.DSN("foresight_app", name),
		"FORESIGHT_DATABASE_WORKER_URL=" + server.DSN("foresight_worker", name),
		"FORESIGHT_NATS_URL=" + in.nats.url, "FORESIGHT_NATS_CA_FILE=" + in.nats.ca, "FORESIGHT_NATS_REPLICAS=3", "FORESIGHT_NATS_LOG_MAX_BYTES=268435456",
		fmt.Sprintf("FORESIGHT_PIPELINE_QUOTA_PER_SECOND=%d", quota), fmt.Sprintf("FORESIGHT_PIPELINE_QUOTA_BURST=%d", quota),
		"FORESIGHT_OPERATOR_TENANT=" + alpha, "FORESIGHT_AUTH_ACCESS_TTL=24h",
	}
	// The process of the API seeds the demo's tenants; processes of one installation
	// share what signs tokens and seals secrets.
	if in.api, err = in.member("api", dir, "demo", "--rate", "0"); err != nil {
		return in, err
	}
	if err := in.makeRule(ctx); err != nil {
		return in, err
	}
	if in.ingest, err = in.member("ingest", dir, "serve", "--roles", "ingest"); err != nil {
		return in, err
	}
	for range 2 {
		w, err := in.member("worker", dir, "serve", "--roles", "worker,jobs")
		if err != nil {
			return in, err
		}
		in.workers = append(in.workers, w)
	}
	in.begin = time.Now()
	return in, nil
}

// member begins a process of the installation.
func (in *installation) member(role, dir string, args ...string) (*member, error) {
	in.number++
	settings := in.settings
	switch role {
	case "api":
		settings = append(settings[:len(settings):len(settings)], "FORESIGHT_ROLES=api")
	case "ingest":
		settings = append(settings[:len(settings):len(settings)], "FORESIGHT_MQTT_ADDR="+in.broker)
	}
	return begin(fmt.Sprintf("%s %d", role, in.number), filepath.Join(dir, "data"), settings, args...)
}

func (in *installation) dir() string { return filepath.Join(work, "shared") }

// another begins one more worker.
func (in *installation) another(t testing.TB) *member {
	t.Helper()
	w, err := in.member("worker", in.dir(), "serve", "--roles", "worker,jobs")
	if err != nil {
		t.Fatal(err)
	}
	in.workers = append(in.workers, w)
	return w
}

// restartIngest begins the door of devices again, where it was.
func (in *installation) restartIngest(t testing.TB) {
	t.Helper()
	var err error
	if in.ingest, err = in.member("ingest", in.dir(), "serve", "--roles", "ingest"); err != nil {
		t.Fatal(err)
	}
}

// end stops everything, the product as an orchestrator does.
func (in *installation) end() (err error) {
	if in.frames != nil {
		in.frames.end()
	}
	for _, m := range append([]*member{in.ingest, in.api}, in.workers...) {
		if m != nil && !m.over() {
			err = errors.Join(err, m.kill())
		}
	}
	if in.db != nil {
		in.db.Close()
	}
	if in.nats != nil {
		err = errors.Join(err, in.nats.end())
	}
	if in.postgres != nil {
		ctx, cancel := withTimeout()
		defer cancel()
		err = errors.Join(err, in.postgres.Stop(ctx))
	}
	return err
}

// web is the HTTP client of the tests.
var web = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: time.Minute}

// ask sends a GraphQL operation to the process and decodes its data.
func ask[T any](ctx context.Context, m *member, token, query string, vars map[string]any) (out T, err error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		return out, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url()+"/graphql", bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	p, err := web.Do(q)
	if err != nil {
		return out, err
	}
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	if err != nil {
		return out, err
	}
	var answer struct {
		Data   T
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Errors) > 0 {
		return out, fmt.Errorf("%s: %d %s", query, p.StatusCode, text)
	}
	return answer.Data, nil
}

// login returns an access token of the tenant's person of the role.
func (in *installation) login(ctx context.Context, tenant, role string) (string, error) {
	type data struct {
		Login struct{ Session *struct{ AccessToken string } }
	}
	d, err := ask[data](ctx, in.api, "", `mutation($email: String!, $password: String!) {
		login(input: {email: $email, password: $password}) { session { accessToken } } }`,
		map[string]any{"email": role + "@" + tenant + ".example", "password": password})
	if err != nil {
		return "", err
	}
	if d.Login.Session == nil {
		return "", errors.New("no session")
	}
	return d.Login.Session.AccessToken, nil
}

// makeRule makes the rule by which the loads raise alarms, before there are workers:
// each reads all rules when it begins.
func (in *installation) makeRule(ctx context.Context) error {
	token, err := in.login(ctx, alpha, "engineer")
	if err != nil {
		return err
	}
	type data struct {
		CreateAlarmRule struct {
			Rule       *struct{ ID string }
			UserErrors []struct{ Message string }
		}
	}
	d, err := ask[data](ctx, in.api, token, `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id } userErrors { message } } }`,
		map[string]any{"in": map[string]any{"name": "Flow", "parameter": "flow", "operator": "GT", "threshold": threshold, "severity": "LOW"}})
	if err != nil {
		return err
	}
	if d.CreateAlarmRule.Rule == nil {
		return fmt.Errorf("no rule: %v", d.CreateAlarmRule.UserErrors)
	}
	in.rule = d.CreateAlarmRule.Rule.ID
	in.frames, err = followAlarms(in.api, token)
	return err
}
