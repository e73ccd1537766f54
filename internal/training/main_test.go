package training_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/features"
	dataset "foresight/inference/training"
	"foresight/internal/artifacts"
	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/bus"
	"foresight/internal/fault"
	"foresight/internal/hub"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/modelops"
	"foresight/internal/postgres"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/internal/training"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// trainerBinary builds the real trainer, once.
var trainerBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "foresight-training-test")
	if err != nil {
		return "", err
	}
	testkit.AtEnd(func() error { return os.RemoveAll(dir) })
	path := filepath.Join(dir, training.TrainerName)
	build := exec.Command("go", "build", "-tags", "xgboost", "-o", path, "foresight/tools/trainer")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the trainer: %w\n%s", err, out)
	}
	return path, nil
})

// realTrainer is the trainer as it ships. Where there is no libxgboost the test is
// skipped, as everything but training works there.
func realTrainer(t testing.TB) *training.Trainer {
	t.Helper()
	found := false
	for _, pattern := range []string{"/usr/lib/*/libxgboost.so", "/usr/lib/libxgboost.so", "/usr/local/lib/libxgboost.so"} {
		at, _ := filepath.Glob(pattern)
		found = found || len(at) > 0
	}
	if !found {
		t.Skip("no libxgboost here")
	}
	path, err := trainerBinary()
	if err != nil {
		t.Fatal(err)
	}
	return &training.Trainer{Path: path}
}

// world is a plant of two tenants with a model that has a small training set.
type world struct {
	testing.TB
	*training.Service
	options      training.Options
	jobs         *bulk.Service
	queue        *jobs.Queue
	owner        *pgxpool.Pool
	app, worker  *pgxpool.Pool
	orm          *ent.Client
	store        *pgstore.Store
	files        *blob.Store
	at           map[string]string // addresses
	artifacts    *artifacts.Store
	hub          *hub.Hub
	acme, globex testkit.Plant
	model        id.UUID // acme's fault classifier
	base         id.UUID // its version in production
	original     string  // hash of what that was trained on
}

// newWorld is a world in which nobody works the jobs.
func newWorld(t testing.TB, change func(*training.Options)) *world {
	t.Helper()
	db := testkit.NewDB(t)
	w := &world{TB: t}
	w.acme, w.globex = testkit.TwoTenants(t, db)
	url, err := blob.DirURL(t.TempDir())
	w.ok(err)
	w.owner, err = pgxpool.New(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(w.owner.Close)
	w.open(map[string]string{"app": db.AppDSN, "worker": db.WorkerDSN, "files": url, "dir": t.TempDir()}, change)
	return w
}

// elsewhere is another process' view of a world.
func elsewhere(t testing.TB, at map[string]string) *world {
	w := &world{TB: t}
	w.open(at, func(o *training.Options) { o.Trainer = &training.Trainer{Path: at["trainer"]} })
	return w
}

// open opens what a process of the world has.
func (w *world) open(at map[string]string, change func(*training.Options)) {
	w.Helper()
	log := slog.New(slog.DiscardHandler)
	w.at = at
	for name, pool := range map[string]**pgxpool.Pool{"app": &w.app, "worker": &w.worker} {
		p, err := postgres.Open(w.Context(), at[name], postgres.Options{MaxConns: 8})
		w.ok(err)
		w.Cleanup(p.Close)
		*pool = p
	}
	b, err := bus.Connect(w.Context(), bus.Options{InProcess: testkit.NATS(w), Log: log})
	w.ok(err)
	w.Cleanup(func() { w.stop(b.Close) })
	w.hub = hub.New(b.Conn(), hub.Options{Log: log})
	w.Cleanup(func() { _ = w.hub.Close() })
	w.files, err = blob.Open(w.Context(), at["files"])
	w.ok(err)
	w.Cleanup(func() { _ = w.files.Close() })
	w.queue, err = jobs.NewQueue(w.app)
	w.ok(err)
	orm := postgres.OpenDB(w.app)
	w.Cleanup(func() { _ = orm.Close() })
	w.orm = postgres.Client(orm)
	w.store = pgstore.New(w.worker, w.app)
	w.artifacts = artifacts.New(w.files)
	w.jobs = bulk.New(bulk.Options{App: w.app, Queue: w.queue, Events: w.hub, Files: w.files, Store: w.store, Log: log})
	w.options = training.Options{ORM: w.orm, App: w.app, Queue: w.queue, Jobs: w.jobs, Store: w.store, Files: w.files, Artifacts: w.artifacts,
		Versions: register{modelops.NewVersions(orm, w.artifacts, nil)}, Dir: at["dir"], Limits: training.Limits{Lost: 5 * time.Minute, Threads: 1}, Log: log}
	if change != nil {
		change(&w.options)
	}
	if w.options.Trainer == nil {
		w.options.Trainer = realTrainer(w)
	}
	w.Service = training.New(w.options)
}

// register is what internal/app makes of the register of versions.
type register struct{ *modelops.Versions }

// Register implements training.Versions.
func (r register) Register(ctx context.Context, c training.Candidate) (*ent.MLModelVersion, error) {
	return r.Versions.Register(ctx, modelops.NewVersion{Model: c.Model, Bundle: c.Bundle, DatasetHash: c.DatasetHash, TrainingRun: c.Run})
}

// work starts a runner, as another process would; it stops after the test.
func (w *world) work() *jobs.Runner {
	w.Helper()
	return w.workOf(w.Service)
}

func (w *world) workOf(s *training.Service) *jobs.Runner {
	w.Helper()
	r := jobs.NewRunner(jobs.Options{Pool: w.worker, Lengthy: 1, Log: slog.New(slog.DiscardHandler)})
	s.Work(r)
	w.ok(r.Start(w.Context()))
	w.Cleanup(func() { w.stop(r.Stop) })
	return r
}

func (w *world) stop(f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), testkit.Patience)
	defer cancel()
	if err := f(ctx); err != nil {
		w.Error(err)
	}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// sql changes the database past all policies.
