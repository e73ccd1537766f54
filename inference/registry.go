package inference

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"foresight/inference/artifact"
	champions "foresight/inference/champion"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// RegistryConfig bounds what is loaded. Zero fields take the defaults.
type RegistryConfig struct {
	MaxModels   int           // loaded beside the champion, 10
	MaxBytes    int           // memory of these, estimated, 512 MiB
	LoadTimeout time.Duration // of reading and checking one artifact, 30 s
	RetryAfter  time.Duration // before an artifact that failed is tried again, 15 s
}

func (c RegistryConfig) withDefaults() RegistryConfig {
	if c.MaxModels <= 0 {
		c.MaxModels = 10
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 512 << 20
	}
	if c.LoadTimeout <= 0 {
		c.LoadTimeout = 30 * time.Second
	}
	if c.RetryAfter <= 0 {
		c.RetryAfter = 15 * time.Second
	}
	return c
}

// Registry resolves assets to versions and keeps loaded models, the most recently
// used ones, by tenant and content address. The built-in champions, with which every new
// tenant begins, are shared by all, always loaded, and count for no bound.
type Registry struct {
	config      RegistryConfig
	deployments Deployments
	artifacts   Artifacts
	log         *slog.Logger

	champions   map[string]standing // by kind
	resident    map[string]*loaded  // the champions, by content address
	assignments atomic.Pointer[Assignments]
	loads       singleflight.Group
	loading     chan struct{} // holds one for each load that runs

	mu     sync.Mutex
	recent *list.List             // of *loaded, the most recently used first
	bySlot map[slot]*list.Element // into recent
	bytes  int
	failed map[slot]failure

	loadTotal *prometheus.CounterVec
	loadTook  prometheus.Histogram
	evictions prometheus.Counter
	kept      prometheus.Gauge
	memory    prometheus.Gauge
	hit, miss prometheus.Counter
}

// loaded is a model with the breaker that guards it.
type loaded struct {
	model *Model
	slot  slot // zero for a champion
	guard guard
}

// failure is remembered until the artifact loads, so that a broken one is not read again
// for every reading, and can be told of.
type failure struct {
	err   error
	until time.Time
}

// loadsAtOnce bounds the memory and the processor time that loads take from predictions:
// the largest artifact that is accepted takes about half a gigabyte while it is checked.
const loadsAtOnce = 2

// maxFailures bounds the memory for failures.
const maxFailures = 1000

// standing is a model that ships with the product and serves whoever has deployed
// nothing of its kind.
type standing struct {
	version Version
	loaded  *loaded
}

// builtIn activates the embedded champions, once in a process.
var builtIn = sync.OnceValues(func() (map[string]standing, error) {
	out := map[string]standing{}
	for _, c := range champions.All() {
		bundle, err := artifact.Open(c.Bundle)
		if err != nil {
			return nil, err
		}
		m, err := activateShipped(bundle)
		if err != nil {
			return nil, err
		}
		out[m.Kind()] = standing{Version{ID: c.VersionID(), Label: label(m), Artifact: m.Hash(), Threshold: Threshold(m.Kind())}, &loaded{model: m}}
	}
	return out, nil
})

