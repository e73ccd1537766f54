package training_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/internal/training"
)

// plain is a world with a base, where the trainer may be any script once the base is
// trained.
func plain(t *testing.T, change func(*training.Options)) *world {
	t.Helper()
	w := newWorld(t, change)
	w.install(w.fleet(1, 10, 0.4, 1), quick)
	return w
}

// slow is a trainer that tells of a round and then takes for ever.
func slow(t testing.TB) *training.Trainer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slow")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nread x\necho $$ > \"$0.pid\"\necho '{\"round\":0,\"metric\":1}'\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &training.Trainer{Path: path}
}

// with is another service of the world with other options.
func (w *world) with(change func(*training.Options)) *training.Service {
	o := w.options
	change(&o)
	return training.New(o)
}

func upload(w *world) training.Request {
	return training.Request{Model: w.model, Source: enum.TrainingHistory}
}

func TestOneRunOfAModelIsAtWork(t *testing.T) {
	w := plain(t, nil)
	ctx := w.engineer()
	other := w.with(func(o *training.Options) {}) // as another process has
	var all sync.WaitGroup
	var mu sync.Mutex
	var started []id.UUID
	for i := range 8 {
		s := w.Service
		if i%2 == 0 {
			s = other
		}
		all.Go(func() {
			r, err := s.Start(ctx, upload(w))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				started = append(started, r.ID)
			} else if !fault.Is(err, fault.Conflict) || keyOf(err) != "input.modelId error.training.running" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(started) != 1 {
		t.Fatalf("%d runs began", len(started))
	}
	r, err := w.Cancel(ctx, started[0])
	if err != nil || r.Status != enum.JobCancelled || r.FinishedAt == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := w.Cancel(ctx, started[0]); keyOf(err) != "input.id error.training.ended" {
		t.Errorf("cancelled twice: %v", err)
	}
	if _, err := w.Start(ctx, upload(w)); err != nil {
		t.Errorf("after the first was cancelled: %v", err)
	}
	if n := w.ask(`SELECT count(*) FROM audit_logs WHERE tenant_id = $1 AND entity = 'TrainingRun' AND action IN ('start', 'cancel')`, w.acme.TenantID); n != 3 {
		t.Errorf("%d entries in the audit log", n)
	}
	runs, err := w.List(ctx, page.Args{}, &w.model)
	if err != nil || len(runs.Items) != 2 || runs.Items[0].Status != enum.JobQueued {
		t.Errorf("%+v, %v", runs, err)
	}
}

func TestWhoMayTrain(t *testing.T) {
	w := plain(t, nil)
	r, err := w.Start(w.engineer(), upload(w))
	w.ok(err)
	a := *tenancy.Must(w.engineer())
	a.SiteIDs = []id.UUID{w.acme.SiteID}
	for name, ctx := range map[string]context.Context{"a viewer": w.acme.As(t.Context(), tenancy.Viewer), "who is limited to a site": tenancy.With(t.Context(), &a)} {
		if _, err := w.Start(ctx, upload(w)); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s starts: %v", name, err)
		}
		if _, err := w.Cancel(ctx, r.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s cancels: %v", name, err)
		}
		if _, err := w.SetWeekly(ctx, w.model, true, time.Monday, 3); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s sets a schedule: %v", name, err)
		}
	}
	other := w.globex.As(t.Context(), tenancy.Admin)
	if _, err := w.Run(other, r.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant reads: %v", err)
	}
	if _, err := w.Cancel(other, r.ID); keyOf(err) != "input.id error.notFound" {
		t.Errorf("another tenant cancels: %v", err)
	}
	if _, err := w.Start(other, upload(w)); keyOf(err) != "input.modelId error.notFound" {
		t.Errorf("another tenant starts: %v", err)
	}
	if n := func() (n int) { w.ok(w.app.QueryRow(other, `SELECT count(*) FROM training_runs`).Scan(&n)); return n }(); n != 0 {
		t.Errorf("row-level security shows %d runs of another tenant", n)
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := plain(t, nil)
	for name, c := range map[string]struct {
		change func(*training.Request)
		want   string
	}{
		"too little feedback":  {func(q *training.Request) { q.Source = enum.TrainingFeedback }, "input.source error.training.feedback"},
		"no file":              {func(q *training.Request) { q.Source = enum.TrainingUpload }, "input.uploadId error.required"},
		"an unknown file":      {func(q *training.Request) { u := id.New(id.Upload); q.Source, q.Upload = enum.TrainingUpload, &u }, "input.uploadId error.notFound"},
		"an unknown base":      {func(q *training.Request) { u := id.New(id.MLModelVersion); q.Base = &u }, "input.baseVersionId error.notFound"},
		"too deep":             {func(q *training.Request) { q.Recipe.Depth = 13 }, "input.parameters.maxDepth error.training.range"},
		"a heavy weight":       {func(q *training.Request) { q.FeedbackWeight = 1000 }, "input.feedbackWeight error.training.range"},
		"nobody is held out":   {func(q *training.Request) { q.HeldOut = 0.01 }, "input.heldOut error.training.range"},
		"an army":              {func(q *training.Request) { q.Source, q.Fleet.FaultMachines = enum.TrainingSimulator, 1e6 }, "input.simulator.faultMachines error.training.range"},
		"feedback all by self": {func(q *training.Request) { q.Source, q.Alone = enum.TrainingFeedback, true }, "input.withOriginal error.training.feedbackAlone"},
	} {
		q := upload(w)
		c.change(&q)
		if _, err := w.Start(w.engineer(), q); keyOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := w.with(func(o *training.Options) { o.Trainer = &training.Trainer{Path: "/nowhere"} })
	if _, err := none.Start(w.engineer(), upload(w)); !fault.Is(err, fault.TrainerUnavailable) {
		t.Errorf("without a trainer: %v", err)
	}
	there := w.with(func(o *training.Options) {
		o.Trainer = &training.Trainer{Path: "/nowhere"}
		o.Elsewhere = func(context.Context) (bool, error) { return true, nil }
	})
	if _, err := there.Start(w.engineer(), upload(w)); err != nil {
		t.Errorf("with one elsewhere: %v", err)
	}
}

// A run that one process is at is left alone by another that has a job of it, too.
func TestOneProcessWorksARun(t *testing.T) {
	w := plain(t, nil)
	s := w.with(func(o *training.Options) { o.Trainer = slow(t) })
	w.workOf(s)
	ctx := w.engineer()
	r, err := s.Start(ctx, w.uploads(ctx, 1))
	w.ok(err)
	w.running(ctx, r.ID)
	w.workOf(w.with(func(o *training.Options) { o.Trainer, o.Dir = slow(t), t.TempDir() }))
	w.ok(training.AddJob(ctx, s, r.ID))
	testkit.Eventually(t, testkit.Patience, func() bool {
		return w.ask(`SELECT count(*) FROM river.river_job WHERE kind = 'train' AND state = 'completed'`) == 1
	})
	if r, err = s.Run(ctx, r.ID); err != nil || r.Status != enum.JobRunning || w.ask(`SELECT attempts FROM training_runs`) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	w.cancelled(s, r.ID)
}

// A cancelled run ends its trainer, and the next one may begin at once.
func TestCancelEndsTheTrainer(t *testing.T) {
	w := plain(t, nil)
	s := w.with(func(o *training.Options) { o.Trainer = slow(t) })
	w.workOf(s)
	ctx := w.engineer()
	q := w.uploads(ctx, 1)
	for range 2 {
		r, err := s.Start(ctx, q)
		w.ok(err)
		w.running(ctx, r.ID)
		w.cancelled(s, r.ID)
	}
	if n := w.ask(`SELECT count(*) FROM ml_model_versions WHERE training_run_id IS NOT NULL`); n != 0 {
		t.Errorf("%d versions of cancelled runs", n)
	}
}

// cancelled cancels a run and waits until its folder is gone, which its worker removes
// last.
func (w *world) cancelled(s *training.Service, which id.UUID) {
	w.Helper()
	_, err := s.Cancel(w.engineer(), which)
	w.ok(err)
	testkit.Eventually(w, testkit.Patience, func() bool {
		left, err := filepath.Glob(filepath.Join(w.options.Dir, "*."+which.String()))
		w.ok(err)
		return len(left) == 0
	})
}

// uploads sends a file of examples and asks to train on it, with the original.
func (w *world) uploads(ctx context.Context, rows int) training.Request {
	w.Helper()
	var b strings.Builder
	b.WriteString("label,machine," + strings.Join(features.Names(), ",") + "\n")
	for i := range rows {
		fmt.Fprintf(&b, "%s,m%d", classes[i%len(classes)], i)
		for _, v := range w.window(900+uint64(i), classes[i%len(classes)], 0.5, 1) {
			if b.WriteByte(','); v == v {
				fmt.Fprint(&b, v)
			}
		}
		b.WriteByte('\n')
	}
	u, err := w.jobs.Upload(w.acme.As(w.Context(), tenancy.Admin), "examples.csv", strings.NewReader(b.String()))
	w.ok(err)
	return training.Request{Model: w.model, Source: enum.TrainingUpload, Upload: &u.ID}
}

// What the trainer does wrong fails the run at once, with a reason, and the log is kept.
func TestCrashesFailTheRun(t *testing.T) {
	w := plain(t, nil)
	path := filepath.Join(t.TempDir(), "crash")
	w.ok(os.WriteFile(path, []byte("#!/bin/sh\nread x\necho boom >&2\nkill -SEGV $$\n"), 0o700))
	s := w.with(func(o *training.Options) { o.Trainer = &training.Trainer{Path: path} })
	w.workOf(s)
	r, err := s.Start(w.engineer(), w.uploads(w.engineer(), 1))
	w.ok(err)
	r = w.ended(w.engineer(), r.ID)
	if r.Status != enum.JobFailed || r.Failure == nil || r.Failure.Key != "error.training.crashed" {
		t.Errorf("%+v", r)
	}
	if n := w.ask(`SELECT attempts FROM training_runs WHERE id = $1`, r.ID); n != 1 {
		t.Errorf("%d attempts at what no attempt mends", n)
	}
	if log, err := s.LogText(w.engineer(), r); err != nil || !strings.Contains(log, "boom") {
		t.Errorf("%q, %v", log, err)
	}
}

// A trained file becomes a version; an error of what is around the trainer is tried again.
func TestUploadsTrain(t *testing.T) {
	w := plain(t, nil)
	broken := &flaky{Versions: w.options.Versions, fail: 1}
	s := w.with(func(o *training.Options) { o.Versions = broken })
	w.workOf(s)
	r, err := s.Start(w.engineer(), w.uploads(w.engineer(), 40))
	w.ok(err)
	r = w.ended(w.engineer(), r.ID)
	if r.Status != enum.JobSucceeded || r.Version == nil || r.Rows != 50+40 || broken.asked != 2 {
		log, _ := s.LogText(w.engineer(), r)
		t.Fatalf("%+v after %d attempts\n%s", r, broken.asked, log)
	}
	if left, err := filepath.Glob(filepath.Join(w.options.Dir, "*.*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// flaky is a register that fails at first.
type flaky struct {
	training.Versions
	fail, asked int
	with        error // that it fails with from now on
}

// Register implements training.Versions.
func (f *flaky) Register(ctx context.Context, c training.Candidate) (*ent.MLModelVersion, error) {
	if f.asked++; f.asked <= f.fail {
		return nil, fmt.Errorf("the store is down")
	}
	if f.with != nil {
		return nil, f.with
	}
	return f.Versions.Register(ctx, c)
}

// A worker that is killed in the middle leaves a run that is taken up again, and ended
// with a reason when it goes so each time.
func TestKilledWorkers(t *testing.T) {
	if os.Getenv("TRAINING_WORKER") != "" {
		child(t)
		return
	}
	w := plain(t, func(o *training.Options) { o.Limits.Attempts = 2 })
	ctx := w.engineer()
	// The processes that die see the world by its addresses.
	stands := slow(t).Path
	dies := func() *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run", "^TestKilledWorkers$", "-test.v")
		at := maps.Clone(w.at)
		at["trainer"] = stands
		settings, err := json.Marshal(at)
		w.ok(err)
		c.Env = append(os.Environ(), "TRAINING_WORKER="+string(settings))
		w.ok(c.Start())
		return c
	}
	r, err := w.Start(ctx, w.uploads(ctx, 1))
	w.ok(err)
	schedule := training.NewSchedule(w.Service, w.worker, training.ScheduleOptions{})
	for attempt := 1; ; attempt++ {
		c := dies()
		testkit.Eventually(t, testkit.Patience, func() bool {
			r, err := w.Run(ctx, r.ID)
			w.ok(err)
			return w.ask(`SELECT attempts FROM training_runs WHERE id = $1`, r.ID) == attempt && r.Phase != nil && *r.Phase == "training"
		})
		var pid int
		testkit.Eventually(t, testkit.Patience, func() bool {
			raw, _ := os.ReadFile(stands + ".pid") // is not there at first
			pid, _ = strconv.Atoi(strings.TrimSpace(string(raw)))
			return pid != 0
		})
		w.ok(os.Remove(stands + ".pid"))
		w.ok(c.Process.Kill())
		_ = c.Wait() // was killed
		testkit.Eventually(t, testkit.Patience, func() bool { return runtime.GOOS != "linux" || !training.Alive(pid) })
		// The database sees that it is gone, and the time is over after which it counts as lost.
		testkit.Eventually(t, testkit.Patience, func() bool {
			return w.ask(`SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() WHERE l.locktype = 'advisory'`) == 0
		})
		w.sql(`UPDATE training_runs SET updated_at = now() - interval '1 hour'`)
		if attempt == 2 {
			break
		}
		testkit.Eventually(t, testkit.Patience, func() bool {
			w.ok(schedule.Look(t.Context()))
			return w.ask(`SELECT count(*) FROM river.river_job WHERE kind = 'train'`) == 2
		})
	}
	testkit.Eventually(t, testkit.Patience, func() bool {
		w.ok(schedule.Look(t.Context()))
		r, err = w.Run(ctx, r.ID)
		w.ok(err)
		return r.Ended()
	})
	if r.Status != enum.JobFailed || r.Failure == nil || r.Failure.Key != "error.job.lost" {
		t.Errorf("%+v", r)
	}
	if _, err := w.Start(ctx, upload(w)); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// child is a process that works trainings until it is killed.
func child(t *testing.T) {
	var at map[string]string
	if err := json.Unmarshal([]byte(os.Getenv("TRAINING_WORKER")), &at); err != nil {
		t.Fatal(err)
	}
	w := elsewhere(t, at)
	w.workOf(w.Service)
	<-t.Context().Done()
}
