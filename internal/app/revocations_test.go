package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/auth"
	"foresight/internal/config"
	"foresight/internal/embedded/natsd"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// A process that was cut off from the others does not trust the tokens of before when
// it is back: what they have revoked meanwhile, nobody has told it.
func TestRevocationsThatWereMissed(t *testing.T) {
	db := testkit.NewDB(t)
	acme, _ := testkit.TwoTenants(t, db)
	testkit.NoLeaks(t) // the server of the tests stays
	// The port is none of those that are given to whoever asks for any: nobody is given it
	// while the server is away.
	address, dir := "", t.TempDir()
	for address == "" {
		at := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", at); err == nil {
			address = at
			_ = l.Close() // nobody has connected
		}
	}
	serve := func() *natsd.Server {
		t.Helper()
		s := natsd.New(natsd.Options{StoreDir: dir, MaxStoreBytes: 1 << 30, Listen: address, Log: slog.New(slog.DiscardHandler)})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	halt := func(s *natsd.Server) {
		t.Helper()
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	nats := serve()
	defer func() { halt(nats) }()
	c := settings(t, t.TempDir())
	c.Roles = []string{config.RoleAPI}
	c.Database.OwnerURL, c.Database.AppURL, c.Database.WorkerURL = db.OwnerDSN, db.AppDSN, db.WorkerDSN
	c.NATS.URL = nats.ClientURL()
	api, _ := started(t, c)
	defer stop(t, api)

	owner, err := pgx.Connect(t.Context(), db.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing is left to do
	sql := func(query string, args ...any) {
		t.Helper()
		if _, err := owner.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := auth.NewHasher(auth.Params{Memory: 64, Time: 1, Threads: 1}).Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	sql(`UPDATE users SET password_hash = $1, email = 'only@acme.example' WHERE id = $2`, hash, acme.Users[tenancy.Viewer])
	token := post(t, api, "", `mutation { login(input: {email: "only@acme.example", password: "correct horse"}) { session { accessToken } } }`)["login"].(map[string]any)["session"].(map[string]any)["accessToken"].(string)
	taken := func() bool {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), "POST", api.URL()+"/graphql", strings.NewReader(`{"query": "{ me { role } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	halt(nats)
	sql(`UPDATE refresh_tokens SET revoked_at = now()`) // as another process does, that cannot tell
	if !taken() {
		t.Fatal("it has heard of the revocation")
	}
	nats = serve()
	testkit.Eventually(t, testkit.Patience, func() bool { return !taken() })
}
