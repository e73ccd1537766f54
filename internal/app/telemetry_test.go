package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/app/demo"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
	"foresight/internal/testkit/mongofake"
)

// A process whose telemetry is in MongoDB: a reading given to its broker lands there,
// and in PostgreSQL there is none.
func TestTelemetryInMongoDB(t *testing.T) {
	db := testkit.NewDB(t)
	testkit.NoLeaks(t)
	server := mongofake.Start(t, mongofake.Limits{}, mongofake.NewMemory().Handle)
	c := settings(t, t.TempDir())
	c.Database.OwnerURL, c.Database.AppURL, c.Database.WorkerURL = db.OwnerDSN, db.AppDSN, db.WorkerDSN
	c.Telemetry.Store, c.Telemetry.MongoURI = "mongo", server.URI()+"/?timeoutMS=60000"
	if err := c.Verify(); err != nil {
		t.Fatal(err)
	}
	a, parts := started(t, c)
	defer stop(t, a)
	if all := strings.Join(parts, ","); !strings.Contains(all, "telemetry store") || strings.Contains(all, "retention") {
		t.Errorf("the parts are %v", parts)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return status(t, a.URL()+"/readyz") == http.StatusOK })
	if err := a.StartDemo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	publishers, err := demo.SimulationOptions{Broker: "tcp://" + a.MQTTAddr, Tenant: "alpha-grid", Password: demo.GatewayPassword, Assets: 2, Rate: 5}.
		Publishers(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range publishers {
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := p.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}()
	}
	conn, err := pgx.Connect(t.Context(), db.OwnerDSN) // above the policies
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var tenant id.UUID
	if err := conn.QueryRow(t.Context(), `SELECT id FROM tenants WHERE code = 'alpha-grid'`).Scan(&tenant); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, func() bool {
		latest, err := a.Telemetry().Latest(t.Context(), tenant, telemetry.Scope{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(latest) > 0
	})
	var rows int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM telemetry_raw`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d readings in PostgreSQL, %v", rows, err)
	}
}
