package admit_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ingestion/admit"
	"foresight/internal/bus"
	"foresight/internal/testkit"
)

// The counts of two processes are one sum, each tenant's for itself; what a failed
// write could not add goes with the next.
func TestCountsOfAllProcessesAreAdded(t *testing.T) {
	r := newRig(t, setup{})
	other := admit.New(admit.Options{Snapshot: r.registry.Snapshot, Log: admit.BusLog(r.log), Partition: bus.Partition, DeadLetters: r.letters})
	var tallies []*admit.Tally
	for _, a := range []*admit.Admitter{r.admitter, other} {
		y := admit.NewTally(admit.TallyOptions{Pool: pool(t, r.db.WorkerDSN), Counters: a.Counters(), Interval: 10 * time.Millisecond})
		if err := y.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		tallies = append(tallies, y)
	}
	send := func(a *admit.Admitter, p testkit.Plant, payload string) {
		ticket := a.Admit(t.Context(), admit.Message{Credential: gateway(p), Topic: "sensors/pump-1-a", Payload: []byte(payload)})
		if _, err := ticket.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	owner := pool(t, r.db.OwnerDSN)
	counts := func() map[string]int {
		t.Helper()
		rows, err := owner.Query(t.Context(), `SELECT t.code || ' ' || c.outcome, sum(c.n) FROM ingestion_counts c JOIN tenants t ON t.id = c.tenant_id GROUP BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		var name string
		var n int
		if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { out[name] = n; return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for range 3 {
		send(r.admitter, r.a, `{"flow":1}`)
		send(other, r.a, `{"flow":1}`)
		send(other, r.b, `{"flow":1}`)
		send(r.admitter, r.a, `{"flow":`)
	}
	send(other, testkit.Plant{}, `{"flow":1}`) // of no tenant
	testkit.Eventually(t, within, func() bool {
		c := counts()
		return len(c) == 3 && c["acme accepted"] == 6 && c["globex accepted"] == 3 && c["acme bad_json"] == 3
	})
	execAs(t, r.db.OwnerDSN, "ALTER TABLE ingestion_counts RENAME TO away")
	send(other, r.b, `{"flow":1}`)
	execAs(t, r.db.OwnerDSN, "ALTER TABLE away RENAME TO ingestion_counts")
	send(other, r.b, `{"flow":1}`)
	for _, y := range tallies {
		if err := y.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if c := counts(); c["globex accepted"] != 5 || c["acme accepted"] != 6 {
		t.Errorf("at the end %v", c)
	}
}
