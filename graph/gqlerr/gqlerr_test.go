package gqlerr_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"foresight/graph/gqlerr"
	"foresight/graph/internal/testgraph"
	"foresight/internal/fault"
	"foresight/internal/obs"
)

type tagging string

func (t tagging) Error(e *fault.Error) string { return fmt.Sprintf("%s:%s", string(t), e.Key) }

func newExecutor(log *bytes.Buffer) *executor.Executor {
	e := executor.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: &testgraph.Resolver{}}))
	l := slog.New(slog.NewTextHandler(log, nil))
	e.SetErrorPresenter(gqlerr.Presenter(l))
	e.SetRecoverFunc(gqlerr.Recover(l))
	e.SetParserTokenLimit(50)
	return e
}

func TestPresenter(t *testing.T) {
	for _, c := range []struct {
		name, query string
		vars        map[string]any
		message     string // "" when the specification's own text is kept
		code        string
		field       string
		reason      string
		path        string
		logged      bool
	}{
		{name: "fault", query: `{fail(how:"fault")}`, message: "de:error.stale", code: "CONFLICT", field: "input.expectedVersion", path: "fail"},
		{name: "list", query: `{fail(how:"list")}`, message: "de:error.required", code: "BAD_USER_INPUT", field: "input.a", path: "fail"},
		{name: "plain error", query: `{fail(how:"plain")}`, message: "de:error.internal", code: "INTERNAL", path: "fail", logged: true},
		{name: "panic", query: `{fail(how:"panic")}`, message: "de:error.internal", code: "INTERNAL", path: "fail", logged: true},
		{name: "cancelled", query: `{fail(how:"cancelled")}`, message: "de:error.graphql.cancelled", code: "UNAVAILABLE", path: "fail", logged: true},
		{name: "cancelled, called internal", query: `{fail(how:"called internal")}`, message: "de:error.graphql.cancelled", code: "UNAVAILABLE", path: "fail", logged: true},
		{name: "deadline", query: `{fail(how:"late")}`, message: "de:error.graphql.timeout", code: "UNAVAILABLE", path: "fail", logged: true},
		{name: "scalar of an argument", query: `{byToken(token:"x")}`, message: "de:error.input.malformed", code: "BAD_USER_INPUT", field: "token", path: "byToken.token"},
		{name: "scalar of a list argument", query: `query($i:[Token!]!){a:byIds(ids:$i){name}}`, vars: map[string]any{"i": []any{"t-1", "x"}},
			message: "de:error.input.malformed", code: "BAD_USER_INPUT", field: "ids[1]", path: "a.ids[1]"},
		{name: "syntax", query: `{`, code: "BAD_USER_INPUT", reason: "GRAPHQL_PARSE_FAILED"},
		{name: "unknown field", query: `{nope}`, code: "BAD_USER_INPUT", reason: "GRAPHQL_VALIDATION_FAILED"},
		{name: "missing variable", query: `query($t:String!){echo(text:$t)}`, code: "BAD_USER_INPUT", reason: "GRAPHQL_VALIDATION_FAILED", path: "variable.t"},
		{name: "too many tokens", query: "{" + strings.Repeat("hello ", 60) + "}", message: "de:error.graphql.tokens", code: "COMPLEXITY_LIMIT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			ctx := obs.WithRequestID(gqlerr.WithLocalizer(context.Background(), tagging("de")), "r-1")
			resp := testgraph.Run(ctx, newExecutor(&log), c.query, c.vars)
			if len(resp.Errors) != 1 {
				t.Fatalf("errors %v, want one", resp.Errors)
			}
			e := resp.Errors[0]
			if c.message != "" && e.Message != c.message {
				t.Errorf("message %q, want %q", e.Message, c.message)
			}
			if c.message == "" && (e.Message == "" || strings.HasPrefix(e.Message, "de:")) {
				t.Errorf("message %q, want the specification's text", e.Message)
			}
			if c.reason == "GRAPHQL_PARSE_FAILED" && len(e.Locations) == 0 {
				t.Error("no location")
			}
			for k, want := range map[string]string{"code": c.code, "field": c.field, "reason": c.reason, "requestId": "r-1"} {
				if got, _ := e.Extensions[k].(string); got != want {
					t.Errorf("extensions.%s %q, want %q", k, got, want)
				}
			}
			if e.Path.String() != c.path {
				t.Errorf("path %q, want %q", e.Path, c.path)
			}
			out, err := json.Marshal(resp)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"hunter2", "/srv", "internal text", "goroutine", ".go"} {
				if bytes.Contains(out, []byte(secret)) {
					t.Errorf("the answer tells %q: %s", secret, out)
				}
			}
			if logged := strings.Contains(log.String(), "request_id=r-1"); logged != c.logged {
				t.Errorf("logged %v, want %v: %s", logged, c.logged, log.String())
			}
			if c.name == "panic" && !strings.Contains(log.String(), "hunter2") {
				t.Error("the log does not tell the panic")
			}
		})
	}
}

