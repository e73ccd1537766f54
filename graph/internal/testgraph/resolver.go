package testgraph

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"foresight/internal/fault"
)

// Resolver answers the test schema. Running counts the subscriptions and hanging
// queries whose resolver has not ended.
type Resolver struct {
	Running atomic.Int64
	Added   atomic.Int64
	// TooSlow is called by the subscription `slow` after its first item.
	TooSlow func(context.Context)
}

// Secret is text that no answer may contain.
const Secret = "password=hunter2 at /srv/app/db.go"

type (
	query        struct{ *Resolver }
	mutation     struct{ *Resolver }
	subscription struct{ *Resolver }
	item         struct{ *Resolver }
)

func (r *Resolver) Query() QueryResolver               { return query{r} }
func (r *Resolver) Mutation() MutationResolver         { return mutation{r} }
func (r *Resolver) Subscription() SubscriptionResolver { return subscription{r} }
func (r *Resolver) Item() ItemResolver                 { return item{r} }

func (query) Hello(context.Context) (string, error)                  { return "world", nil }
func (query) Echo(_ context.Context, text string) (string, error)    { return text, nil }
func (query) ByToken(_ context.Context, token Token) (string, error) { return string(token), nil }
func (query) Newest(_ context.Context, first *int) ([]*Item, error)  { return items(first, nil), nil }
func (query) ByIds(_ context.Context, ids []Token) ([]*Item, error) { // nil for each unknown
	return make([]*Item, len(ids)), nil
}

func (query) Fail(_ context.Context, how string) (*string, error) {
	switch how {
	case "fault":
		return nil, fmt.Errorf("while reading: %w", fault.Stale("Item").Because(errors.New(Secret)))
	case "list":
		return nil, fault.List{fault.Invalid("input.a", "error.required"), fault.Invalid("input.b", "error.required")}
	case "plain":
		return nil, errors.New(Secret)
	case "panic":
		panic(Secret)
	case "cancelled":
		return nil, fmt.Errorf("%s: %w", Secret, context.Canceled)
	case "called internal":
		return nil, fault.New(fault.Internal, "error.internal").Because(fmt.Errorf("%s: %w", Secret, context.Canceled))
	case "late":
		return nil, fmt.Errorf("%s: %w", Secret, context.DeadlineExceeded)
	}
	return nil, nil
}

func (query) Items(_ context.Context, first *int, _ *string, last *int, _ *string) (*ItemConnection, error) {
	return connection(items(first, last)), nil
}

func (q query) Hang(ctx context.Context) (string, error) {
	q.Running.Add(1)
	defer q.Running.Add(-1)
	<-ctx.Done()
	return "", ctx.Err()
}

func (item) Parts(context.Context, *Item) ([]*Item, error) { return items(nil, nil), nil }
func (item) Tags(context.Context, *Item) ([]string, error) { return []string{"a"}, nil }
func (item) Children(_ context.Context, _ *Item, first *int, _ *string, last *int, _ *string) (*ItemConnection, error) {
	return connection(items(first, last)), nil
}

func (m mutation) Add(_ context.Context, n int) (int, error) { return int(m.Added.Add(int64(n))), nil }

func (s subscription) Count(ctx context.Context, to int) (<-chan int, error) {
	return stream(ctx, s.Resolver, func(i int) (int, bool) { return i, i < to }), nil
}

func (s subscription) Silent(ctx context.Context) (<-chan int, error) {
	out := make(chan int)
	s.Running.Add(1)
	go func() {
		defer s.Running.Add(-1)
		defer close(out)
		<-ctx.Done()
	}()
	return out, nil
}

func (s subscription) Flood(ctx context.Context, size int) (<-chan string, error) {
	pad := strings.Repeat("x", size)
	return stream(ctx, s.Resolver, func(i int) (string, bool) { return strconv.Itoa(i) + pad, true }), nil
}

func (s subscription) Slow(ctx context.Context) (<-chan int, error) {
	return stream(ctx, s.Resolver, func(i int) (int, bool) {
		if i > 0 {
			s.TooSlow(ctx)
			<-ctx.Done()
		}
		return i, true
	}), nil
}

func (subscription) Refused(context.Context) (<-chan int, error) {
	return nil, fault.Denied("items:read")
}

func (subscription) Broken(context.Context) (<-chan int, error) { panic(Secret) }

func stream[T any](ctx context.Context, r *Resolver, at func(int) (T, bool)) <-chan T {
	out := make(chan T)
	r.Running.Add(1)
	go func() {
		defer r.Running.Add(-1)
		defer close(out)
		for i := 0; ; i++ {
			v, ok := at(i)
			if !ok {
				return
			}
			select {
			case out <- v:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func items(first, last *int) []*Item {
	n := 1
	if first != nil {
		n = *first
	} else if last != nil {
		n = *last
	}
	out := make([]*Item, max(n, 0))
	for i := range out {
		out[i] = &Item{Name: "item " + strconv.Itoa(i)}
	}
	return out
}

func connection(is []*Item) *ItemConnection {
	c := &ItemConnection{Nodes: is, TotalCount: len(is)}
	for _, i := range is {
		c.Edges = append(c.Edges, &ItemEdge{Cursor: i.Name, Node: i})
	}
	return c
}
