package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

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
	RequestKey = "request_id"
)

const redacted = "[redacted]"

// secrets are the keys whose values never reach the log, in any group.
var secrets = []string{"password", "secret", "token", "authorization", "api_key", "dsn", "cookie"}

// NewLogger returns a logger that adds TenantKey and RequestKey from the context
// of calls such as InfoContext, on the top level also inside a group, and hides
// the values of secret keys. The level may be a *slog.LevelVar to be changed later.
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
	known := fromContext(ctx)
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

func fromContext(ctx context.Context) []slog.Attr {
	var attrs []slog.Attr
	if tenant, ok := tenancy.ID(ctx); ok {
		attrs = append(attrs, slog.String(TenantKey, tenant.String()))
	}
	if request := RequestID(ctx); request != "" {
		attrs = append(attrs, slog.String(RequestKey, request))
	}
	return attrs
}