func (w *world) sql(query string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), query, args...)
	w.ok(err)
}

// ask runs a query for one number past all policies.
func (w *world) ask(query string, args ...any) (n int) {
	w.Helper()
	w.ok(w.owner.QueryRow(w.Context(), query, args...).Scan(&n))
	return n
}

func (w *world) engineer() context.Context { return w.acme.As(w.Context(), tenancy.Engineer) }

// install makes a dataset acme's original, and a version trained on it (by the real
// trainer, outside of the product's way) the one in production.
func (w *world) install(d *dataset.Dataset, recipe dataset.Request) *artifact.Bundle {
	w.Helper()
	dir := w.TempDir()
	var raw bytes.Buffer
	hash, err := dataset.Copy(&raw, d)
	w.ok(err)
	recipe.Dataset, recipe.Out, recipe.Kind, recipe.Version, recipe.Objective = filepath.Join(dir, "d"), filepath.Join(dir, "out"), artifact.FaultClassifier, "1.0.0", artifact.Softprob
	w.ok(os.WriteFile(recipe.Dataset, raw.Bytes(), 0o600))
	request, err := json.Marshal(recipe)
	w.ok(err)
	path, err := w.options.Trainer.Find()
	w.ok(err)
	c := exec.Command(path)
	c.Stdin = bytes.NewReader(request)
	out, err := c.CombinedOutput()
	if err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
	packed, err := artifact.Pack(recipe.Out)
	w.ok(err)
	ctx := tenancy.AsSystem(w.Context(), w.acme.TenantID)
	address, err := w.artifacts.Put(ctx, packed)
	w.ok(err)
	w.keeps(ctx, hash, raw.Bytes())
	m, err := w.orm.MLModel.Create().SetName("fault_classifier").SetType(enum.ModelFaultClassification).SetFeatureSchema(features.SchemaHash()).Save(ctx)
	w.ok(err)
	v, err := w.orm.MLModelVersion.Create().SetModelID(m.ID).SetSemanticVersion("1.0.0").SetFullVersionLabel("fault_classifier:1.0.0").SetStage(enum.StageProduction).
		SetArtifactPath(address).SetFeatureSchemaHash(features.SchemaHash()).SetDatasetHash(hash).SetClasses(d.Classes).Save(ctx)
	w.ok(err)
	w.ok(w.orm.MLModelDeployment.Create().SetModelID(m.ID).SetModelVersionID(v.ID).Exec(ctx))
	w.model, w.base, w.original = m.ID, v.ID, hash
	b, err := artifact.Open(packed)
	w.ok(err)
	return b
}

// keeps stores a dataset where runs look for it.
func (w *world) keeps(ctx context.Context, hash string, raw []byte) {
	w.Helper()
	packed := training.Compress(raw)
	w.ok(w.files.Put(ctx, training.DatasetKey(hash), "application/zstd", bytes.NewReader(packed), int64(len(packed))))
}

// ended waits for the end of a run.
func (w *world) ended(ctx context.Context, which id.UUID) *training.Run {
	w.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	wait, err := w.jobs.News(ctx, which)
	w.ok(err)
	for {
		r, err := w.Run(ctx, which)
		w.ok(err)
		if r.Ended() {
			return r
		}
		w.ok(wait(ctx))
	}
}

// running waits until the trainer of a run has told of a round.
func (w *world) running(ctx context.Context, which id.UUID) {
	w.Helper()
	testkit.Eventually(w, testkit.Patience, func() bool {
		r, err := w.Run(ctx, which)
		w.ok(err)
		return r.Phase != nil && *r.Phase == bulk.Training
	})
}

func keyOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return strings.TrimSpace(e.Field + " " + e.Key)
	}
	return fmt.Sprint(err)
}
