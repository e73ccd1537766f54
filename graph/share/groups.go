package share

import (
	"context"
	"log/slog"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/obs/tracing"
)

// Options of Groups.
type Options struct {
	// Fields are the subscriptions that are shared; others run once for each who asks.
	Fields Fields
	// View tells on whose behalf an operation runs, in its context; false: it is not
	// shared with anybody.
	View func(context.Context, *graphql.OperationContext) (View, bool)
	// Encode appends a response as JSON.
	Encode func([]byte, *graphql.Response) ([]byte, error)
	// Kept bounds the live items that are kept back for a subscriber while it is given
	// its snapshot; 1024 when zero.
	Kept int

	Tracer     *tracing.Tracer       // nil: nothing is followed
	Log        *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // no metrics when nil
}

// Groups are the shared subscriptions of a process. They are safe for concurrent use.
type Groups struct {
	o       Options
	metrics *metrics
	base    context.Context // of every group: they outlive who began them
	stop    context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	open map[string]*group
}

// New returns no groups yet. Close them.
func New(o Options) *Groups {
	if o.Kept == 0 {
		o.Kept = 1024
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	g := &Groups{o: o, metrics: newMetrics(o.Registerer), open: map[string]*group{}}
	g.base, g.stop = context.WithCancel(context.Background())
	return g
}

// Close ends what still runs and waits for it; disconnect the subscribers before.
func (g *Groups) Close() {
	g.stop()
	g.running.Wait()
}

// Ticket is a prepared operation that is shared.
type Ticket struct {
	groups *Groups
	exec   graphql.GraphExecutor
	oc     *graphql.OperationContext
	view   View
	request
}

// Ticket returns how the operation joins those that are the same, nil when it is not
// shared. The context is the one in which the operation was prepared.
func (g *Groups) Ticket(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext) *Ticket {
	if g == nil {
		return nil
	}
	v, ok := g.o.View(ctx, oc)
	if !ok {
		return nil
	}
	r, ok := g.o.Fields.request(oc, v)
	if !ok {
		return nil
	}
	oc.Headers = nil // of a person; the others see the same without
	return &Ticket{groups: g, exec: exec, oc: oc, view: v, request: r}
}

// enter returns the group of the ticket, which it begins when there is none, and
// counts another user; leave by exit.
func (t *Ticket) enter() *group {
	g := t.groups
	g.mu.Lock()
	defer g.mu.Unlock()
	of, ok := g.open[t.key]
	if !ok {
		of = &group{groups: g, key: t.key, exec: t.exec, oc: t.oc, ready: make(chan struct{})}
		of.ctx, of.cancel = context.WithCancel(t.view.Dress(g.base))
		g.open[t.key] = of
		g.metrics.groups.Inc()
		g.running.Go(of.run)
	}
	of.users++
	return of
}

// exit takes a user away, and ends the group with the last.
func (g *Groups) exit(of *group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if of.users--; of.users == 0 {
		of.cancel()
		g.forget(of)
	}
}

// forget has the next who asks for the same begin another group; the lock is held.
func (g *Groups) forget(of *group) {
	if g.open[of.key] == of {
		delete(g.open, of.key)
	}
}

// refuse presents an error that came instead of a result.
func refuse(ctx context.Context, exec graphql.GraphExecutor, err error) gqlerror.List {
	return exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)}).Errors
}
