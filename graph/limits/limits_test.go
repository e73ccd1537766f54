package limits_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/introspection"

	"foresight/graph/gqlerr"
	"foresight/graph/internal/testgraph"
	"foresight/graph/limits"
	"foresight/internal/fault"
)

func newExecutor(c limits.Config, introspect bool) *executor.Executor {
	e := executor.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: &testgraph.Resolver{}}))
	e.SetErrorPresenter(gqlerr.Presenter(slog.New(slog.NewTextHandler(io.Discard, nil))))
	e.Use(limits.New(c))
	e.Use(limits.Introspection{Allowed: func(context.Context) bool { return introspect }})
	return e
}

func TestCost(t *testing.T) {
	for _, c := range []struct {
		name, query string
		vars        map[string]any
		want        int
	}{
		{"one field", `{hello}`, nil, 1},
		{"aliases count each", `{a:hello b:hello}`, nil, 2},
		{"typename", `{__typename hello}`, nil, 2},
		{"a page multiplies what is below", `{items(first:10){nodes{name}}}`, nil, 1 + 1 + 10},
		{"last is a page, too", `{items(last:7){nodes{name}}}`, nil, 1 + 1 + 7},
		{"page size in a variable", `query($n:Int){items(first:$n){nodes{name}}}`, map[string]any{"n": json.Number("20")}, 1 + 1 + 20},
		{"default of a variable", `query($n:Int=30){items(first:$n){nodes{name}}}`, nil, 1 + 1 + 30},
		{"edges and nodes share the page", `{items(first:10){totalCount edges{cursor node{name}} nodes{name}}}`, nil, 1 + 1 + 1 + 10 + 10 + 10 + 1 + 10},
		{"pages within pages", `{items(first:10){nodes{children(first:5){nodes{name}}}}}`, nil, 1 + 1 + 10 + 10 + 50},
		{"list of unknown length", `{items(first:2){nodes{parts{name}}}}`, nil, 1 + 1 + 2 + 2*10},
		{"list of known length", `{items(first:2){nodes{parts{parts{name}}}}}`, nil, 1 + 1 + 2 + 2*10 + 2*10*10},
		{"list of scalars", `{items(first:2){nodes{tags}}}`, nil, 1 + 1 + 2},
		{"ids that are named", `{byIds(ids:["t-1","t-2","t-3"]){name}}`, nil, 1 + 3},
		{"list that says how many", `{newest(first:4){name}}`, nil, 1 + 4},
		{"list that returns a page", `{newest{name}}`, nil, 1 + 100},
		{"fragments count where they are spread", `{items(first:3){nodes{...f} edges{node{...f}}}} fragment f on Item{name}`, nil, 1 + 1 + 3 + 1 + 3 + 3},
		{"inline fragments", `{...{hello}... on Query{hello}}`, nil, 2},
		{"skipped", `query($n:Boolean!){hello @skip(if:$n) items(first:100) @include(if:false){nodes{name}}}`, map[string]any{"n": true}, 0},
		{"dear field", `{echo(text:"x")}`, nil, 50},
		{"introspection does not multiply", `{__schema{types{fields{name}}}}`, nil, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExecutor(limits.Config{FieldCost: map[string]int{"Query.echo": 50}, ListSize: map[string]int{"Item.parts": 10}}, true)
			r := testgraph.Run(context.Background(), e, c.query, c.vars)
			if len(r.Errors) > 0 {
				t.Fatal(r.Errors)
			}
			if got := r.Extensions["cost"]; got != (limits.Cost{Requested: c.want, Limit: 5000}) {
				t.Errorf("cost %v, want %d", got, c.want)
			}
		})
	}
}

