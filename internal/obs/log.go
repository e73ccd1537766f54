package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/tenancy"
)

// The formats of log lines.
const (
	JSON = "json" // one object a line, for machines
	Text = "text" // key=value, for people
)

// The keys that NewLogger adds to lines whose context knows them.
const (
	TenantKey  = "tenant_id"
	AssetKey   = "asset_id"
	VersionKey = "model_version_id"
	RequestKey = "request_id"
	TraceKey   = "trace_id"
)

const redacted = "[redacted]"

// secrets are the keys whose values never reach the log, in any group.
var secrets = []string{"password", "secret", "token", "authorization", "api_key", "dsn", "cookie"}

// NewLogger returns a logger that adds tenant, asset, model version, request and trace
// from the context of calls such as InfoContext, on the top level also inside a group,
// and hides the values of secret keys. What the line says of these itself, counts. The level may be a *slog.LevelVar to be changed later.
func NewLogger(w io.Writer, format string, level slog.Leveler) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: hideSecrets}
	switch format {
	case JSON:
		return slog.New(&contextHandler{base: slog.NewJSONHandler(w, opts)}), nil
	case Text:
		return slog.New(&contextHandler{base: slog.NewTextHandler(w, opts)}), nil
	}
	return nil, fmt.Errorf("obs: log format %q, want %s or %s", format, JSON, Text)
}

func hideSecrets(_ []string, a slog.Attr) slog.Attr {
	if slices.Contains(secrets, strings.ToLower(a.Key)) {
		return slog.String(a.Key, redacted)
	}
	return a
}

// contextHandler adds what the context knows. After the first WithGroup it keeps
// what was added since, so that its own attributes stay outside the group.
type contextHandler struct {
	base  slog.Handler
	since []func(slog.Handler) slog.Handler
}

func (h *contextHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.base.Enabled(ctx, l)
}

func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	known := fromContext(ctx, &r)
	if len(h.since) == 0 {
		if len(known) > 0 {
			r = r.Clone()
			r.AddAttrs(known...)
		}
		return h.base.Handle(ctx, r)
	}
	to := h.base
	if len(known) > 0 {
		to = to.WithAttrs(known)
	}
	for _, f := range h.since {
		to = f(to)
	}
	return to.Handle(ctx, r)
}

func (h *contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.since) == 0 {
		return &contextHandler{base: h.base.WithAttrs(attrs)}
	}
	return h.with(func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

func (h *contextHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h *contextHandler) with(f func(slog.Handler) slog.Handler) slog.Handler {
	return &contextHandler{base: h.base, since: append(slices.Clip(h.since), f)}
}

// fromContext returns what the context knows and the line does not say already.
func fromContext(ctx context.Context, r *slog.Record) []slog.Attr {
	about := aboutOf(ctx)
	if tenant, ok := tenancy.ID(ctx); ok && about.Tenant == id.Nil {
		about.Tenant = tenant
	}
	var attrs []slog.Attr
	add := func(key, value string) {
		if value != "" && !says(r, key) {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	for _, k := range [...]struct {
		key string
		id  id.UUID
	}{{TenantKey, about.Tenant}, {AssetKey, about.Asset}, {VersionKey, about.ModelVersion}} {
		if k.id != id.Nil {
			add(k.key, k.id.String())
		}
	}
	add(RequestKey, RequestID(ctx))
	add(TraceKey, tracing.TraceID(ctx))
	return attrs
}

func says(r *slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}
