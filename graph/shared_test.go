package graph_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/graph"
	"foresight/graph/transport"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// Who asks for the same and sees the same shares one execution; another language,
// role, site or document is another. Who leaves, or is shut out, does not end the others.
func TestOneExecutionForAllWhoSeeTheSame(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	revoked := make(chan struct{})
	var language string
	south := id.New(id.Site)
	r.change = func(a *tenancy.Actor) {
		if a.Role == tenancy.Engineer {
			a.SiteIDs = []id.UUID{south} // sees nothing of the readings
		}
		a.ID = id.New(id.User) // each is another person
	}
	url := r.sockets(0, func(o *graph.Options) {
		authenticate := o.Authenticate
		o.Registerer = metrics
		o.Authenticate = func(ctx context.Context, given string) (*transport.Session, error) {
			who, ends := strings.CutSuffix(given, " revoked")
			s, err := authenticate(ctx, who)
			if err == nil {
				s.Context = r.request(s.Context, tenancy.From(s.Context), language)
			}
			if err == nil && ends {
				s.Revoked = revoked
			}
			return s, err
		}
	})
	groups := func() int { return int(metricOf(t, metrics, "foresight_graphql_shared_subscriptions")) }
	begin := time.Now().Add(-time.Hour)
	r.write(reading(r.acme.Key(0), begin, 0))
	const query, other = `subscription { telemetry { resync reading { values(parameters: ["flow"]) { value } } } }`,
		`subscription { telemetry { resync snapshot reading { values(parameters: ["flow"]) { value } } } }`
	watch := func(actor, in, query string, sees bool) rawClient {
		t.Helper()
		language = in
		c, err := dialRaw(t.Context(), url, 0)
		r.ok(err)
		t.Cleanup(func() { _ = c.Close() })
		r.ok(c.subscribe(actor, query))
		if sees {
			if b, err := c.receive(nil); err != nil || flowOf(b) != 0 {
				t.Fatalf("%s: no snapshot: %s %v", actor, b, err)
			}
		}
		return c
	}
	clients := []rawClient{watch("acme/viewer revoked", "en", query, true)}
	for _, c := range []struct {
		name, actor, language, query string
		sees                         bool
		groups                       int
	}{
		{"the same", "acme/viewer", "en", query, true, 1},
		{"the same again", "acme/viewer", "en", query, true, 1},
		{"another document", "acme/viewer", "en", other, true, 2},
		{"another language", "acme/viewer", "ar", query, true, 3},
		{"another role", "acme/operator", "en", query, true, 4},
		{"another site", "acme/engineer", "en", query, false, 5},
		{"another tenant", "globex/viewer", "en", query, false, 6},
	} {
		client := watch(c.actor, c.language, c.query, c.sees)
		if c.sees {
			clients = append(clients, client)
		}
		testkit.Eventually(t, testkit.Patience, func() bool { return groups() >= c.groups })
		if got := groups(); got != c.groups {
			t.Errorf("%s: %d executions, want %d", c.name, got, c.groups)
		}
	}
	encoded := func() float64 { return metricOf(t, metrics, "foresight_graphql_shared_encoded_total") }
	testkit.Eventually(t, testkit.Patience, func() bool { // the last two have joined as well
		return metricOf(t, metrics, "foresight_graphql_shared_subscribers") == 8 && metricOf(t, metrics, "foresight_graphql_shared_snapshots_total") >= 6
	})
	before := encoded()
	tell := func(i int, to []rawClient) {
		t.Helper()
		d := reading(r.acme.Key(0), begin.Add(time.Duration(i)*time.Second), float64(i))
		r.publish(d)
		for k, c := range to {
			if b, err := c.receive(nil); err != nil || flowOf(b) != float64(i) {
				t.Errorf("client %d: %s %v", k, b, err)
			}
		}
	}
	tell(1, clients)
	if got := encoded() - before; got != 4 {
		t.Errorf("encoded %v times, want once in each of 4 executions that see it", got)
	}

	close(revoked)
	if b, err := clients[0].receive(nil); err == nil || !strings.Contains(err.Error(), "4403") {
		t.Errorf("the session that was revoked goes on: %s %v", b, err)
	}
	_ = clients[1].Close()
	tell(2, clients[2:])
	for _, c := range clients[2:] {
		_ = c.Close()
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return groups() == 2 })
}