// A list may be longer than a page of a connection.
func TestLongLists(t *testing.T) {
	e := newExecutor(limits.Config{Longest: map[string]int{"Query.newest": 300}}, false)
	for query, want := range map[string]int{`{newest(first:300){name}}`: 1 + 300, `{newest{name}}`: 1 + 300, `{newest(first:301){name}}`: 0, `{items(first:101){nodes{name}}}`: 0} {
		r := testgraph.Run(context.Background(), e, query, nil)
		if got, _ := r.Extensions["cost"].(limits.Cost); want > 0 && (len(r.Errors) > 0 || got.Requested != want) {
			t.Errorf("%s: %v, cost %v, want %d", query, r.Errors, got, want)
		}
		if want == 0 && (len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != "BAD_USER_INPUT") {
			t.Errorf("%s: %v", query, r.Errors)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := "name"
	for range 12 {
		deep = "parts{" + deep + "}"
	}
	aliases := &strings.Builder{}
	for i := range 6 {
		fmt.Fprintf(aliases, "a%d:hello ", i)
	}
	for _, c := range []struct {
		name, query string
		vars        map[string]any
		code, field string
	}{
		{"too deep", `{items(first:1){nodes{` + deep + `}}}`, nil, "COMPLEXITY_LIMIT", ""},
		{"too deep in a fragment", `{items(first:1){nodes{...f}}} fragment f on Item{` + deep + `}`, nil, "COMPLEXITY_LIMIT", ""},
		{"too dear", `{items(first:100){nodes{children(first:100){nodes{name}}}}}`, nil, "COMPLEXITY_LIMIT", ""},
		{"overflow", `{items(first:100){nodes{children(first:100){nodes{children(first:100){nodes{children(first:100){nodes{children(first:100){nodes{name}}}}}}}}}}}`, nil, "COMPLEXITY_LIMIT", ""},
		{"too many aliases", "{" + aliases.String() + "}", nil, "COMPLEXITY_LIMIT", ""},
		{"too many mutations", `mutation{...f} fragment f on Mutation{a:add(n:1) b:add(n:1) c:add(n:1)}`, nil, "COMPLEXITY_LIMIT", ""},
		{"page too large", `{items(first:101){nodes{name}}}`, nil, "BAD_USER_INPUT", "first"},
		{"page of nothing", `{items(last:0){nodes{name}}}`, nil, "BAD_USER_INPUT", "last"},
		{"negative page", `query($n:Int){items(first:$n){nodes{name}}}`, map[string]any{"n": json.Number("-1")}, "BAD_USER_INPUT", "first"},
		{"no page", `{items{nodes{name}}}`, nil, "BAD_USER_INPUT", "first"},
		{"page of null", `query($n:Int){items(first:$n){nodes{name}}}`, map[string]any{"n": nil}, "BAD_USER_INPUT", "first"},
		{"both", `{items(first:1,last:1){nodes{name}}}`, nil, "BAD_USER_INPUT", "last"},
		{"too long", `{hello #` + strings.Repeat("x", 64<<10) + "\n}", nil, "COMPLEXITY_LIMIT", ""},
		{"too many ids", `query($i:[Token!]!){byIds(ids:$i){name}}`, map[string]any{"i": make101()}, "BAD_USER_INPUT", "ids"},
		{"deferred", `{... @defer{hello}}`, nil, "BAD_USER_INPUT", ""},
		{"introspection", `{...f} fragment f on Query{__type(name:"Item"){name}}`, nil, "FORBIDDEN", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExecutor(limits.Config{MaxAliases: 5, MaxRootFields: 2, ListSize: map[string]int{"Item.parts": 1}}, false)
			r := testgraph.Run(context.Background(), e, c.query, c.vars)
			if len(r.Errors) != 1 || r.Data != nil {
				t.Fatalf("%v, data %s", r.Errors, r.Data)
			}
			x := r.Errors[0].Extensions
			f, _ := x["field"].(string)
			if x["code"] != c.code || f != c.field {
				t.Errorf("code %v field %q, want %s %q", x["code"], f, c.code, c.field)
			}
			if len(r.Errors[0].Locations) == 0 && c.name != "too dear" && c.name != "too long" && c.name != "overflow" {
				t.Error("no location")
			}
		})
	}
}

func make101() []any {
	out := make([]any, 101)
	for i := range out {
		out[i] = fmt.Sprint("t-", i)
	}
	return out
}

// Sixty fragments that spread the next one twice are 2^60 fields.
func TestFragmentsThatDoubleAreCheapToRefuse(t *testing.T) {
	var q strings.Builder
	q.WriteString("{...f0}")
	for i := range 60 {
		fmt.Fprintf(&q, " fragment f%d on Query{...f%d ...f%d}", i, i+1, i+1)
	}
	q.WriteString(" fragment f60 on Query{hello}")
	done := make(chan string, 1)
	go func() {
		r := testgraph.Run(context.Background(), newExecutor(limits.Config{}, false), q.String(), nil)
		done <- fmt.Sprint(r.Errors[0].Extensions["code"])
	}()
	select {
	case code := <-done:
		if code != "COMPLEXITY_LIMIT" {
			t.Error(code)
		}
	case <-time.After(time.Minute):
		t.Fatal("still walking")
	}
}

func TestDefaultPage(t *testing.T) {
	r := testgraph.Run(context.Background(), newExecutor(limits.Config{DefaultPage: 20}, false), `{items{nodes{name}}}`, nil)
	if got := r.Extensions["cost"]; got != (limits.Cost{Requested: 22, Limit: 5000}) {
		t.Error(got, r.Errors)
	}
}

func TestTheUsualIntrospectionQueryIsAnswered(t *testing.T) {
	r := testgraph.Run(context.Background(), newExecutor(limits.Config{}, true), introspection.Query, nil)
	if len(r.Errors) > 0 || !strings.Contains(string(r.Data), "ItemConnection") {
		t.Error(r.Errors)
	}
}

// FuzzMeasure: any document is refused in words that people may read, or costs no
// more than the limit.
func FuzzMeasure(f *testing.F) {
	for _, q := range []string{
		`{hello}`, `{a:hello b:hello __typename}`, `query($n:Int=30){items(first:$n){nodes{name children(first:5){nodes{name}}}}}`,
		`{items(first:3){nodes{...f} edges{node{...f}}}} fragment f on Item{name parts{...f}}`, `{byIds(ids:["t-1","t-2"]){name}}`,
		`mutation{...f} fragment f on Mutation{a:add(n:1) b:add(n:1)}`, `subscription{count}`, `{... @defer{hello}}`,
		`{__schema{types{fields{name}}}}`, `query($n:Boolean!){hello @skip(if:$n)}`, `{items(first:-1){nodes{name}}}`,
		`{items(first:99999999999999999999){nodes{name}}}`, "{\"\"\"\xff", `{items(first:100){nodes{children(first:100){nodes{name}}}}}`,
	} {
		f.Add(q, 3)
	}
	c := limits.Config{MaxDepth: 6, MaxCost: 500, MaxAliases: 5}
	e := newExecutor(c, true)
	e.SetParserTokenLimit(500)
	f.Fuzz(func(t *testing.T, query string, n int) {
		ctx := graphql.StartOperationTrace(t.Context())
		oc, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: map[string]any{"n": n}})
		if errs != nil {
			shown, err := json.Marshal(e.DispatchError(graphql.WithOperationContext(ctx, oc), errs))
			if err != nil || !json.Valid(shown) {
				t.Fatalf("%q: %v %s", query, err, shown)
			}
			for _, err := range errs {
				if fault.KindOf(err) == fault.Internal && errors.As(err, new(*fault.Error)) {
					t.Fatalf("%q: %v", query, err)
				}
			}
			return
		}
		cost, ok := oc.Stats.GetExtension(new(limits.Extension).ExtensionName()).(*limits.Cost)
		if !ok || cost.Requested < 0 || cost.Requested > c.MaxCost || len(query) > 64<<10 {
			t.Fatalf("%q is let in at the cost %+v", query, cost)
		}
	})
}

func BenchmarkMeasure(b *testing.B) {
	oc := testgraph.Prepare(context.Background(), newExecutor(limits.Config{}, false),
		`{items(first:50){totalCount edges{cursor node{name tags children(first:5){nodes{name}}}}}}`)
	x := limits.New(limits.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if err := x.MutateOperationContext(context.Background(), oc); err != nil {
			b.Fatal(err)
		}
	}
}
