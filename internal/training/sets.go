package training

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// set is the training set of one booster, and what was made of it.
type set struct {
	artifact.Entry
	path     string
	hash     string
	original string // hash of it without feedback
	rows     int
	feedback int
	classes  []string

	curve    []float64
	files    map[string][]byte
	manifest artifact.Manifest
	made     *training.Report
}

// read reads what the trainer made.
func (d *set) read(dir string) (err error) {
	if d.files, err = artifact.ReadFolder(dir); err != nil {
		return err
	}
	if err := json.Unmarshal(d.files[artifact.ManifestFile], &d.manifest); err != nil {
		return err
	}
	d.made, err = training.ReadReport(dir)
	return err
}

// gather writes the training sets of the run's source into the run's folder.
func (t *task) gather(ctx context.Context) error {
	var err error
	switch t.Source {
	case enum.TrainingFeedback:
		err = t.gatherFeedback(ctx)
	case enum.TrainingHistory:
		err = t.gatherHistory(ctx)
	case enum.TrainingUpload:
		err = t.gatherUpload(ctx)
	case enum.TrainingSimulator:
		err = t.simulate(ctx)
	default:
		err = fault.New(fault.BadInput, "error.training.source")
	}
	if errors.Is(err, training.ErrTooFew) {
		return fault.New(fault.BadInput, "error.training.tooFew").Because(err)
	}
	if err != nil {
		return err
	}
	rows, feedback := 0, 0
	for i := range t.sets {
		rows, feedback = rows+t.sets[i].rows, feedback+t.sets[i].feedback
	}
	_, err = t.App.Exec(ctx, `UPDATE training_runs SET dataset_hash = $3, rows = $4, feedback_rows = $5 WHERE tenant_id = $1 AND id = $2 AND status = 'running'`,
		tenancy.Must(ctx).TenantID, t.ID, t.sets[0].hash, rows, feedback)
	return err
}

// write writes a data set into the run's folder and notes it as a training set.
func (t *task) write(e artifact.Entry, write func(f *os.File) (hash string, err error)) (*set, error) {
	d := set{Entry: e, path: filepath.Join(t.dir, "examples"+e.Name)}
	f, err := os.Create(d.path)
	if err != nil {
		return nil, err
	}
	d.hash, err = write(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	d.original = d.hash
	t.sets = append(t.sets, d)
	return &t.sets[len(t.sets)-1], nil
}

// measured notes the shape of a set.
func (d *set) measured(h *training.Header) { d.rows, d.classes = h.Rows, h.Classes }

// nextVersion is what the manifest calls the version: the base's next one, which has
// another minor number when there are new classes.
func (t *task) nextVersion(d *set) string {
	plain, _, _ := strings.Cut(t.base.SemanticVersion, "+")
	parts := strings.Split(plain, ".")
	var n [3]int
	for i := range min(3, len(parts)) {
		n[i], _ = strconv.Atoi(parts[i])
	}
	if len(t.newClasses(d.classes)) > 0 {
		n[1], n[2] = n[1]+1, 0
	} else {
		n[2]++
	}
	return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2])
}

// newClasses are those that the base does not have.
func (t *task) newClasses(classes []string) (out []string) {
	for _, c := range classes {
		if !slices.Contains(t.bundle.Manifest.Classes, c) {
			out = append(out, c)
		}
	}
	return out
}

// datasetKey names a data set among the tenant's files, by its content.
func datasetKey(hash string) string { return "datasets/" + hash + ".zst" }

