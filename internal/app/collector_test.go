package app_test

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanCollector takes spans by OTLP over HTTP, as a collector does.
type spanCollector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*traces.Span
}

func newSpanCollector(t testing.TB) *spanCollector {
	c := &spanCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/traces" || r.Header.Get("X-Key") != "k" {
			t.Errorf("%s with the key %q", r.URL.Path, r.Header.Get("X-Key"))
		}
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		var in collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(b, &in)
		}
		if err != nil {
			t.Error(err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, rs := range in.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				c.spans = append(c.spans, ss.Spans...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

// trace is the spans of one trace, by name, and which of them are in which.
type trace struct {
	id     string
	byID   map[string]*traces.Span
	byName map[string][]*traces.Span
}

// traces sorts what has come so far.
func (c *spanCollector) traces() map[string]*trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]*trace{}
	for _, s := range c.spans {
		id := hex.EncodeToString(s.TraceId)
		if out[id] == nil {
			out[id] = &trace{id: id, byID: map[string]*traces.Span{}, byName: map[string][]*traces.Span{}}
		}
		out[id].byID[string(s.SpanId)] = s
		out[id].byName[s.Name] = append(out[id].byName[s.Name], s)
	}
	return out
}

// parent is the name of the span that the span is in, "" for none in this process.
func (t *trace) parent(s *traces.Span) string {
	if p := t.byID[string(s.ParentSpanId)]; p != nil {
		return p.Name
	}
	return ""
}

func attributesOf(s *traces.Span) map[string]*common.AnyValue {
	out := map[string]*common.AnyValue{}
	for _, a := range s.Attributes {
		out[a.Key] = a.Value
	}
	return out
}
