package graph_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"foresight/internal/vitals"
)

// What is down is told to everybody who is signed in, with what it means in their
// language; the error itself is not.
func TestSystemStatus(t *testing.T) {
	broken := errors.New("dial tcp 10.1.2.3:4222")
	var log, database error
	m := vitals.New([]vitals.Dependency{
		{Name: "postgresql", Needed: true, Affects: []vitals.Function{vitals.SignIn}, Probe: func(context.Context) error { return database }},
		{Name: "log", Affects: []vitals.Function{vitals.Live, vitals.Ingestion}, Probe: func(context.Context) error { return log }},
	}, nil, slog.New(slog.DiscardHandler))
	r := newRig(t)
	r.options.Resolver.Vitals = m
	ask := func() map[string]any {
		t.Helper()
		return r.data("acme/viewer", `{ systemStatus { state parts { name state since reason affects message } } }`)["systemStatus"].(map[string]any)
	}
	if s := ask(); s["state"] != "UP" || len(s["parts"].([]any)) != 2 {
		t.Errorf("%v", s)
	}
	log = broken
	m.Check(t.Context())
	s := ask()
	part := s["parts"].([]any)[1].(map[string]any)
	message, _ := part["message"].(string)
	if s["state"] != "DEGRADED" || part["state"] != "DOWN" || part["reason"] != "unreachable" || len(part["affects"].([]any)) != 2 || message == "" || strings.Contains(message, "10.1") {
		t.Errorf("%v", s)
	}
	database = broken
	m.Check(t.Context())
	if s := ask(); s["state"] != "DOWN" {
		t.Errorf("%v", s)
	}
	if a := r.ask("", `{ systemStatus { state } }`); a.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
		t.Errorf("without a credential: %v", a.Errors)
	}
}