// NewRegistry loads the champions and returns a registry that assigns them to
// everybody until the first Refresh. deployments and artifacts may be nil: then
// there are the champions alone.
func NewRegistry(c RegistryConfig, d Deployments, a Artifacts, reg prometheus.Registerer, log *slog.Logger) (*Registry, error) {
	shipped, err := builtIn()
	if err != nil {
		return nil, fmt.Errorf("champion: %w", err)
	}
	r := &Registry{
		config: c.withDefaults(), deployments: d, artifacts: a, log: log,
		champions: map[string]standing{}, resident: map[string]*loaded{}, loading: make(chan struct{}, loadsAtOnce),
		recent: list.New(), bySlot: map[slot]*list.Element{}, failed: map[slot]failure{},
		loadTotal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_model_loads_total", Help: "Artifacts read and checked, by result.",
		}, []string{"result"}),
		kept: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_models_loaded", Help: "Models in memory beside the built-in champion.",
		}),
		loadTook: prometheus.NewHistogram(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_model_load_seconds", Help: "Time to read and check an artifact that was loaded.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		})),
		evictions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_model_evictions_total", Help: "Models that made room for others.",
		}),
		memory: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_models_bytes", Help: "Memory of the models beside the built-in champion, estimated.",
		}),
	}
	lookups := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "foresight_model_lookups_total", Help: "Predictions by whether their model was in memory (hit; so counts one whose loading failed a moment ago) or had to be loaded (miss).",
	}, []string{"result"})
	r.hit, r.miss = lookups.WithLabelValues("hit"), lookups.WithLabelValues("miss")
	for kind, c := range shipped {
		c.loaded = &loaded{model: c.loaded.model} // with a breaker of its own
		r.champions[kind], r.resident[c.version.Artifact] = c, c.loaded
	}
	r.assignments.Store(&Assignments{})
	for _, m := range []prometheus.Collector{r.loadTotal, r.kept, r.loadTook, r.evictions, r.memory, lookups} {
		if err := reg.Register(m); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func label(m *Model) string { return m.Kind() + ":" + m.Manifest().Version }

// Threshold is the probability from which on a version of the kind says yes, when nobody
// has chosen one.
func Threshold(kind string) float64 {
	if kind == artifact.FailurePredictor {
		return 0.3
	}
	return 0.5
}

// BuiltIn returns the version of the champion of the kind, false when none ships.
func (r *Registry) BuiltIn(kind string) (Version, bool) {
	c, ok := r.champions[kind]
	return c.version, ok
}

// Resolve returns the version of the kind that serves the asset: the canary of the
// asset, a canary of its tenant, the asset's own production version, its tenant's, or the
// built-in champion. It is false when there is none of all these. For no asset in
// particular (id.Nil) it is what serves the tenant.
func (r *Registry) Resolve(kind string, tenant, asset id.UUID) (Version, bool) {
	if v, ok := r.assignments.Load().resolve(kind, tenant, asset); ok {
		return v, true
	}
	return r.BuiltIn(kind)
}

// Shadow returns the version of the kind that predicts for the asset beside the one that
// serves it, false when there is none.
func (r *Registry) Shadow(kind string, tenant, asset id.UUID) (Version, bool) {
	return r.assignments.Load().shadow(kind, tenant, asset)
}

// Model returns the model of the version, which must be of the kind, loading it when
// needed. Many callers of one artifact cause one load, and a caller whose context ends
// leaves without ending the load.
func (r *Registry) Model(ctx context.Context, kind string, v Version) (*Model, error) {
	l, err := r.get(ctx, kind, v)
	if err != nil {
		return nil, err
	}
	return l.model, nil
}

func (r *Registry) get(ctx context.Context, kind string, v Version) (*loaded, error) {
	if l, err := r.known(kind, v); l != nil || err != nil {
		return l, err
	}
	result := r.loads.DoChan(v.Tenant.String()+" "+v.Artifact, func() (any, error) {
		if l, err := r.cached(v.slot()); l != nil || err != nil { // somebody was faster
			return l, err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.LoadTimeout)
		defer cancel()
		select {
		case r.loading <- struct{}{}:
			defer func() { <-r.loading }()
			return r.load(ctx, v)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-result:
		if got.Err != nil {
			return nil, got.Err
		}
		return got.Val.(*loaded).of(kind, v)
	}
}

// known returns the model when it is in memory, or the failure that still counts, or
// neither.
func (r *Registry) known(kind string, v Version) (*loaded, error) {
	l, err := r.resident[v.Artifact], error(nil)
	if l == nil {
		l, err = r.cached(v.slot())
	}
	if l == nil {
		return nil, err
	}
	return l.of(kind, v)
}

// of refuses a model of another kind than the deployment is for.
func (l *loaded) of(kind string, v Version) (*loaded, error) {
	if have := l.model.Kind(); have != kind {
		return nil, fmt.Errorf("version %s: %w: %s in place of %s", v.Label, ErrKind, have, kind)
	}
	return l, nil
}

// cached returns the loaded model, or the failure that still counts, or neither.
func (r *Registry) cached(s slot) (*loaded, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.bySlot[s]; ok {
		r.recent.MoveToFront(e)
		return e.Value.(*loaded), nil
	}
	if f, ok := r.failed[s]; ok && time.Now().Before(f.until) {
		return nil, f.err
	}
	return nil, nil
}

// Check fails with the error of a version that serves somebody and could not be loaded
// when it was last asked for. What nobody has asked for is not looked at, and shadows
// serve nobody.
func (r *Registry) Check() error {
	a := *r.assignments.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failed) == 0 {
		return nil
	}
	for _, s := range a {
		for v := range s.serving() {
			if f, ok := r.failed[v.slot()]; ok {
				return f.err
			}
		}
	}
	return nil
}

// load reads, checks and keeps the model of the version.
func (r *Registry) load(ctx context.Context, v Version) (*loaded, error) {
	begin := time.Now()
	ctx = obs.WithAbout(ctx, obs.About{ModelVersion: v.ID})
	m, err := r.read(ctx, &v)
	if err != nil {
		r.loadTotal.WithLabelValues("failed").Inc()
		r.log.ErrorContext(ctx, "model not loaded", "label", v.Label, "artifact", v.Artifact, "error", err)
		err = fmt.Errorf("version %s: %w", v.Label, err)
		r.mu.Lock()
		if len(r.failed) >= maxFailures {
			clear(r.failed)
		}
		r.failed[v.slot()] = failure{err, time.Now().Add(r.config.RetryAfter)}
		r.mu.Unlock()
		return nil, err
	}
	r.loadTotal.WithLabelValues("loaded").Inc()
	r.loadTook.Observe(time.Since(begin).Seconds())
	r.log.InfoContext(ctx, "model loaded", "label", v.Label, "artifact", v.Artifact, "bytes", m.Bytes(), "took", time.Since(begin))
	return r.keep(m, v.slot()), nil
}

func (r *Registry) read(ctx context.Context, v *Version) (*Model, error) {
	if r.artifacts == nil {
		return nil, errors.New("inference: no artifact store")
	}
	// Whoever asked first, it is for all assets that the version serves.
	raw, err := r.artifacts.Artifact(tenancy.AsSystem(ctx, v.Tenant), v.Artifact)
	if err != nil {
		return nil, err
	}
	if got := artifact.HashOf(raw); got != v.Artifact {
		return nil, fmt.Errorf("%w: content has hash %.12s, want %.12s", artifact.ErrInvalid, got, v.Artifact)
	}
	b, err := artifact.Open(raw)
	if err != nil {
		return nil, err
	}
	return Activate(b)
}

// keep puts the model in front and drops the least recently used ones beyond the
// bounds; a prediction that runs on a dropped one ends well.
func (r *Registry) keep(m *Model, at slot) *loaded {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &loaded{model: m, slot: at}
	delete(r.failed, at)
	r.bySlot[at] = r.recent.PushFront(l)
	r.bytes += m.Bytes()
	for r.recent.Len() > 1 && (r.recent.Len() > r.config.MaxModels || r.bytes > r.config.MaxBytes) {
		last := r.recent.Back()
		old := r.recent.Remove(last).(*loaded)
		delete(r.bySlot, old.slot)
		r.bytes -= old.model.Bytes()
		r.evictions.Inc()
	}
	r.memory.Set(float64(r.bytes))
	r.kept.Set(float64(r.recent.Len()))
	return l
}