// An event stream takes part in what runs for sockets.
func TestEventStreamsShareWithSockets(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	url := r.sockets(0, func(o *graph.Options) { o.Registerer = metrics })
	begin := time.Now().Add(-time.Hour)
	r.write(reading(r.acme.Key(0), begin, 0))
	const query = `subscription { telemetry { snapshot reading { values(parameters: ["flow"]) { value } } } }`
	socket, err := dialRaw(t.Context(), url, 0)
	r.ok(err)
	t.Cleanup(func() { _ = socket.Close() })
	r.ok(socket.subscribe("acme/viewer", query))
	_, err = socket.receive(nil)
	r.ok(err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(fmt.Sprintf(`{"query":%q}`, query)))
	r.ok(err)
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "acme/viewer")
	answer, err := http.DefaultClient.Do(q)
	r.ok(err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	data := func() string {
		t.Helper()
		for lines.Scan() {
			if d, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return d
			}
		}
		t.Fatalf("the stream has ended: %v", lines.Err())
		return ""
	}
	if d := data(); !strings.Contains(d, `"snapshot":true`) {
		t.Errorf("it began with %s", d)
	}
	r.publish(reading(r.acme.Key(0), begin.Add(time.Second), 1))
	frame, err := socket.receive(nil)
	if d := data(); err != nil || flowOf([]byte(d)) != 1 || !strings.Contains(string(frame), d) {
		t.Errorf("the stream got %s, the socket %s %v", d, frame, err)
	}
	if n := metricOf(t, metrics, "foresight_graphql_shared_subscriptions"); n != 1 {
		t.Errorf("%v executions", n)
	}
	cancel()
	testkit.Eventually(t, testkit.Patience, func() bool { return metricOf(t, metrics, "foresight_graphql_shared_subscribers") == 1 })
}

// A client that was away resumes at its own place and shares what is live with those
// who did not leave.
func TestResumingSharesWhatIsLive(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	url := r.sockets(0, func(o *graph.Options) { o.Registerer = metrics })
	m := r.machine(r.acme, 1)
	watch := func(after string) rawClient {
		t.Helper()
		c, err := dialRaw(t.Context(), url, 0)
		r.ok(err)
		t.Cleanup(func() { _ = c.Close() })
		r.ok(c.send(`{"type":"connection_init","payload":{"authorization":"acme/viewer"}}`))
		_, err = c.receive(nil)
		r.ok(err)
		r.ok(c.send(`{"type":"subscribe","id":"1","payload":{"query":"subscription($after: Long) { alarms(after: $after) { seq snapshot transition { to } } }","variables":{"after":` + after + `}}}`))
		return c
	}
	next := func(c rawClient, want string) {
		t.Helper()
		if b, err := c.receive(nil); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("got %s %v, want %s", b, err, want)
		}
	}
	fresh := watch("null")
	next(fresh, `"snapshot":true`)
	newest := int(r.alarmSeq())
	old := watch(fmt.Sprint(newest - 1))
	next(old, fmt.Sprintf(`"seq":%d,"snapshot":false`, newest))
	testkit.Eventually(t, testkit.Patience, func() bool { return metricOf(t, metrics, "foresight_graphql_shared_subscribers") == 2 })
	if got := metricOf(t, metrics, "foresight_graphql_shared_subscriptions"); got != 1 {
		t.Errorf("%v executions", got)
	}
	_, err := r.alarms.Clear(r.acme.As(t.Context(), tenancy.Operator), m.alarm, "")
	r.ok(err)
	for _, c := range []rawClient{fresh, old} {
		next(c, fmt.Sprintf(`"seq":%d,"snapshot":false,"transition":{"to":"CLEARED"}`, newest+1))
	}
}

// alarmSeq is the place of acme's newest transition.
func (r *rig) alarmSeq() (seq int64) {
	r.Helper()
	r.ok(r.owner.QueryRow(r.Context(), `SELECT seq FROM alarm_sequences WHERE tenant_id = $1`, r.acme.TenantID).Scan(&seq))
	return seq
}