// Clients of persisted queries send the document when they read this answer.
func TestPersistedQueryNotFoundKeepsItsMessage(t *testing.T) {
	var log bytes.Buffer
	e := newExecutor(&log)
	e.Use(extension.AutomaticPersistedQuery{Cache: graphql.MapCache[string]{}})
	ctx := graphql.StartOperationTrace(context.Background())
	oc, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Extensions: map[string]any{
		"persistedQuery": map[string]any{"version": 1, "sha256Hash": "x"}}})
	resp := e.DispatchError(graphql.WithOperationContext(ctx, oc), errs)
	if len(resp.Errors) != 1 || resp.Errors[0].Message != "PersistedQueryNotFound" ||
		resp.Errors[0].Extensions["reason"] != "PERSISTED_QUERY_NOT_FOUND" || resp.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("%+v", resp.Errors)
	}
}

func TestWithoutLocalizerTheKindIsTold(t *testing.T) {
	l := gqlerr.LocalizerFrom(context.Background())
	seen := map[string]bool{}
	for _, k := range []fault.Kind{fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.BadInput, fault.Conflict,
		fault.RateLimited, fault.ComplexityLimit, fault.Unavailable, fault.Internal} {
		s := l.Error(fault.New(k, "error.x").Because(errors.New(testgraph.Secret)))
		if s == "" || seen[s] || strings.Contains(s, "hunter2") {
			t.Errorf("%s: %q", k, s)
		}
		seen[s] = true
	}
}

func TestUserErrors(t *testing.T) {
	ctx := gqlerr.WithLocalizer(context.Background(), tagging("de"))
	field := fault.Missing("Site")
	field.Field = "input.siteId"
	boom, missing, denied := errors.New("boom"), fault.Missing("Asset"), fault.Denied("plant:write")
	for _, c := range []struct {
		name string
		err  error
		want string // code@field of each
		rest error
	}{
		{"nothing", nil, "", nil},
		{"bad input", fmt.Errorf("x: %w", fault.Invalid("input.name", "error.required")), "BAD_USER_INPUT@input.name", nil},
		{"conflict", fault.Stale("Asset"), "CONFLICT@input.expectedVersion", nil},
		{"several", fault.List{fault.Invalid("input.a", "error.a"), field}, "BAD_USER_INPUT@input.a NOT_FOUND@input.siteId", nil},
		{"named thing missing", field, "NOT_FOUND@input.siteId", nil},
		{"thing missing", missing, "", missing},
		{"forbidden", denied, "", denied},
		{"mixed with forbidden", fault.List{fault.Invalid("input.a", "error.a"), denied}, "", denied},
		{"plain", boom, "", boom},
	} {
		t.Run(c.name, func(t *testing.T) {
			us, rest := gqlerr.UserErrors(ctx, c.err)
			if us == nil {
				t.Error("nil list")
			}
			var got []string
			for _, u := range us {
				f := ""
				if u.Field != nil {
					f = *u.Field
				}
				if !u.Code.IsValid() || !strings.HasPrefix(u.Message, "de:") {
					t.Errorf("%+v", u)
				}
				got = append(got, string(u.Code)+"@"+f)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
			if !errors.Is(rest, c.rest) {
				t.Errorf("rest %v", rest)
			}
		})
	}
}

func TestUserErrorCodeReadsOnlyItsValues(t *testing.T) {
	var c gqlerr.UserErrorCode
	if err := c.UnmarshalGQL("CONFLICT"); err != nil || c != gqlerr.UserConflict {
		t.Errorf("%v %v", c, err)
	}
	if err := c.UnmarshalGQL("INTERNAL"); err == nil {
		t.Error("INTERNAL is no user error")
	}
	var b bytes.Buffer
	gqlerr.UserNotFound.MarshalGQL(&b)
	if b.String() != `"NOT_FOUND"` {
		t.Error(b.String())
	}
}
