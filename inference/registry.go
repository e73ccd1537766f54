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
	"foresight/inference/champion"
	"foresight/internal/id"
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
// used ones, by content address: versions that share an artifact (every new tenant
// begins with the champion's) share the model. The champion is always loaded and
// counts for no bound.
type Registry struct {
	config      RegistryConfig
	deployments Deployments
	artifacts   Artifacts
	log         *slog.Logger

	champion    *loaded
	builtIn     Version
	assignments atomic.Pointer[Assignments]
	loads       singleflight.Group

	mu     sync.Mutex
	recent *list.List               // of *loaded, the most recently used first
	byHash map[string]*list.Element // into recent
	bytes  int
	failed map[string]failure

	loadTotal *prometheus.CounterVec
	resident  prometheus.Gauge
}

// loaded is a model with the breaker that guards it.
type loaded struct {
	model *Model
	guard guard
}

// failure is remembered, so that a broken artifact is not read again for every reading.
type failure struct {
	err   error
	until time.Time
}

// maxFailures bounds the memory for failures.
const maxFailures = 1000

// builtIn activates the embedded champion, once in a process.
var builtIn = sync.OnceValues(func() (*Model, error) {
	bundle, err := artifact.Open(champion.Bundle())
	if err != nil {
		return nil, err
	}
	return Activate(bundle)
})

// NewRegistry loads the champion and returns a registry that assigns it to
// everybody until the first Refresh. deployments and artifacts may be nil: then
// there is the champion alone.
func NewRegistry(c RegistryConfig, d Deployments, a Artifacts, reg prometheus.Registerer, log *slog.Logger) (*Registry, error) {
	model, err := builtIn()
	if err != nil {
		return nil, fmt.Errorf("champion: %w", err)
	}
	r := &Registry{
		config: c.withDefaults(), deployments: d, artifacts: a, log: log,
		champion: &loaded{model: model},
		builtIn:  Version{ID: champion.VersionID(), Label: label(model), Artifact: model.Hash()},
		recent:   list.New(), byHash: map[string]*list.Element{}, failed: map[string]failure{},
		loadTotal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_model_loads_total", Help: "Artifacts read and checked, by result.",
		}, []string{"result"}),
		resident: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_models_loaded", Help: "Models in memory beside the built-in champion.",
		}),
	}
	r.assignments.Store(&Assignments{})
	for _, m := range []prometheus.Collector{r.loadTotal, r.resident} {
		if err := reg.Register(m); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func label(m *Model) string { return m.manifest.Kind + ":" + m.manifest.Version }

// BuiltIn returns the champion's version.
func (r *Registry) BuiltIn() Version { return r.builtIn }

// Refresh reads the assignments anew and swaps them in one step. On an error the
// old ones stay.
func (r *Registry) Refresh(ctx context.Context) error {
	if r.deployments == nil {
		return nil
	}
	a, err := r.deployments.Assignments(ctx)
	if err != nil {
		return fmt.Errorf("inference: assignments: %w", err)
	}
	r.assignments.Store(a)
	return nil
}

// Resolve returns the version that serves the asset: its own binding, else its
// tenant's deployment, else the champion.
func (r *Registry) Resolve(tenant, asset id.UUID) Version {
	a := r.assignments.Load()
	if v, ok := a.Assets[AssetRef{tenant, asset}]; ok {
		return v
	}
	if v, ok := a.Tenants[tenant]; ok {
		return v
	}
	return r.builtIn
}

// Model returns the model of the version, loading it when needed. Many callers of
// one artifact cause one load, and a caller whose context ends leaves without
// ending the load.
func (r *Registry) Model(ctx context.Context, v Version) (*Model, error) {
	l, err := r.get(ctx, v)
	if err != nil {
		return nil, err
	}
	return l.model, nil
}

func (r *Registry) get(ctx context.Context, v Version) (*loaded, error) {
	if v.Artifact == r.champion.model.hash {
		return r.champion, nil
	}
	if l, err := r.cached(v.Artifact); l != nil || err != nil {
		return l, err
	}
	result := r.loads.DoChan(v.Artifact, func() (any, error) {
		if l, err := r.cached(v.Artifact); l != nil || err != nil { // somebody was faster
			return l, err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.LoadTimeout)
		defer cancel()
		return r.load(ctx, v)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-result:
		if got.Err != nil {
			return nil, got.Err
		}
		return got.Val.(*loaded), nil
	}
}

// cached returns the loaded model, or the failure that still counts, or neither.
func (r *Registry) cached(hash string) (*loaded, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byHash[hash]; ok {
		r.recent.MoveToFront(e)
		return e.Value.(*loaded), nil
	}
	if f, ok := r.failed[hash]; ok {
		if time.Now().Before(f.until) {
			return nil, f.err
		}
		delete(r.failed, hash)
	}
	return nil, nil
}

// load reads, checks and keeps the model of the version.
func (r *Registry) load(ctx context.Context, v Version) (*loaded, error) {
	begin := time.Now()
	m, err := r.read(ctx, v.Artifact)
	if err != nil {
		r.loadTotal.WithLabelValues("failed").Inc()
		r.log.ErrorContext(ctx, "model not loaded", "version", v.ID, "label", v.Label, "artifact", v.Artifact, "error", err)
		err = fmt.Errorf("version %s: %w", v.Label, err)
		r.mu.Lock()
		if len(r.failed) >= maxFailures {
			clear(r.failed)
		}
		r.failed[v.Artifact] = failure{err, time.Now().Add(r.config.RetryAfter)}
		r.mu.Unlock()
		return nil, err
	}
	r.loadTotal.WithLabelValues("loaded").Inc()
	r.log.InfoContext(ctx, "model loaded", "version", v.ID, "label", v.Label, "artifact", v.Artifact, "bytes", m.Bytes(), "took", time.Since(begin))
	return r.keep(m), nil
}

func (r *Registry) read(ctx context.Context, hash string) (*Model, error) {
	if r.artifacts == nil {
		return nil, errors.New("inference: no artifact store")
	}
	raw, err := r.artifacts.Artifact(ctx, hash)
	if err != nil {
		return nil, err
	}
	if got := artifact.HashOf(raw); got != hash {
		return nil, fmt.Errorf("%w: content has hash %.12s, want %.12s", artifact.ErrInvalid, got, hash)
	}
	b, err := artifact.Open(raw)
	if err != nil {
		return nil, err
	}
	return Activate(b)
}

// keep puts the model in front and drops the least recently used ones beyond the
// bounds; a prediction that runs on a dropped one ends well.
func (r *Registry) keep(m *Model) *loaded {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &loaded{model: m}
	r.byHash[m.hash] = r.recent.PushFront(l)
	r.bytes += m.Bytes()
	for r.recent.Len() > 1 && (r.recent.Len() > r.config.MaxModels || r.bytes > r.config.MaxBytes) {
		last := r.recent.Back()
		old := r.recent.Remove(last).(*loaded)
		delete(r.byHash, old.model.hash)
		r.bytes -= old.model.Bytes()
	}
	r.resident.Set(float64(r.recent.Len()))
	return l
}
