package app_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"foresight/internal/app/demo"
	"foresight/internal/config"
	"foresight/internal/embedded/natsd"
	"foresight/internal/testkit"
)

// A process that serves the graph beside one that takes and processes messages, on a
// database and a NATS server of their own: the same code, other settings. A reading
// given to the one by MQTT is live on the other.
func TestRolesInTwoProcesses(t *testing.T) {
	db := testkit.NewDB(t)
	testkit.NoLeaks(t) // the server of the tests stays
	nats := natsd.New(natsd.Options{StoreDir: t.TempDir(), MaxStoreBytes: 1 << 30, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err := nats.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := nats.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	of := func(roles ...string) *config.Config {
		c := settings(t, t.TempDir())
		c.Roles = roles
		c.Database.OwnerURL, c.Database.AppURL, c.Database.WorkerURL = db.OwnerDSN, db.AppDSN, db.WorkerDSN
		c.NATS.URL = nats.ClientURL()
		if err := c.Verify(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	api, apiParts := started(t, of(config.RoleAPI))
	defer stop(t, api)
	back, backParts := started(t, of(config.RoleIngest, config.RoleWorker))
	defer stop(t, back)
	if api.MQTTAddr != "" || strings.Contains(fmt.Sprint(apiParts), "pipeline") || strings.Contains(fmt.Sprint(apiParts), "postgres") {
		t.Errorf("the process of the API runs %v", apiParts)
	}
	if back.MQTTAddr == "" || strings.Contains(fmt.Sprint(backParts), "revocations") {
		t.Errorf("the process behind runs %v", backParts)
	}
	if graph := status(t, back.URL()+"/graphql"); graph == http.StatusOK {
		t.Errorf("the process behind answers %d for the graph", graph)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return status(t, back.URL()+"/readyz") == http.StatusOK })
	if err := back.StartDemo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}

	token := post(t, api, "", `mutation { login(input: {email: "viewer@alpha-grid.example", password: "`+demo.Password+`"}) { session { accessToken } } }`)["login"].(map[string]any)["session"].(map[string]any)["accessToken"].(string)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, "POST", api.URL()+"/graphql", strings.NewReader(`{"query": "subscription { telemetry { snapshot reading { timestamp } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()

	publishers, err := demo.SimulationOptions{Broker: "tcp://" + back.MQTTAddr, Tenant: "alpha-grid", Password: demo.GatewayPassword, Assets: 3, Rate: 5}.
		Publishers(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range publishers {
		if err := p.Start(ctx); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := p.Stop(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		}()
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if line := lines.Text(); strings.HasPrefix(line, "data:") && strings.Contains(line, `"snapshot":false`) && strings.Contains(line, `"timestamp"`) {
			return
		}
	}
	t.Fatalf("no live reading on the process of the API: %v", lines.Err())
}
