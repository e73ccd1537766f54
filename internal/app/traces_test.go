package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	traces "go.opentelemetry.io/proto/otlp/trace/v1"

	"foresight/internal/app"
	"foresight/internal/obs"
	"foresight/internal/testkit"
)

// lines collects what a process logs.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A marker in what a device sends, which neither spans nor lines of the log may hold.
const marker = "kept-to-the-tenant"

// One reading is followed from the PUBLISH to the frame, and so is the alarm that it
// raises; a request is followed under the trace that the client names.
func TestOneTraceFromPublishToFrame(t *testing.T) {
	testkit.NoLeaks(t)
	spans := newSpanCollector(t)
	cfg := settings(t, dataDir(t))
	cfg.Trace.Endpoint, cfg.Trace.Ratio, cfg.Trace.Headers = spans.URL, 1, map[string]string{"X-Key": "k"}
	said := &lines{}
	log, err := obs.NewLogger(said, obs.JSON, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	a := app.New(cfg, log, nil)
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	running := true
	defer func() {
		if running {
			stop(t, a)
		}
	}()
	if err := a.StartDemo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	engineer := login(t, a, "engineer")
	post(t, a, engineer, `mutation { createAlarmRule(input: {name: "level", parameter: "pressure", operator: GT, threshold: 1000, severity: LOW}) { rule { id } } }`)
	device := gateway(t, a)
	w := watch(t, a, login(t, a, "viewer"),
		`subscription { telemetry { reading { values(parameters: ["flow"]) { value } } snapshot } }`,
		`subscription { alarms { alarm { sensor { code } } transition { to } } }`)
	publish(t, device, "pump-a01-s1", `{"flow": 999}`) // what the stream begins with
	came, closeStream := stream(t, a, login(t, a, "viewer"), `subscription { telemetry { reading { values(parameters: ["flow"]) { value } } snapshot } }`)
	defer closeStream()
	// Until the rule is known, no alarm comes of it. One that opens before the subscription
	// is live tells of no change: it clears, and opens again.
	flow := 1000
	opened := func(sensor string) func(wsFrame) bool {
		return func(f wsFrame) bool {
			return f.Type == "next" && f.ID == "1" && strings.Contains(string(f.Payload), sensor) && strings.Contains(string(f.Payload), `"OPEN"`)
		}
	}
	raised := false
	for deadline := time.Now().Add(60 * time.Second); !raised && time.Now().Before(deadline); flow++ {
		publish(t, device, "pump-a01-s1", fmt.Sprintf(`{"flow": %d, "pressure": %d, "note": %q}`, flow, 2000*(1-flow%2), marker))
		w.await(t, "the reading", func(f wsFrame) bool {
			return f.Type == "next" && f.ID == "0" && strings.Contains(string(f.Payload), fmt.Sprint(flow))
		})
		// The alarm comes behind its reading. Each further reading makes spans, of which only
		// so many wait for the collector.
		for wait := time.Now().Add(200 * time.Millisecond); !raised && time.Now().Before(wait); time.Sleep(5 * time.Millisecond) {
			w.mu.Lock()
			raised = slices.ContainsFunc(w.frames, opened("pump-a01-s1"))
			w.mu.Unlock()
		}
	}
	w.await(t, "the alarm", opened("pump-a01-s1"))
	came(fmt.Sprint(flow - 1)) // and what came before it

	publish(t, device, "nobody-s1", `{"flow": 1, "note": "`+marker+`"}`) // a dead letter

	// Requests under the client's trace, one of which is refused.
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	for _, body := range []string{
		`{"query":"query Mine { assets(first: 1) { totalCount } }"}`,
		`{"query":"query Refused($id: UUID!) { node(id: $id) { id } }","variables":{"id":"` + marker + `"}}`,
	} {
		q, err := http.NewRequestWithContext(t.Context(), "POST", a.URL()+"/graphql", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer "+engineer)
		q.Header.Set("traceparent", "00-"+theirs+"-b7ad6b7169203331-01")
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Errors []struct{ Extensions map[string]any }
		}
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if refused := strings.Contains(body, "Refused"); err != nil || refused != (len(answer.Errors) > 0) {
			t.Fatalf("%s: %v %v", body, answer.Errors, err)
		}
		for _, e := range answer.Errors {
			if x := e.Extensions; x["traceId"] != theirs || x["requestId"] == nil {
				t.Errorf("the error tells %v", x)
			}
		}
	}
	device.Disconnect(100)
	w.close()
	closeStream()
	running = false
	stop(t, a) // sends what is left

	all := spans.traces()
	whole := func(tr *trace) bool { return len(tr.byName["process"]) > 0 && len(tr.byName["frame"]) > 0 }
	var way *trace
	for _, tr := range all {
		// The one with the alarm has two frames.
		if whole(tr) && (way == nil || len(tr.byName["frame"]) > len(way.byName["frame"])) {
			way = tr
		}
	}
	if way == nil {
		t.Fatalf("no trace goes from PUBLISH to frame, of %d traces", len(all))
	}
	for name, parent := range map[string]string{
		"resolve": "publish", "decode": "publish", "quota": "publish", "append": "publish", "process": "publish",
		"windows": "process", "readings": "process", "rollups": "process", "predict": "process", "commit": "process",
		"encode": "process", "frame": "encode",
	} {
		// Both admission and worker decode, and both publish.
		of := way.byName[name]
		if !slices.ContainsFunc(of, func(s *traces.Span) bool { return way.parent(s) == parent }) {
			t.Errorf("%d spans %s, none in %s", len(of), name, parent)
		}
	}
	if n := len(way.byName["frame"]); n < 2 {
		t.Errorf("%d frames in the trace of an alarm, want those of reading and alarm", n)
	}
	for _, transport := range []string{"websocket", "sse"} {
		if !slices.ContainsFunc(way.byName["frame"], func(s *traces.Span) bool {
			return attributesOf(s)["graphql.transport"].GetStringValue() == transport
		}) {
			t.Errorf("no frame by %s in the trace", transport)
		}
	}
	roots := 0
	for _, s := range way.byID {
		if way.parent(s) == "" {
			roots++
			if s.Name != "publish" || len(s.ParentSpanId) > 0 {
				t.Errorf("%s has no parent in the trace", s.Name)
			}
		}
	}
	if roots != 1 {
		t.Errorf("%d roots", roots)
	}
	process := way.byName["process"][0]
	if len(process.Links) != 1 || all[fmt.Sprintf("%x", process.Links[0].TraceId)] == nil || len(all[fmt.Sprintf("%x", process.Links[0].TraceId)].byName["batch"]) == 0 {
		t.Errorf("the worker's span has %d links, and none to its batch", len(process.Links))
	}

	request := all[theirs]
	if request == nil {
		t.Fatal("the client's trace is not there")
	}
	if s := request.byName["POST /graphql"]; len(s) != 2 || fmt.Sprintf("%x", s[0].ParentSpanId) != "b7ad6b7169203331" {
		t.Errorf("the request has %d spans, or another parent", len(s))
	}
	if s := request.byName["graphql query"]; !slices.ContainsFunc(s, func(s *traces.Span) bool {
		return attributesOf(s)["graphql.operation.name"].GetStringValue() == "Mine" && request.parent(s) == "POST /graphql"
	}) {
		t.Errorf("the operation has spans %v", s)
	}
	checkAttributes(t, spans)
	checkLines(t, said.String(), theirs)
}

// checkAttributes: of what belongs to tenants, spans hold ids alone.
func checkAttributes(t *testing.T, c *spanCollector) {
	t.Helper()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	word := regexp.MustCompile(`^[A-Za-z0-9_./ -]{0,64}$`)
	forms := map[string]*regexp.Regexp{
		"tenant_id": uuid, "site_id": uuid, "asset_id": uuid, "sensor_id": uuid, "model_version_id": uuid, "request_id": word,
		"log_sequence": nil, "partition": nil, "entries": nil, "http.request.method": word, "http.route": word,
		"http.response.status_code": nil, "graphql.operation.type": word, "graphql.operation.name": word, "graphql.transport": word,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if strings.Contains(s.String(), marker) || strings.Contains(s.String(), "alpha-grid") {
			t.Errorf("span %s holds what belongs to a tenant: %s", s.Name, s)
		}
		for key, v := range attributesOf(s) {
			form, known := forms[key]
			if !known || form != nil && !form.MatchString(v.GetStringValue()) {
				t.Errorf("span %s has the attribute %s=%v", s.Name, key, v)
			}
		}
	}
}

// checkLines: every line is one object, tells ids where they are known and nothing of
// what devices and people sent.
func checkLines(t *testing.T, said, traceID string) {
	t.Helper()
	requests, traced := 0, 0
	for line := range strings.Lines(said) {
		var of map[string]any
		if err := json.Unmarshal([]byte(line), &of); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if strings.Contains(line, marker) {
			t.Errorf("a payload is logged: %s", line)
		}
		if of["msg"] == "request" {
			requests++
			if of["request_id"] == nil {
				t.Errorf("no request id: %s", line)
			}
			if of["trace_id"] == traceID {
				traced++
			}
		}
	}
	if requests == 0 || traced != 2 {
		t.Errorf("%d requests are logged, %d with their trace", requests, traced)
	}
}
