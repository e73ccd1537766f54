package explain

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// Artifacts reads artifacts by content address: those of the tenant of the context, and
// those that are everybody's. A missing one is an error. An inference.Artifacts is one.
type Artifacts interface {
	Artifact(ctx context.Context, hash string) ([]byte, error)
}

// Explainer explains the answers of one artifact.
type Explainer struct {
	Manifest *artifact.Manifest // of the first booster; shared, not to be changed
	models   []horizon
}

// horizon is a model with how far it looks ahead, in days.
type horizon struct {
	days  int
	model *Model
}

// Model returns the only model of an artifact, or the first one.
func (e *Explainer) Model() *Model { return e.models[0].model }

// Horizon returns the model that looks so many days ahead, and false when the artifact
// has none such.
func (e *Explainer) Horizon(days int) (*Model, bool) {
	for _, h := range e.models {
		if h.days == days {
			return h.model, true
		}
	}
	return nil, false
}

// NewExplainer reads all models of an artifact.
func NewExplainer(b *artifact.Bundle) (*Explainer, error) {
	e := &Explainer{Manifest: &b.Manifest}
	for _, one := range b.Boosters {
		m, err := New(one)
		if err != nil {
			return nil, fmt.Errorf("booster %q: %w", one.Name, err)
		}
		e.models = append(e.models, horizon{one.Horizon, m})
	}
	return e, nil
}

// Bytes estimates the memory that it takes.
func (e *Explainer) Bytes() (n int) {
	for _, h := range e.models {
		n += h.model.Bytes()
	}
	return n
}

// ShelfOptions bound what is kept; zero fields take the values named.
type ShelfOptions struct {
	Artifacts Artifacts
	MaxBytes  int           // of memory, estimated (256 MiB); the last one asked for is kept in any case
	Timeout   time.Duration // of reading one artifact (30 s)
	// RetryAfter is how long an artifact that could not be read is not tried again (15 s).
	RetryAfter time.Duration
	Registerer prometheus.Registerer // nil: no metrics
}

// maxShelved bounds the explainers and failures that are remembered.
const maxShelved = 256

// Shelf keeps explainers, the most recently used ones, by tenant and content address;
// those of the champions are shared by all tenants. They are apart from the models that serve: a look at an old alarm must not drive a model out
// that predictions need. One artifact is read at a time, since reading takes several
// times the memory of what stays. It is safe for concurrent use.
type Shelf struct {
	opt     ShelfOptions
	loads   singleflight.Group
	reading chan struct{}

	mu    sync.Mutex
	kept  *simplelru.LRU[place, shelved]
	bytes int

	loaded *prometheus.CounterVec // by result
	took   prometheus.Observer
	memory prometheus.Gauge
}

// place is where an explainer is kept: one of a tenant's artifact is no other's, whatever
// address that one names.
type place struct {
	tenant id.UUID // Nil: everybody's
	hash   string
}

func placeOf(ctx context.Context, hash string) place {
	for _, c := range champion.All() {
		if c.Hash() == hash {
			return place{hash: hash}
		}
	}
	tenant, _ := tenancy.ID(ctx)
	return place{tenant, hash}
}

// shelved is an explainer, or the reason why there is none.
type shelved struct {
	explainer *Explainer
	err       error
	until     time.Time // of an error
}

// NewShelf returns an empty shelf.
func NewShelf(o ShelfOptions) *Shelf {
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = 15 * time.Second
	}
	s := &Shelf{opt: o, reading: make(chan struct{}, 1),
		loaded: obs.NewCounter(o.Registerer, "explainers", "loads_total", "Artifacts read to explain their answers, by result.", "result"),
		took: obs.NewHistogram(o.Registerer, "explainers", "load_seconds", "Time to read an artifact to explain its answers.",
			[]float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}).WithLabelValues(),
		memory: obs.NewGauge(o.Registerer, "explainers", "bytes", "Memory of what explains answers, estimated.").WithLabelValues(),
	}
	// An error would say that the size is not above 0.
	s.kept, _ = simplelru.NewLRU(maxShelved, func(_ place, v shelved) { s.bytes -= v.bytes() })
	return s
}

func (v shelved) bytes() int {
	if v.explainer == nil {
		return 0
	}
	return v.explainer.Bytes()
}

// Explainer returns that of the artifact, for the tenant of the context, reading it when
// needed. Many callers of one
// artifact cause one reading; a caller whose context ends leaves without ending it.
func (s *Shelf) Explainer(ctx context.Context, hash string) (*Explainer, error) {
	at := placeOf(ctx, hash)
	if v, ok := s.get(at); ok {
		return v.explainer, v.err
	}
	result := s.loads.DoChan(at.tenant.String()+" "+hash, func() (any, error) {
		if v, ok := s.get(at); ok { // somebody was faster
			return v.explainer, v.err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Timeout)
		defer cancel()
		return s.load(ctx, at)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-result:
		if got.Err != nil {
			return nil, got.Err
		}
		return got.Val.(*Explainer), nil
	}
}

func (s *Shelf) get(at place) (shelved, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.kept.Get(at)
	if ok && v.err != nil && !time.Now().Before(v.until) {
		s.kept.Remove(at)
		return shelved{}, false
	}
	return v, ok
}

func (s *Shelf) load(ctx context.Context, at place) (*Explainer, error) {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	begin := time.Now()
	e, err := s.read(ctx, at.hash)
	if err != nil {
		err = fmt.Errorf("explain: artifact %.12s: %w", at.hash, err)
		s.loaded.WithLabelValues("failed").Inc()
		s.keep(at, shelved{err: err, until: time.Now().Add(s.opt.RetryAfter)})
		return nil, err
	}
	s.loaded.WithLabelValues("loaded").Inc()
	s.took.Observe(time.Since(begin).Seconds())
	s.keep(at, shelved{explainer: e})
	return e, nil
}

func (s *Shelf) read(ctx context.Context, hash string) (*Explainer, error) {
	raw, err := s.opt.Artifacts.Artifact(ctx, hash)
	if err != nil {
		return nil, err
	}
	if got := artifact.HashOf(raw); got != hash {
		return nil, fmt.Errorf("%w: content has hash %.12s", artifact.ErrInvalid, got)
	}
	b, err := artifact.Open(raw)
	if err != nil {
		return nil, err
	}
	return NewExplainer(b)
}

// keep puts it in front, and drops what was not asked for the longest beyond the bound.
func (s *Shelf) keep(at place, v shelved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Add(at, v)
	s.bytes += v.bytes()
	for s.bytes > s.opt.MaxBytes && s.kept.Len() > 1 {
		s.kept.RemoveOldest()
	}
	s.memory.Set(float64(s.bytes))
}