// Of what a slow client cannot take it misses what is older, sensor by sensor, and is
// told of it.
func TestASlowClientMissesWhatIsOlderAndIsTold(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	url := r.sockets(16<<10, func(o *graph.Options) { o.WriteTimeout, o.Registerer = time.Minute, metrics })
	begin := time.Now().Add(-time.Hour)
	r.write(reading(r.acme.Key(0), begin, 0))
	c, err := dialRaw(t.Context(), url, 4096)
	r.ok(err)
	t.Cleanup(func() { _ = c.Close() })
	r.ok(c.subscribe("acme/viewer", flowQuery(40))) // frames of 40 kB
	_, err = c.receive(nil)
	r.ok(err)
	// One sensor speaks on, the other (odd) for a moment only.
	const last, from, to = 1000, 200, 220
	before, published := metricOf(t, metrics, "foresight_graphql_shared_encoded_total"), 0.0
	for i := 2; i <= last; i++ {
		if i%2 == 1 && (i < from || i > to) {
			continue
		}
		r.publish(reading(r.acme.Key(i%2), begin.Add(time.Duration(i)*time.Second), float64(i)))
		if published++; int(published)%100 == 0 || i == last { // no faster than they are encoded
			testkit.Eventually(t, testkit.Patience, func() bool {
				return metricOf(t, metrics, "foresight_graphql_shared_encoded_total")-before == published
			})
		}
	}
	told, got := false, []float64{}
	var b []byte
	for len(got) == 0 || got[len(got)-1] != last {
		if b, err = c.receive(b); err != nil {
			t.Fatalf("cut after %v: %v", got, err)
		}
		if strings.Contains(string(b[:min(len(b), 80)]), `"resync":true`) {
			told = true
		} else {
			got = append(got, flowOf(b))
		}
	}
	if !told || len(got) >= int(published) {
		t.Errorf("%d of %v readings, told of a gap: %t", len(got), published, told)
	}
	newest := map[bool]float64{}
	for _, v := range got {
		odd := int(v)%2 == 1
		if v <= newest[odd] {
			t.Errorf("%v behind %v of the same sensor", v, newest[odd])
		}
		newest[odd] = v
	}
	if newest[true] != to-1 {
		t.Errorf("the newest of the sensor that fell silent is %v, want %v", newest[true], to-1)
	}
}

// A client too slow for alarms is disconnected with a code that says so, and misses
// none when it resumes.
func TestAClientTooSlowForAlarmsIsDisconnected(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	url := r.sockets(16<<10, func(o *graph.Options) { o.WriteTimeout, o.Registerer = time.Minute, metrics })
	m := r.machine(r.acme, 1)
	c, err := dialRaw(t.Context(), url, 4096)
	r.ok(err)
	t.Cleanup(func() { _ = c.Close() })
	var wide strings.Builder
	for n := range 40 {
		fmt.Fprintf(&wide, "t%d%s: id ", n, strings.Repeat("_", 950))
	}
	r.ok(c.subscribe("acme/viewer", `subscription { alarms { alarm { `+wide.String()+` } seq } }`))
	_, err = c.receive(nil)
	r.ok(err)
	const more = 500
	first := r.alarmSeq()
	for range more {
		r.transition(m, "open", "acknowledged", nil)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return metricOf(t, metrics, "foresight_graphql_shared_subscribers") == 0 })
	var b []byte
	seq := first
	for {
		if b, err = c.receive(b); err != nil {
			break
		}
		seq++
		if tail := string(b[max(0, len(b)-60):]); !strings.Contains(tail, fmt.Sprintf(`"seq":%d}`, seq)) {
			t.Fatalf("%s behind %d", tail, seq-1)
		}
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("closed with %d", transport.CodeTooSlow)) {
		t.Errorf("ended by %v at %d of %d", err, seq-first, more)
	}
	resumed := r.watch("acme/viewer", fmt.Sprintf(`subscription { alarms(after: %d) { seq } }`, seq))
	for ; seq < first+more; seq++ {
		if item := resumed.next("alarms"); at(item, "seq") != float64(seq+1) {
			t.Fatalf("resumed with %v behind %d", item, seq)
		}
	}
}
