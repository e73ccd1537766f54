package limits_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/graph/gqlerr"
	"foresight/graph/internal/testgraph"
	"foresight/graph/limits"
	"foresight/internal/id"
	"foresight/internal/limit"
	"foresight/internal/tenancy"
)

// clock is a time that passes when it is told to.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func budgeted(q limits.Quota, c *clock) *executor.Executor {
	e := executor.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: &testgraph.Resolver{}}))
	e.SetErrorPresenter(gqlerr.Presenter(slog.New(slog.NewTextHandler(io.Discard, nil))))
	e.Use(limits.New(limits.Config{MaxCost: 20, DefaultPage: 20}))
	e.Use(&limits.Budget{Buckets: limit.New(c.Now), MaxCost: 20, Quota: func(context.Context) (limits.Quota, error) { return q, nil }})
	return e
}

func TestBudgets(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	e := budgeted(limits.Quota{Tenant: limit.Rate{Capacity: 100, PerSecond: 10}}, c) // a credential has 50, and 5 a second
	tenant, other := id.New(id.Tenant), id.New(id.Tenant)
	ada, bob, eve := &tenancy.Actor{Kind: tenancy.Person, ID: id.New(id.User), TenantID: tenant},
		&tenancy.Actor{Kind: tenancy.Client, ID: id.New(id.OAuthClient), TenantID: tenant}, &tenancy.Actor{Kind: tenancy.Person, ID: id.New(id.User), TenantID: other}
	ask := func(a *tenancy.Actor, n int) *graphql.Response {
		ctx := context.Background()
		if a != nil {
			ctx = tenancy.With(ctx, a)
		}
		return testgraph.Run(ctx, e, `query($n: Int) { items(first: $n) { nodes { name } } }`, map[string]any{"n": n})
	}
	left := func(r *graphql.Response) int {
		t.Helper()
		if len(r.Errors) > 0 {
			t.Fatal(r.Errors)
		}
		return *r.Extensions["cost"].(limits.Cost).Remaining
	}
	refused := func(r *graphql.Response, seconds int) {
		t.Helper()
		if len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != "RATE_LIMITED" || r.Errors[0].Extensions[limits.RetryAfter] != seconds {
			t.Errorf("want RATE_LIMITED for %d s: %v", seconds, r.Errors)
		}
	}
	if n := left(ask(ada, 18)); n != 30 { // costs 20
		t.Errorf("%d left of 50", n)
	}
	if cost := ask(ada, 18).Extensions["cost"].(limits.Cost); *cost.Remaining != 10 || *cost.Capacity != 50 || !cost.ResetsAt.Equal(c.now.Add(8*time.Second)) || cost.Requested != 20 || cost.Limit != 20 {
		t.Errorf("cost %+v", cost)
	}
	refused(ask(ada, 18), 2) // 10 points, 5 a second
	if n := left(ask(ada, 8)); n != 0 {
		t.Errorf("what is refused costs: %d left of 10", n)
	}
	if n := left(ask(bob, 18)); n != 30 {
		t.Errorf("another credential: %d left of 50", n)
	}
	left(ask(bob, 18))
	if n := left(ask(bob, 8)); n != 0 {
		t.Errorf("the tenant has %d left", n)
	}
	c.now = c.now.Add(2 * time.Second) // 10 each for the credentials, 20 for both together
	left(ask(ada, 8))
	left(ask(bob, 8))
	c.now = c.now.Add(time.Second)
	refused(ask(ada, 8), 1)
	if n := left(ask(eve, 18)); n != 30 {
		t.Errorf("another tenant pays: %d left of 50", n)
	}
	if r := ask(nil, 18); len(r.Errors) > 0 || r.Extensions["cost"].(limits.Cost).Remaining != nil {
		t.Errorf("nobody has a budget: %v", r.Extensions)
	}
	c.now = c.now.Add(time.Hour)
	if n := left(ask(ada, 18)); n != 30 {
		t.Errorf("after an hour %d left of 50", n)
	}
	// A page that is not named costs what it gives.
	if r := testgraph.Run(tenancy.With(context.Background(), ada), e, `{ items { nodes { name } } }`, nil); len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != "COMPLEXITY_LIMIT" {
		t.Errorf("22 points of 20: %v", r.Errors)
	}
}

// The tenant's bucket bounds credentials that are within their own.
func TestTheTenantBoundsItsCredentials(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	e := budgeted(limits.Quota{Tenant: limit.Rate{Capacity: 40, PerSecond: 10}}, c)
	tenant := id.New(id.Tenant)
	codes := map[any]int{}
	for range 5 { // each has 20 of its own
		a := &tenancy.Actor{Kind: tenancy.APIKey, ID: id.New(id.APIKey), TenantID: tenant}
		r := testgraph.Run(tenancy.With(context.Background(), a), e, `{ items(first: 18) { nodes { name } } }`, nil)
		var code any
		if len(r.Errors) > 0 {
			code = r.Errors[0].Extensions["code"]
		}
		codes[code]++
	}
	if codes[nil] != 2 || codes["RATE_LIMITED"] != 3 {
		t.Errorf("%v", codes)
	}
}

func TestQuotas(t *testing.T) {
	free, standard, enterprise := limits.QuotaOf(enum.PlanFree, settings.Tenant{}), limits.QuotaOf(enum.PlanStandard, settings.Tenant{}), limits.QuotaOf(enum.PlanEnterprise, settings.DefaultTenant())
	if !(free.Tenant.PerSecond < standard.Tenant.PerSecond && standard.Tenant.PerSecond < enterprise.Tenant.PerSecond) {
		t.Errorf("plans %v %v %v", free, standard, enterprise)
	}
	if q := limits.QuotaOf(enum.PlanFree, settings.Tenant{GraphPointBurst: 7, GraphPointsPerSecond: 3}); q.Tenant != (limit.Rate{Capacity: 7, PerSecond: 3}) || q.Credential() != (limit.Rate{Capacity: 4, PerSecond: 1.5}) {
		t.Errorf("a quota of its own: %v %v", q, q.Credential())
	}
	if q := limits.QuotaOf("unheard of", settings.Tenant{}); q != free {
		t.Errorf("an unknown plan: %v", q)
	}
	asked := 0
	q := limits.Cached(func(context.Context) (limits.Quota, error) { asked++; return free, nil }, time.Hour)
	for _, tenant := range []id.UUID{id.New(id.Tenant), id.New(id.Tenant)} {
		for range 3 {
			if got, err := q(tenancy.AsSystem(t.Context(), tenant)); err != nil || got != free {
				t.Errorf("%v %v", got, err)
			}
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times for 2 tenants", asked)
	}
}