// keepDataset stores a training set, compressed.
func (t *task) keepDataset(ctx context.Context, path, hash string) error {
	if f, err := t.Files.Get(ctx, datasetKey(hash)); err == nil {
		return f.Close()
	} else if !fault.Is(err, fault.NotFound) {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	packed := z.EncodeAll(raw, nil)
	return t.Files.Put(ctx, datasetKey(hash), "application/zstd", bytes.NewReader(packed), int64(len(packed)))
}

// keep stores what the run came to, and its training sets, before the version is
// registered: an attempt that ends behind that needs to do no more.
func (t *task) keep(ctx context.Context, bundle []byte) error {
	o := document.TrainingOutcome{Seconds: t.used.wall.Round(time.Millisecond).Seconds(), PeakMemory: t.used.peak}
	metrics := map[string]map[string]float64{}
	for i := range t.sets {
		d := &t.sets[i]
		if err := t.keepDataset(ctx, d.path, d.hash); err != nil {
			return err
		}
		if d.original != d.hash && !t.shipped(d.original) {
			if err := t.keepDataset(ctx, t.originalFile(d.Name), d.original); err != nil {
				return err
			}
		}
		o.NewClasses = t.newClasses(d.manifest.Classes)
		o.Boosters = append(o.Boosters, d.outcome())
		for split, values := range d.made.Metrics {
			if metrics[split] == nil {
				metrics[split] = map[string]float64{}
			}
			for name, v := range values {
				if d.Name != "" {
					name += "_" + d.Name
				}
				metrics[split][name] = v
			}
		}
	}
	first := &o.Boosters[0]
	_, err := t.App.Exec(ctx, `UPDATE training_runs SET outcome = $3, metrics = $4, confusion_matrix = $5, feature_importance = $6, updated_at = now()
		WHERE tenant_id = $1 AND id = $2 AND status = 'running'`, tenancy.Must(ctx).TenantID, t.ID, asJSON(o), asJSON(metrics), asJSON(first.Confusion), asJSON(first.Importance))
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	t.log.say("bundle of %d bytes", len(bundle))
	return nil
}

func (d *set) outcome() document.TrainedBooster {
	m := &d.manifest
	b := document.TrainedBooster{Name: d.Name, Horizon: d.Horizon, Classes: m.Classes, Dataset: d.hash, Original: d.original,
		Rows: m.Training.Rows, Groups: m.Training.Groups, XGBoost: m.Training.XGBoost, Rounds: m.Training.Rounds, Curve: d.curve,
		Confusion: m.Metrics.Confusion, Parameters: map[string]string{}}
	for name, v := range m.Training.Parameters {
		b.Parameters[name] = fmt.Sprint(v)
	}
	for _, c := range m.Metrics.PerClass {
		b.PerClass = append(b.PerClass, document.TrainedClass{Class: c.Class, Rows: c.Rows, Precision: c.Precision, Recall: c.Recall, F1: c.F1})
	}
	for _, r := range d.made.Reliability {
		b.Reliability = append(b.Reliability, document.TrainedBin{Rows: r.Rows, Predicted: r.Predicted, Observed: r.Observed})
	}
	for _, i := range d.made.Importance {
		b.Importance = append(b.Importance, document.Importance{Feature: i.Feature, Gain: i.Gain, Weight: i.Weight, Cover: i.Cover})
	}
	return b
}

// storeLog stores the log and notes where.
func (t *task) storeLog(ctx context.Context) error {
	content := t.log.Bytes()
	if err := t.Files.Put(ctx, logKey(t.ID), "text/plain; charset=utf-8", bytes.NewReader(content), logMax); err != nil {
		return err
	}
	_, err := t.App.Exec(ctx, `UPDATE training_runs SET log_path = $3 WHERE tenant_id = $1 AND id = $2`, tenancy.Must(ctx).TenantID, t.ID, logKey(t.ID))
	return err
}

// dropUpload deletes the file that was uploaded for a run.
func (s *Service) dropUpload(ctx context.Context, q *document.TrainingRequest) {
	if q.Upload == "" {
		return
	}
	if err := s.Files.Delete(ctx, q.Upload); err != nil {
		s.Log.WarnContext(ctx, "an uploaded file was not deleted", "file", q.Upload, "error", err)
	}
}

// validText is the text without what is none.
func validText(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("\uFFFD")) }
