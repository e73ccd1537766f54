package training

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// spoken is the newest word on each prediction by versions of a model, with what the
// model saw. What was said without a prediction counts by itself.
const spoken = `SELECT DISTINCT ON (coalesce(f.prediction_id, f.id)) f.id, f.asset_id, f.new_label, f.feedback_type, f.features, f.at
	FROM feedback f JOIN ml_model_versions v ON v.tenant_id = f.tenant_id AND v.id = f.model_version_id
	WHERE f.tenant_id = $1 AND v.model_id = $2 AND f.features IS NOT NULL AND jsonb_typeof(f.features) = 'array'
	ORDER BY coalesce(f.prediction_id, f.id), f.at DESC, f.id DESC`

// wrong counts the predictions that the newest word on them, given from a time on, calls
// wrong: corrections, new faults and false alarms.
func (s *Service) wrong(ctx context.Context, model id.UUID, since time.Time) (n int, err error) {
	err = s.App.QueryRow(ctx, `SELECT count(*) FROM (`+spoken+`) x WHERE feedback_type <> $3 AND at >= $4`,
		tenancy.Must(ctx).TenantID, model, string(enum.FeedbackCorrect), since).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("training: %w", err)
	}
	return n, nil
}

// feedback reads what people said as examples: of windows, or of days where the model
// looks ahead.
func (t *task) feedback(ctx context.Context) (out []training.Correction, err error) {
	names, _ := featuresOf(t.kind)
	rows, err := t.App.Query(ctx, `SELECT id, asset_id, new_label, features, at FROM (`+spoken+`) x ORDER BY at, id LIMIT $3`,
		tenancy.Must(ctx).TenantID, t.Model, t.Limits.MaxRows)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	var which id.UUID
	var asset *id.UUID
	var label string
	var raw []byte
	var at time.Time
	left := 0
	_, err = pgx.ForEachRow(rows, []any{&which, &asset, &label, &raw, &at}, func() error {
		x, ok := vector(raw, len(names))
		if !ok {
			left++
			return nil
		}
		of := which // an example of no machine is one by itself
		if asset != nil {
			of = *asset
		}
		out = append(out, training.Correction{X: x, Class: label, Asset: training.Machine(of[:]), At: at})
		asset = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	t.log.say("feedback: %d examples, %d of another feature list left out", len(out), left)
	return out, nil
}

// vector reads features from JSON, where null is a missing one.
func vector(raw []byte, n int) ([]float32, bool) {
	var values []*float32
	if json.Unmarshal(raw, &values) != nil || len(values) != n {
		return nil, false
	}
	x := make([]float32, n)
	for i, v := range values {
		if x[i] = float32(math.NaN()); v != nil {
			x[i] = *v
		}
	}
	return x, true
}

// numbers counts things up in the order in which they come.
type numbers[K comparable] map[K]uint32

func (n numbers[K]) of(k K) uint32 {
	i, known := n[k]
	if !known {
		i = uint32(len(n))
		n[k] = i
	}
	return i
}

// gatherFeedback makes each original and the feedback one set.
func (t *task) gatherFeedback(ctx context.Context) error {
	said, err := t.feedback(ctx)
	if err != nil {
		return err
	}
	for i := range t.bundle.Boosters {
		b := t.bundle.Boosters[i]
		original, err := t.original(ctx, b)
		if err != nil {
			return err
		}
		if err := t.mix(b, original, t.tells(b, said)); err != nil {
			return err
		}
	}
	return nil
}

// What people say became of a machine of which a failure was predicted.
const (
	lived = "healthy"
	broke = "failure"
)

// tells is what was said that a booster can learn from. People say of a failure prediction
// whether the machine failed within the longest horizon: that it did not holds for a
// shorter one as well, that it did tells nothing of that.
func (t *task) tells(b *artifact.Booster, said []training.Correction) (out []training.Correction) {
	longest := 0
	for _, other := range t.bundle.Boosters {
		longest = max(longest, other.Horizon)
	}
	if longest == 0 {
		return said
	}
	for _, c := range said {
		switch {
		case c.Class == lived:
			c.Class = b.Manifest.Classes[0]
		case c.Class == broke && b.Horizon == longest:
			c.Class = b.Manifest.Classes[1]
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

// mix writes the training set of an original with feedback; without any it is the
// original.
func (t *task) mix(b *artifact.Booster, original *training.Dataset, said []training.Correction) error {
	if len(said) == 0 {
		return t.plain(b.Entry, original)
	}
	var r *training.MixReport
	d, err := t.write(b.Entry, func(f *os.File) (hash string, err error) {
		r, err = training.Mix(f, original, said, training.MixOptions{Weight: t.Request.FeedbackWeight, HeldOut: t.Request.HeldOut, Seed: uint64(t.recipe.Seed)})
		if err != nil {
			return "", err
		}
		return r.Hash, nil
	})
	if err != nil {
		return err
	}
	d.rows, d.classes, d.feedback, d.original = r.Rows, r.Classes, len(said), original.Hash
	t.log.say("feedback: %d train, %d are held out; new classes %q", r.Train, r.Held, r.New)
	return nil
}

// plain writes a data set as it is.
func (t *task) plain(e artifact.Entry, of *training.Dataset) error {
	d, err := t.write(e, func(f *os.File) (string, error) { return training.Copy(f, of) })
	if err != nil {
		return err
	}
	d.rows, d.classes = of.Rows, of.Classes
	return nil
}

// extended is the original with further examples, kept in the run's folder: it is what a
// later run goes on from. Without an original it is the examples alone.
func (t *task) extended(ctx context.Context, b *artifact.Booster, more *training.Dataset) (*training.Dataset, error) {
	path := t.originalFile(b.Name)
	write := func(w io.Writer) (string, error) { return training.Copy(w, more) }
	if t.Request.Original {
		original, err := t.original(ctx, b)
		if err != nil {
			return nil, err
		}
		if more == nil {
			return original, nil
		}
		write = func(w io.Writer) (string, error) { return training.Join(w, original, more) }
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := write(f); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return training.Load(path)
}
