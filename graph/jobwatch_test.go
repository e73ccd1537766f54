package graph_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/graph"
	"foresight/internal/testkit"
)

// Watchers of a job cost one look each time it gets on, however many they are; each
// begins with how it stands and ends with it, also who comes when it is over.
func TestOneExecutionForAllWhoWatchAJob(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	url := r.sockets(0, func(o *graph.Options) { o.Registerer = metrics })
	const engineer = "acme/engineer"
	upload := r.upload(engineer, "kind,code,name,site,type\nasset,g1,Good,north,pump\n")
	job := at(r.data(engineer, importAssets, "u", upload), "importAssets", "job", "id")
	query := fmt.Sprintf(`subscription { importProgress(jobId: %q) { snapshot job { status created { assets } } } }`, job)
	watch := func(actor string) rawClient {
		t.Helper()
		c, err := dialRaw(t.Context(), url, 0)
		r.ok(err)
		t.Cleanup(func() { _ = c.Close() })
		r.ok(c.subscribe(actor, query))
		return c
	}
	type message struct {
		Type    string
		Payload any
	}
	next := func(c rawClient) (m message) {
		t.Helper()
		b, err := c.receive(nil)
		r.ok(err)
		r.ok(json.Unmarshal(b, &m))
		return m
	}
	progress := func(m message, what string) any {
		path := []any{"data", "importProgress", "job", "status"}
		if what == "snapshot" {
			path = []any{"data", "importProgress", "snapshot"}
		}
		return at(m.Payload, path...)
	}
	// toTheEnd reads up to the end of the job and the `complete` behind it.
	toTheEnd := func(name string, c rawClient) (items int) {
		t.Helper()
		for {
			m := next(c)
			if m.Type != "next" || progress(m, "snapshot") != false {
				t.Fatalf("%s: %+v", name, m)
			}
			items++
			if progress(m, "status") == "SUCCEEDED" {
				if m := next(c); m.Type != "complete" {
					t.Errorf("%s: %+v behind the end", name, m)
				}
				return items
			}
		}
	}
	clients := make([]rawClient, 5)
	for i := range clients {
		clients[i] = watch(engineer)
		if m := next(clients[i]); progress(m, "snapshot") != true || progress(m, "status") != "QUEUED" {
			t.Fatalf("%+v", m)
		}
	}
	if m := next(watch("globex/engineer")); m.Type != "error" {
		t.Errorf("another tenant: %+v", m)
	}
	value := func(name string) int { return int(metricOf(t, metrics, "foresight_graphql_shared_"+name)) }
	testkit.Eventually(t, testkit.Patience, func() bool { return value("subscriptions") == 1 })
	before := value("encoded_total")

	r.worksJobs()
	items := 0
	for i, c := range clients {
		items = max(items, toTheEnd(fmt.Sprint("client ", i), c))
	}
	if got := value("encoded_total") - before; got >= len(clients)*items {
		t.Errorf("%d items encoded for %d watchers of %d", got, len(clients), items)
	}
	late := watch(engineer)
	if m := next(late); progress(m, "snapshot") != true || progress(m, "status") != "SUCCEEDED" {
		t.Errorf("who comes when it is over: %+v", m)
	}
	if m := next(late); m.Type != "complete" {
		t.Errorf("behind the end: %+v", m)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return value("subscriptions") == 0 })
}
