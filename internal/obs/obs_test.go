package obs

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/tenancy"
)

func line(t *testing.T, level slog.Leveler, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	l, err := NewLogger(&out, JSON, level)
	if err != nil {
		t.Fatal(err)
	}
	log(l)
	if out.Len() == 0 {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatalf("%s: %v", out.String(), err)
	}
	delete(m, "time")
	return m
}

func TestLinesTellTenantAndRequest(t *testing.T) {
	tenant, asset, version := id.New(id.Tenant), id.New(id.Asset), id.New(id.MLModelVersion)
	ref := tracing.Ref{Trace: trace.TraceID{1}, Span: trace.SpanID{2}}
	ctx := WithRequestID(tenancy.AsSystem(context.Background(), tenant), "r-1")
	known := map[string]any{"level": "INFO", "msg": "m", TenantKey: tenant.String(), RequestKey: "r-1"}
	with := func(key string, value any) map[string]any {
		m := map[string]any{key: value}
		for k, v := range known {
			m[k] = v
		}
		return m
	}
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want map[string]any
	}{
		{"plain", func(l *slog.Logger) { l.InfoContext(ctx, "m", "a", 1) }, with("a", 1.0)},
		{"with", func(l *slog.Logger) { l.With("a", 1).InfoContext(ctx, "m") }, with("a", 1.0)},
		{"in a group", func(l *slog.Logger) { l.WithGroup("g").With("a", 1).InfoContext(ctx, "m", "b", 2) },
			with("g", map[string]any{"a": 1.0, "b": 2.0})},
		{"asset and version", func(l *slog.Logger) {
			l.InfoContext(WithAbout(WithAbout(ctx, About{Asset: asset}), About{ModelVersion: version}), "m")
		}, map[string]any{"level": "INFO", "msg": "m", TenantKey: tenant.String(), RequestKey: "r-1", AssetKey: asset.String(), VersionKey: version.String()}},
		{"tenant without an actor", func(l *slog.Logger) { l.InfoContext(WithAbout(context.Background(), About{Tenant: tenant}), "m") },
			map[string]any{"level": "INFO", "msg": "m", TenantKey: tenant.String()}},
		{"trace", func(l *slog.Logger) { l.InfoContext(ref.Within(context.Background()), "m") },
			map[string]any{"level": "INFO", "msg": "m", TraceKey: "01000000000000000000000000000000"}},
		{"said already", func(l *slog.Logger) { l.InfoContext(ctx, "m", RequestKey, "own") },
			map[string]any{"level": "INFO", "msg": "m", TenantKey: tenant.String(), RequestKey: "own"}},
		{"nothing known", func(l *slog.Logger) { l.InfoContext(context.Background(), "m") }, map[string]any{"level": "INFO", "msg": "m"}},
	} {
		if got := line(t, slog.LevelInfo, c.log); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	got := line(t, slog.LevelInfo, func(l *slog.Logger) {
		l.With("Authorization", "Bearer x").Info("m", slog.Group("user", "password", "p", "name", "n"))
	})
	user, _ := got["user"].(map[string]any)
	if got["Authorization"] != redacted || user["password"] != redacted || user["name"] != "n" {
		t.Errorf("got %v", got)
	}
}

func TestLevelCanBeChanged(t *testing.T) {
	level := new(slog.LevelVar)
	debug := func(l *slog.Logger) { l.Debug("m") }
	if line(t, level, debug) != nil {
		t.Error("a debug line is written")
	}
	level.Set(slog.LevelDebug)
	if line(t, level, debug) == nil {
		t.Error("no debug line is written")
	}
}

func TestFormats(t *testing.T) {
	var out bytes.Buffer
	l, err := NewLogger(&out, Text, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	l.Info("hello", "a", 1)
	if !strings.Contains(out.String(), "msg=hello a=1") {
		t.Errorf("text is %q", out.String())
	}
	if _, err := NewLogger(&out, "xml", slog.LevelInfo); err == nil {
		t.Error("an unknown format is taken")
	}
}

func TestMetricsAreNamespaced(t *testing.T) {
	r := NewRegistry()
	NewCounter(r, "hub", "sent_total", "Sent.", "kind").WithLabelValues("x").Inc()
	NewGauge(r, "hub", "open", "Open.").WithLabelValues().Set(1)
	NewCounter(nil, "hub", "sent_total", "Sent.")
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
	}
	for _, want := range []string{"foresight_hub_sent_total", "foresight_hub_open", "go_goroutines", "process_open_fds"} {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestBoundedLabels(t *testing.T) {
	b := NewBounded[int](2)
	name := func(k int) string { return strings.Repeat("x", k) }
	for _, c := range []struct {
		key  int
		want string
	}{{1, "x"}, {2, "xx"}, {3, Other}, {1, "x"}, {4, Other}} {
		if got := b.Value(c.key, name); got != c.want {
			t.Errorf("%d is %q, want %q", c.key, got, c.want)
		}
	}
}
